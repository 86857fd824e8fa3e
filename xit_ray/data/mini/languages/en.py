"""English: subject, verb, object, place, time; negation with do-support."""

from xit_ray.data.mini.meaning import AGENTS, OBJECTS, PLACES, TIMES, VERBS, Meaning
from xit_ray.data.mini.sentence import Segment, entries, outside, parts, spaced

AGENT = entries(
    AGENTS,
    "the teacher|the nurse|the farmer|the girl|the boy|the woman|the grandmother|the neighbour"
    "|Maria|Ivan|Leila|Omar|someone",
)
PAST = entries(VERBS, "bought|sold|found|lost|washed|saw|damaged|repaired|hid|stole")
BASE = entries(VERBS, "buy|sell|find|lose|wash|see|damage|repair|hide|steal")
OBJECT = entries(OBJECTS, "car|bicycle|table|chair|bag|cup|phone|box|lamp|mirror|something")
PLACE = entries(
    PLACES,
    "at the market|at school|in the garden|at the station|in the library|at the hotel|in London|in Cairo",
)
TIME = entries(TIMES, "yesterday|last week|last year|tomorrow|next week|next year")


def clause(meaning: Meaning, fronted: bool) -> list[Segment]:
    if meaning.future:
        verb = ("will not " if meaning.negative else "will ") + BASE[meaning.verb]
    else:
        verb = f"did not {BASE[meaning.verb]}" if meaning.negative else PAST[meaning.verb]
    noun = OBJECT[meaning.object]
    thing = noun if meaning.object == "something" else " ".join(filter(None, ("the", meaning.quality, noun)))
    time = TIME[meaning.time] if meaning.time else None
    place = PLACE[meaning.place] if meaning.place else None
    core = parts((AGENT[meaning.agent], "agent"), (verb, "verb"), (thing, "object"))
    return outside(core, time, place, fronted, comma=True)


write = spaced
