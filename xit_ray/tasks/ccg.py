"""CCG supertagging, English: a rich category for every word. The tags are those of the training rows."""

from xit_ray.tasks.base import Layout, Size
from xit_ray.tasks.kinds import Tagging

CCG = Tagging(
    name="ccg",
    labels=(),
    spans=False,
    languages=(),
    licence="that of the sentences; CCGbank itself is LDC2005T13",
    citation="Hockenmaier and Steedman 2007, J07-3004",
    size=Size(train=38_015, dev=5_484, tokens=33),
    layouts=(Layout(train="ccg/train.tsv", dev="ccg/dev.tsv", test=None, format="conll"),),
)
