"""French: subject, verb, object, place, time; "rouge" follows its noun, the other adjectives precede; "ne ... pas"."""

from xit_ray.data.mini.meaning import AGENTS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS, Meaning
from xit_ray.data.mini.sentence import Segment, entries, gendered, outside, parts, spaced

AGENT = entries(
    AGENTS,
    "le professeur|l'infirmière|le fermier|la fille|le garçon|la femme|la grand-mère|le voisin"
    "|Maria|Ivan|Leïla|Omar|quelqu'un",
)
PARTICIPLE = entries(VERBS, "acheté|vendu|trouvé|perdu|lavé|vu|abîmé|réparé|caché|volé")
FUTURE = entries(VERBS, "achètera|vendra|trouvera|perdra|lavera|verra|abîmera|réparera|cachera|volera")
OBJECT = gendered(
    OBJECTS,
    "voiture/f|vélo/m|table/f|chaise/f|sac/m|tasse/f|téléphone/m|boîte/f|lampe/f|miroir/m|quelque chose/",
)
# Every noun above begins with a consonant, so "vieil" and "nouvel" are never needed.
QUALITY = {
    "m": entries(QUALITIES, "rouge|vieux|nouveau|grand|petit"),
    "f": entries(QUALITIES, "rouge|vieille|nouvelle|grande|petite"),
}
ARTICLE = {"m": "le", "f": "la"}
PLACE = entries(PLACES, "au marché|à l'école|dans le jardin|à la gare|à la bibliothèque|à l'hôtel|à Londres|au Caire")
TIME = entries(TIMES, "hier|la semaine dernière|l'année dernière|demain|la semaine prochaine|l'année prochaine")


def clause(meaning: Meaning, fronted: bool) -> list[Segment]:
    noun, gender = OBJECT[meaning.object]
    quality = QUALITY[gender][meaning.quality] if meaning.quality else None
    order = (noun, quality) if meaning.quality == "red" else (quality, noun)
    thing = " ".join(filter(None, (ARTICLE.get(gender), *order)))
    time = TIME[meaning.time] if meaning.time else None
    place = PLACE[meaning.place] if meaning.place else None
    core = parts((AGENT[meaning.agent], "agent"), (_verb(meaning), "verb"), (thing, "object"))
    return outside(core, time, place, fronted, comma=True)


def _verb(meaning: Meaning) -> str:
    if not meaning.future:
        return f"n'a pas {PARTICIPLE[meaning.verb]}" if meaning.negative else f"a {PARTICIPLE[meaning.verb]}"
    verb = FUTURE[meaning.verb]
    if not meaning.negative:
        return verb
    return f"n'{verb} pas" if verb[0] in "aeiou" else f"ne {verb} pas"


write = spaced
