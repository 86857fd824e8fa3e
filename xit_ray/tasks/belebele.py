"""Belebele: questions with four answers about a passage, in 100 languages; test rows alone, for any multiple-choice head.

Where a language has several scripts the one it is mostly written in is used.
"""

from xit_ray.tasks.base import Hub, Size
from xit_ray.tasks.kinds import MultipleChoice

_CODES = """
en:eng_Latn af:afr_Latn am:amh_Ethi ar:arb_Arab as:asm_Beng az:azj_Latn bg:bul_Cyrl bm:bam_Latn bn:ben_Beng bo:bod_Tibt
ca:cat_Latn cs:ces_Latn da:dan_Latn de:deu_Latn el:ell_Grek es:spa_Latn et:est_Latn eu:eus_Latn fa:pes_Arab fi:fin_Latn
fr:fra_Latn gn:grn_Latn gu:guj_Gujr ha:hau_Latn he:heb_Hebr hi:hin_Deva hr:hrv_Latn ht:hat_Latn hu:hun_Latn hy:hye_Armn
id:ind_Latn ig:ibo_Latn is:isl_Latn it:ita_Latn ja:jpn_Jpan jv:jav_Latn ka:kat_Geor kk:kaz_Cyrl km:khm_Khmr kn:kan_Knda
ko:kor_Hang ky:kir_Cyrl lg:lug_Latn ln:lin_Latn lo:lao_Laoo lt:lit_Latn lv:lvs_Latn mg:plt_Latn mi:mri_Latn mk:mkd_Cyrl
ml:mal_Mlym mn:khk_Cyrl mr:mar_Deva ms:zsm_Latn mt:mlt_Latn my:mya_Mymr nb:nob_Latn ne:npi_Deva nl:nld_Latn ny:nya_Latn
om:gaz_Latn or:ory_Orya pa:pan_Guru pl:pol_Latn ps:pbt_Arab pt:por_Latn ro:ron_Latn ru:rus_Cyrl rw:kin_Latn sd:snd_Arab
si:sin_Sinh sk:slk_Latn sl:slv_Latn sn:sna_Latn so:som_Latn sq:als_Latn sr:srp_Cyrl ss:ssw_Latn st:sot_Latn su:sun_Latn
sv:swe_Latn sw:swh_Latn ta:tam_Taml te:tel_Telu tg:tgk_Cyrl th:tha_Thai ti:tir_Ethi tl:tgl_Latn tn:tsn_Latn tr:tur_Latn
ts:tso_Latn uk:ukr_Cyrl ur:urd_Arab uz:uzn_Latn vi:vie_Latn wo:wol_Latn xh:xho_Latn yo:yor_Latn zh:zho_Hans zu:zul_Latn
"""
CODES = dict(pair.split(":") for pair in _CODES.split())

BELEBELE = MultipleChoice(
    name="belebele",
    labels=("1", "2", "3", "4"),
    languages=tuple(CODES),
    train_languages=(),
    licence="CC BY-SA 4.0",
    citation="Bandarkar et al. 2024, arXiv:2308.16884",
    size=Size(test=900, tokens=700),
    codes=CODES,
    hub=Hub(
        repository="facebook/belebele",
        revision="c25c4d7bfbc5de244583947ba230fc4ee93d4a89",
        config="{code}",
        splits={"test": "test"},
        fields={
            "text": ("flores_passage", "question"),
            "options": ("mc_answer1", "mc_answer2", "mc_answer3", "mc_answer4"),
            "label": "correct_answer_num",
        },
    ),
)
