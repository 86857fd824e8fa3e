"""Russian: past agrees with the subject's gender, adjectives with the object's; accusative; "не" before the verb."""

from xit_ray.data.mini.meaning import AGENTS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS, Meaning
from xit_ray.data.mini.sentence import Segment, entries, gendered, outside, parts, spaced

AGENT = gendered(
    AGENTS,
    "учитель/m|медсестра/f|фермер/m|девочка/f|мальчик/m|женщина/f|бабушка/f|сосед/m"
    "|Мария/f|Иван/m|Лейла/f|Омар/m|кто-то/m",
)
PAST = {
    "m": entries(VERBS, "купил|продал|нашёл|потерял|помыл|увидел|повредил|починил|спрятал|украл"),
    "f": entries(VERBS, "купила|продала|нашла|потеряла|помыла|увидела|повредила|починила|спрятала|украла"),
}
FUTURE = entries(VERBS, "купит|продаст|найдёт|потеряет|помоет|увидит|повредит|починит|спрячет|украдёт")
OBJECT = gendered(
    OBJECTS,
    "машину/f|велосипед/m|стол/m|стул/m|сумку/f|чашку/f|телефон/m|коробку/f|лампу/f|зеркало/n|что-то/",
)
QUALITY = {
    "m": entries(QUALITIES, "красный|старый|новый|большой|маленький"),
    "f": entries(QUALITIES, "красную|старую|новую|большую|маленькую"),
    "n": entries(QUALITIES, "красное|старое|новое|большое|маленькое"),
}
PLACE = entries(PLACES, "на рынке|в школе|в саду|на вокзале|в библиотеке|в гостинице|в Лондоне|в Каире")
TIME = entries(TIMES, "вчера|на прошлой неделе|в прошлом году|завтра|на следующей неделе|в следующем году")


def clause(meaning: Meaning, fronted: bool) -> list[Segment]:
    agent, gender = AGENT[meaning.agent]
    noun, object_gender = OBJECT[meaning.object]
    quality = QUALITY[object_gender][meaning.quality] if meaning.quality else None
    time = TIME[meaning.time] if meaning.time else None
    place = PLACE[meaning.place] if meaning.place else None
    core = parts(
        (agent, "agent"),
        ("не" if meaning.negative else None, "negation"),
        (FUTURE[meaning.verb] if meaning.future else PAST[gender][meaning.verb], "verb"),
        (" ".join(filter(None, (quality, noun))), "object"),
    )
    return outside(core, time, place, fronted)


write = spaced
