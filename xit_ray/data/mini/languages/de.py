"""German: verb second, participle or infinitive last; weak adjectives after the definite article; accusative objects."""

from xit_ray.data.mini.meaning import AGENTS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS, Meaning
from xit_ray.data.mini.sentence import Segment, entries, gendered, parts, spaced

AGENT = entries(
    AGENTS,
    "der Lehrer|die Krankenschwester|der Bauer|das Mädchen|der Junge|die Frau|die Großmutter|der Nachbar"
    "|Maria|Iwan|Leila|Omar|jemand",
)
PARTICIPLE = entries(
    VERBS, "gekauft|verkauft|gefunden|verloren|gewaschen|gesehen|beschädigt|repariert|versteckt|gestohlen"
)
INFINITIVE = entries(VERBS, "kaufen|verkaufen|finden|verlieren|waschen|sehen|beschädigen|reparieren|verstecken|stehlen")
OBJECT = gendered(
    OBJECTS,
    "Auto/n|Fahrrad/n|Tisch/m|Stuhl/m|Tasche/f|Tasse/f|Telefon/n|Kiste/f|Lampe/f|Spiegel/m|etwas/",
)
STEM = entries(QUALITIES, "rot|alt|neu|groß|klein")
ARTICLE = {"m": "den", "f": "die", "n": "das"}
ENDING = {"m": "en", "f": "e", "n": "e"}
PLACE = entries(
    PLACES, "auf dem Markt|in der Schule|im Garten|am Bahnhof|in der Bibliothek|im Hotel|in London|in Kairo"
)
TIME = entries(TIMES, "gestern|letzte Woche|letztes Jahr|morgen|nächste Woche|nächstes Jahr")


def clause(meaning: Meaning, fronted: bool) -> list[Segment]:
    auxiliary = "wird" if meaning.future else "hat"
    verb = (INFINITIVE if meaning.future else PARTICIPLE)[meaning.verb]
    noun, gender = OBJECT[meaning.object]
    quality = STEM[meaning.quality] + ENDING[gender] if meaning.quality else None
    thing = " ".join(filter(None, (ARTICLE.get(gender), quality, noun)))
    time = TIME[meaning.time] if meaning.time else None
    place = PLACE[meaning.place] if meaning.place else None
    agent, finite = parts((AGENT[meaning.agent], "agent")), parts((auxiliary, "grammar"))
    if fronted and time:
        head, time = parts((time, "time")) + finite + agent, None
    elif fronted and place:
        head, place = parts((place, "place")) + finite + agent, None
    else:
        head = agent + finite
    adverbials = parts((time, "time"), (place, "place"))
    if meaning.negative:
        # "nicht" negates the clause from behind the definite object and the adverbials.
        return head + parts((thing, "object")) + adverbials + parts(("nicht", "negation"), (verb, "verb"))
    return head + adverbials + parts((thing, "object"), (verb, "verb"))


write = spaced
