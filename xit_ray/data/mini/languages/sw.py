"""Swahili: subject, verb, object, place, time; the verb carries tense and negation, adjectives the noun's class."""

from xit_ray.data.mini.meaning import AGENTS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS, Meaning
from xit_ray.data.mini.sentence import Segment, entries, gendered, outside, parts, spaced

AGENT = entries(
    AGENTS,
    "mwalimu|muuguzi|mkulima|msichana|mvulana|mwanamke|bibi|jirani|Maria|Ivan|Leila|Omari|mtu fulani",
)
STEM = entries(VERBS, "nunua|uza|kuta|poteza|osha|ona|haribu|rekebisha|ficha|iba")
# Prefix of the third person singular, by (future, negative).
PREFIX = {(False, False): "ali", (True, False): "ata", (False, True): "haku", (True, True): "hata"}
OBJECT = gendered(
    OBJECTS,
    "gari/5|baiskeli/9|meza/9|kiti/7|mfuko/3|kikombe/7|simu/9|sanduku/5|taa/9|kioo/7|kitu fulani/",
)
QUALITY = {
    "3": entries(QUALITIES, "mwekundu|wa zamani|mpya|mkubwa|mdogo"),
    "5": entries(QUALITIES, "jekundu|la zamani|jipya|kubwa|dogo"),
    "7": entries(QUALITIES, "chekundu|cha zamani|kipya|kikubwa|kidogo"),
    "9": entries(QUALITIES, "nyekundu|ya zamani|mpya|kubwa|ndogo"),
}
PLACE = entries(PLACES, "sokoni|shuleni|bustanini|kituoni|maktabani|hotelini|huko London|huko Kairo")
TIME = entries(TIMES, "jana|wiki iliyopita|mwaka uliopita|kesho|wiki ijayo|mwaka ujao")


def clause(meaning: Meaning, fronted: bool) -> list[Segment]:
    noun, noun_class = OBJECT[meaning.object]
    quality = QUALITY[noun_class][meaning.quality] if meaning.quality else None
    time = TIME[meaning.time] if meaning.time else None
    place = PLACE[meaning.place] if meaning.place else None
    core = parts(
        (AGENT[meaning.agent], "agent"),
        (PREFIX[meaning.future, meaning.negative] + STEM[meaning.verb], "verb"),
        (" ".join(filter(None, (noun, quality))), "object"),
    )
    return outside(core, time, place, fronted, comma=True)


write = spaced
