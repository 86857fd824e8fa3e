"""AmericasNLI: XNLI in 10 indigenous languages of the Americas; test rows alone, for a head trained on XNLI or MultiNLI.

Eight languages have the same 750 items; Nahuatl and Otomí have others of XNLI's, in an order of their own. None is numbered
as XNLI is, so its rows are a collection apart.
"""

from xit_ray.tasks.base import Hub, Size
from xit_ray.tasks.kinds import Classification

AMERICAS_NLI = Classification(
    name="americas_nli",
    labels=("entailment", "neutral", "contradiction"),
    languages=("ay", "bzd", "cni", "gn", "hch", "nah", "oto", "qu", "shp", "tar"),
    train_languages=(),
    licence="CC BY-SA 4.0",
    citation="Ebrahimi et al. 2022, arXiv:2104.08726",
    size=Size(test=750, tokens=45),
    codes={"ay": "aym", "qu": "quy"},
    hub=Hub(
        repository="nala-cub/americas_nli",
        revision="aa389759092cb553655aa4002a1a28f4ac78657b",
        config="{code}",
        splits={"test": "test"},
        fields={"text_a": "premise", "text_b": "hypothesis", "label": "label"},
    ),
)
