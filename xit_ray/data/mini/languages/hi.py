"""Hindi: verb last; in the past the subject takes "ने" and the verb agrees with the object, else with the subject."""

from collections.abc import Iterable

from xit_ray.data.mini.meaning import AGENTS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS, Meaning
from xit_ray.data.mini.sentence import Segment, entries, gendered, inside, parts, spaced

AGENT = gendered(
    AGENTS,
    "शिक्षक/m|नर्स/f|किसान/m|लड़की/f|लड़का/m|औरत/f|दादी/f|पड़ोसी/m|मारिया/f|इवान/m|लैला/f|उमर/m|कोई/m",
)
OBLIQUE = {"लड़का": "लड़के", "कोई": "किसी"}
PAST = {
    "m": entries(VERBS, "ख़रीदा|बेचा|ढूँढ़ निकाला|खोया|धोया|देखा|ख़राब किया|ठीक किया|छिपाया|चुराया"),
    "f": entries(VERBS, "ख़रीदी|बेची|ढूँढ़ निकाली|खोई|धोई|देखी|ख़राब की|ठीक की|छिपाई|चुराई"),
}
FUTURE = {
    "m": entries(VERBS, "ख़रीदेगा|बेचेगा|ढूँढ़ निकालेगा|खोएगा|धोएगा|देखेगा|ख़राब करेगा|ठीक करेगा|छिपाएगा|चुराएगा"),
    "f": entries(VERBS, "ख़रीदेगी|बेचेगी|ढूँढ़ निकालेगी|खोएगी|धोएगी|देखेगी|ख़राब करेगी|ठीक करेगी|छिपाएगी|चुराएगी"),
}
OBJECT = gendered(OBJECTS, "कार/f|साइकिल/f|मेज़/f|कुर्सी/f|थैला/m|प्याला/m|फ़ोन/m|डिब्बा/m|लैंप/m|आईना/m|कुछ/m")
QUALITY = {
    "m": entries(QUALITIES, "लाल|पुराना|नया|बड़ा|छोटा"),
    "f": entries(QUALITIES, "लाल|पुरानी|नई|बड़ी|छोटी"),
}
PLACE = entries(PLACES, "बाज़ार में|स्कूल में|बग़ीचे में|स्टेशन पर|पुस्तकालय में|होटल में|लंदन में|काहिरा में")
TIME = entries(TIMES, "कल|पिछले हफ़्ते|पिछले साल|कल|अगले हफ़्ते|अगले साल")


def clause(meaning: Meaning, fronted: bool) -> list[Segment]:
    agent, gender = AGENT[meaning.agent]
    noun, object_gender = OBJECT[meaning.object]
    if meaning.future:
        verb = FUTURE[gender][meaning.verb]
    else:
        verb = PAST[object_gender][meaning.verb]
        agent = f"{OBLIQUE.get(agent, agent)} ने"
    *nominal, finite = verb.split()  # "ठीक की": the negation stands before the finite verb
    negation = "नहीं" if meaning.negative else None
    quality = QUALITY[object_gender][meaning.quality] if meaning.quality else None
    time = TIME[meaning.time] if meaning.time else None
    place = PLACE[meaning.place] if meaning.place else None
    subject = parts((agent, "agent"))
    end = parts(
        (" ".join(filter(None, (quality, noun))), "object"),
        (" ".join(nominal), "verb"),
        (negation, "negation"),
        (finite, "verb"),
    )
    return inside(subject, end, time, place, fronted)


def write(segments: Iterable[Segment]) -> str:
    return spaced(segments, stop="।", capital=False)
