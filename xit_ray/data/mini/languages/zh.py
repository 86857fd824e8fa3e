"""Chinese: time and place before the verb, measure words after "那", "没有" for the past and "不会" for the future."""

from collections.abc import Iterable

from xit_ray.data.mini.meaning import AGENTS, OBJECTS, PLACES, QUALITIES, TIMES, VERBS, Meaning
from xit_ray.data.mini.sentence import Segment, entries, gendered, parts

AGENT = entries(AGENTS, "老师|护士|农民|女孩|男孩|那个女人|奶奶|邻居|玛丽亚|伊万|莱拉|奥马尔|有人")
VERB = entries(VERBS, "买|卖|找到|弄丢|洗|看见|弄坏|修好|藏|偷")
OBJECT = gendered(OBJECTS, "车/辆|自行车/辆|桌子/张|椅子/把|包/个|杯子/个|手机/部|箱子/个|灯/盏|镜子/面|一样东西/")
QUALITY = entries(QUALITIES, "红色的|旧|新|大|小")
PLACE = entries(PLACES, "在市场|在学校|在花园里|在车站|在图书馆|在酒店|在伦敦|在开罗")
TIME = entries(TIMES, "昨天|上周|去年|明天|下周|明年")


def clause(meaning: Meaning, fronted: bool) -> list[Segment]:
    noun, measure = OBJECT[meaning.object]
    quality = QUALITY[meaning.quality] if meaning.quality else ""
    thing = f"那{measure}{quality}{noun}" if measure else noun
    time = TIME[meaning.time] if meaning.time else None
    place = PLACE[meaning.place] if meaning.place else None
    # Aspect 了 is for a past that happened; a past that did not takes 没有 and loses it.
    marker = ("不会" if meaning.negative else "会") if meaning.future else ("没有" if meaning.negative else None)
    verb = VERB[meaning.verb] + ("" if meaning.future or meaning.negative else "了")
    agent = parts((AGENT[meaning.agent], "agent"))
    end = parts((verb, "verb"), (thing, "object"))
    grammar = parts((marker, "negation" if meaning.negative else "grammar"))
    if fronted and time:
        return parts((time, "time")) + agent + grammar + parts((place, "place")) + end
    if fronted and place:
        return parts((f"{place}，", "place")) + agent + grammar + end
    return agent + parts((time, "time")) + grammar + parts((place, "place")) + end


def write(segments: Iterable[Segment]) -> str:
    return "".join(segment.text for segment in segments) + "。"
