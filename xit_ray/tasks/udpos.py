"""Parts of speech of Universal Dependencies: 33 languages in XTREME, 38 in XTREME-R.

XTREME's own files put all treebanks of a language together. A folder of treebanks is read one treebank a language, and
the hub's copy has other treebanks and splits contractions; scores on these are not XTREME's.
"""

from xit_ray.tasks.base import Hub, Layout, Size
from xit_ray.tasks.kinds import Tagging

TAGS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM",
    "VERB", "X",
)  # fmt: skip
# Language: its name on the hub, and the treebank that is read where a folder holds treebanks and not XTREME's files.
LANGUAGES = {
    "en": ("English", "UD_English-EWT/en_ewt"), "af": ("Afrikaans", "UD_Afrikaans-AfriBooms/af_afribooms"),
    "ar": ("Arabic", "UD_Arabic-PADT/ar_padt"), "bg": ("Bulgarian", "UD_Bulgarian-BTB/bg_btb"),
    "de": ("German", "UD_German-GSD/de_gsd"), "el": ("Greek", "UD_Greek-GDT/el_gdt"),
    "es": ("Spanish", "UD_Spanish-GSD/es_gsd"), "et": ("Estonian", "UD_Estonian-EDT/et_edt"),
    "eu": ("Basque", "UD_Basque-BDT/eu_bdt"), "fa": ("Persian", "UD_Persian-Seraji/fa_seraji"),
    "fi": ("Finnish", "UD_Finnish-TDT/fi_tdt"), "fr": ("French", "UD_French-GSD/fr_gsd"),
    "he": ("Hebrew", "UD_Hebrew-HTB/he_htb"), "hi": ("Hindi", "UD_Hindi-HDTB/hi_hdtb"),
    "hu": ("Hungarian", "UD_Hungarian-Szeged/hu_szeged"), "id": ("Indonesian", "UD_Indonesian-GSD/id_gsd"),
    "it": ("Italian", "UD_Italian-ISDT/it_isdt"), "ja": ("Japanese", "UD_Japanese-GSD/ja_gsd"),
    "kk": ("Kazakh", "UD_Kazakh-KTB/kk_ktb"), "ko": ("Korean", "UD_Korean-GSD/ko_gsd"),
    "mr": ("Marathi", "UD_Marathi-UFAL/mr_ufal"), "nl": ("Dutch", "UD_Dutch-Alpino/nl_alpino"),
    "pt": ("Portuguese", "UD_Portuguese-GSD/pt_gsd"), "ru": ("Russian", "UD_Russian-GSD/ru_gsd"),
    "ta": ("Tamil", "UD_Tamil-TTB/ta_ttb"), "te": ("Telugu", "UD_Telugu-MTG/te_mtg"),
    "th": ("Thai", "UD_Thai-PUD/th_pud"), "tl": ("Tagalog", "UD_Tagalog-TRG/tl_trg"),
    "tr": ("Turkish", "UD_Turkish-IMST/tr_imst"), "ur": ("Urdu", "UD_Urdu-UDTB/ur_udtb"),
    "vi": ("Vietnamese", "UD_Vietnamese-VTB/vi_vtb"), "yo": ("Yoruba", "UD_Yoruba-YTB/yo_ytb"),
    "zh": ("Chinese", "UD_Chinese-GSDSimp/zh_gsdsimp"), "lt": ("Lithuanian", "UD_Lithuanian-ALKSNIS/lt_alksnis"),
    "pl": ("Polish", "UD_Polish-PDB/pl_pdb"), "ro": ("Romanian", "UD_Romanian-RRT/ro_rrt"),
    "uk": ("Ukrainian", "UD_Ukrainian-IU/uk_iu"), "wo": ("Wolof", "UD_Wolof-WTB/wo_wtb"),
}  # fmt: skip
TEST_ONLY = ("th", "tl", "yo")
ADDED = ("lt", "pl", "ro", "uk", "wo")
"""By XTREME-R."""

UDPOS = Tagging(
    name="udpos",
    labels=TAGS,
    languages=tuple(LANGUAGES),
    train_languages=tuple(language for language in LANGUAGES if language not in TEST_ONLY),
    codes={language: treebank for language, (_, treebank) in LANGUAGES.items()},
    licence="CC BY-SA 4.0, some treebanks NC",
    citation="Nivre et al. 2020, arXiv:2004.10643",
    size=Size(train=21_253, dev=3_974, test=1_000, tokens=34),
    layouts=(
        Layout(
            train="udpos/train-{lang}.tsv", dev="udpos/dev-{lang}.tsv", test="udpos/test-{lang}.tsv", format="conll"
        ),
        Layout(
            train="udpos/{code}-ud-train.conllu", dev="udpos/{code}-ud-dev.conllu", test="udpos/{code}-ud-test.conllu"
        ),
    ),
    hub=Hub(
        repository="google/xtreme",
        revision="ec5f1f46e9af79639a90684a7a70a956c4998f04",
        config="udpos.{code}",
        languages=tuple(language for language in LANGUAGES if language not in ADDED),
        codes={language: name for language, (name, _) in LANGUAGES.items()},
        splits={"train": "train", "dev": "validation", "test": "test"},
        fields={"tags": "pos_tags"},
    ),
)
