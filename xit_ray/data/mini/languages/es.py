"""Spanish: subject, verb, object, place, time; adjectives follow and agree; "no" before the verb."""

from xit_ray.data.mini.meaning import AGENTS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS, Meaning
from xit_ray.data.mini.sentence import Segment, entries, gendered, outside, parts, spaced

AGENT = entries(
    AGENTS,
    "el maestro|la enfermera|el granjero|la niña|el niño|la mujer|la abuela|el vecino|María|Iván|Leila|Omar|alguien",
)
PAST = entries(VERBS, "compró|vendió|encontró|perdió|lavó|vio|dañó|reparó|escondió|robó")
FUTURE = entries(VERBS, "comprará|venderá|encontrará|perderá|lavará|verá|dañará|reparará|esconderá|robará")
OBJECT = gendered(
    OBJECTS,
    "coche/m|bicicleta/f|mesa/f|silla/f|bolsa/f|taza/f|teléfono/m|caja/f|lámpara/f|espejo/m|algo/",
)
QUALITY = {
    "m": entries(QUALITIES, "rojo|viejo|nuevo|grande|pequeño"),
    "f": entries(QUALITIES, "roja|vieja|nueva|grande|pequeña"),
}
ARTICLE = {"m": "el", "f": "la"}
PLACE = entries(
    PLACES,
    "en el mercado|en la escuela|en el jardín|en la estación|en la biblioteca|en el hotel|en Londres|en El Cairo",
)
TIME = entries(TIMES, "ayer|la semana pasada|el año pasado|mañana|la próxima semana|el próximo año")


def clause(meaning: Meaning, fronted: bool) -> list[Segment]:
    noun, gender = OBJECT[meaning.object]
    quality = QUALITY[gender][meaning.quality] if meaning.quality else None
    thing = " ".join(filter(None, (ARTICLE.get(gender), noun, quality)))
    time = TIME[meaning.time] if meaning.time else None
    place = PLACE[meaning.place] if meaning.place else None
    core = parts(
        (AGENT[meaning.agent], "agent"),
        ("no" if meaning.negative else None, "negation"),
        ((FUTURE if meaning.future else PAST)[meaning.verb], "verb"),
        (thing, "object"),
    )
    return outside(core, time, place, fronted, comma=True)


write = spaced
