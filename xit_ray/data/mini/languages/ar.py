"""Arabic: verb first; it agrees with the subject's gender, adjectives with the noun's; "لم" and "لن" negate."""

from collections.abc import Iterable

from xit_ray.data.mini.meaning import AGENTS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS, Meaning
from xit_ray.data.mini.sentence import Segment, entries, gendered, outside, parts, spaced

AGENT = gendered(
    AGENTS,
    "المعلم/m|الممرضة/f|المزارع/m|الفتاة/f|الولد/m|المرأة/f|الجدة/f|الجار/m|ماريا/f|إيفان/m|ليلى/f|عمر/m|شخص ما/m",
)
PAST = {
    "m": entries(VERBS, "اشترى|باع|وجد|فقد|غسل|رأى|أتلف|أصلح|خبأ|سرق"),
    "f": entries(VERBS, "اشترت|باعت|وجدت|فقدت|غسلت|رأت|أتلفت|أصلحت|خبأت|سرقت"),
}
# Indicative and subjunctive are spelt alike here; the jussive, after "لم", loses a weak letter.
PRESENT = {
    "m": entries(VERBS, "يشتري|يبيع|يجد|يفقد|يغسل|يرى|يتلف|يصلح|يخبئ|يسرق"),
    "f": entries(VERBS, "تشتري|تبيع|تجد|تفقد|تغسل|ترى|تتلف|تصلح|تخبئ|تسرق"),
}
JUSSIVE = {
    "m": entries(VERBS, "يشتر|يبع|يجد|يفقد|يغسل|ير|يتلف|يصلح|يخبئ|يسرق"),
    "f": entries(VERBS, "تشتر|تبع|تجد|تفقد|تغسل|تر|تتلف|تصلح|تخبئ|تسرق"),
}
OBJECT = gendered(
    OBJECTS,
    "السيارة/f|الدراجة/f|الطاولة/f|الكرسي/m|الحقيبة/f|الفنجان/m|الهاتف/m|الصندوق/m|المصباح/m|المرآة/f|شيئًا ما/",
)
QUALITY = {
    "m": entries(QUALITIES, "الأحمر|القديم|الجديد|الكبير|الصغير"),
    "f": entries(QUALITIES, "الحمراء|القديمة|الجديدة|الكبيرة|الصغيرة"),
}
PLACE = entries(PLACES, "في السوق|في المدرسة|في الحديقة|في المحطة|في المكتبة|في الفندق|في لندن|في القاهرة")
TIME = entries(TIMES, "أمس|في الأسبوع الماضي|في العام الماضي|غدًا|في الأسبوع القادم|في العام القادم")


def clause(meaning: Meaning, fronted: bool) -> list[Segment]:
    agent, gender = AGENT[meaning.agent]
    noun, object_gender = OBJECT[meaning.object]
    quality = QUALITY[object_gender][meaning.quality] if meaning.quality else None
    time = TIME[meaning.time] if meaning.time else None
    place = PLACE[meaning.place] if meaning.place else None
    core = [
        *_verb(meaning, gender),
        *parts((agent, "agent"), (" ".join(filter(None, (noun, quality))), "object")),
    ]
    return outside(core, time, place, fronted)


def _verb(meaning: Meaning, gender: str) -> list[Segment]:
    if meaning.negative:
        particle, form = ("لن", PRESENT) if meaning.future else ("لم", JUSSIVE)
        return parts((particle, "negation"), (form[gender][meaning.verb], "verb"))
    verb = f"س{PRESENT[gender][meaning.verb]}" if meaning.future else PAST[gender][meaning.verb]
    return parts((verb, "verb"))


def write(segments: Iterable[Segment]) -> str:
    return spaced(segments, capital=False)
