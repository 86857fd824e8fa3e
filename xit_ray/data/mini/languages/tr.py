"""Turkish: verb last, definite objects in the accusative, negation inside the verb; vowel harmony is in the lexicon."""

from collections.abc import Iterable

from xit_ray.data.mini.meaning import AGENTS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS, Meaning
from xit_ray.data.mini.sentence import Segment, entries, inside, parts, spaced

AGENT = entries(AGENTS, "öğretmen|hemşire|çiftçi|kız|oğlan|kadın|büyükanne|komşu|Maria|İvan|Leyla|Ömer|biri")
# The verb's form by (future, negative).
VERB = {
    (False, False): entries(VERBS, "satın aldı|sattı|buldu|kaybetti|yıkadı|gördü|bozdu|onardı|sakladı|çaldı"),
    (False, True): entries(
        VERBS, "satın almadı|satmadı|bulmadı|kaybetmedi|yıkamadı|görmedi|bozmadı|onarmadı|saklamadı|çalmadı"
    ),
    (True, False): entries(
        VERBS, "satın alacak|satacak|bulacak|kaybedecek|yıkayacak|görecek|bozacak|onaracak|saklayacak|çalacak"
    ),
    (True, True): entries(
        VERBS,
        "satın almayacak|satmayacak|bulmayacak|kaybetmeyecek|yıkamayacak|görmeyecek|bozmayacak|onarmayacak"
        "|saklamayacak|çalmayacak",
    ),
}
OBJECT = entries(OBJECTS, "arabayı|bisikleti|masayı|sandalyeyi|çantayı|fincanı|telefonu|kutuyu|lambayı|aynayı|bir şey")
QUALITY = entries(QUALITIES, "kırmızı|eski|yeni|büyük|küçük")
PLACE = entries(PLACES, "pazarda|okulda|bahçede|istasyonda|kütüphanede|otelde|Londra'da|Kahire'de")
TIME = entries(TIMES, "dün|geçen hafta|geçen yıl|yarın|gelecek hafta|gelecek yıl")


def clause(meaning: Meaning, fronted: bool) -> list[Segment]:
    quality = QUALITY[meaning.quality] if meaning.quality else None
    time = TIME[meaning.time] if meaning.time else None
    place = PLACE[meaning.place] if meaning.place else None
    subject = parts((AGENT[meaning.agent], "agent"))
    end = parts(
        (" ".join(filter(None, (quality, OBJECT[meaning.object]))), "object"),
        (VERB[meaning.future, meaning.negative][meaning.verb], "verb"),
    )
    return inside(subject, end, time, place, fronted)


def write(segments: Iterable[Segment]) -> str:
    text = spaced(segments, capital=False)
    first = "İ" if text[0] == "i" else text[0].upper()  # the dotted capital, which str.upper does not know
    return first + text[1:]
