"""The report as one self-contained HTML page: no network, light and dark, wide and narrow, on paper."""

import base64
import functools
from collections.abc import Sequence
from importlib import resources

import jinja2
import yaml

from xit_ray.data.overlap import percent
from xit_ray.report.colours import BLUE, ORANGE, STRONGEST, strength
from xit_ray.report.figures import Drawn
from xit_ray.report.matrix import Gain, MatrixCell
from xit_ray.report.preselection import estimate_text
from xit_ray.report.summary import Summary
from xit_ray.report.typology import GROUPS, distance
from xit_ray.report.words import cell_text, gain_text, interval_text, points, seeds_text, settle_text, signed
from xit_ray.spec.commands import bytes_in_words

LONG = 30
"""Tables with more rows than this are folded."""


def render(runs: Sequence[tuple[Summary, Sequence[Drawn]]]) -> str:
    """The page of one run, or of several side by side, with their figures."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("xit_ray.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "points": points,
        "signed": signed,
        "percent": percent,
        "cell": cell_text,
        "gain": gain_text,
    }
    environment.filters |= {
        "seeds": seeds_text,
        "estimate": estimate_text,
        "look": _look,
        "share": _share,
        "address": _address,
        "bytes": bytes_in_words,
    }
    environment.globals |= {
        "interval": interval_text,
        "settle": settle_text,
        "group_of": group_of,
        "distance": distance,
    }
    environment.globals["id"] = id
    return environment.get_template("report.html.j2").render(
        runs=[summary for summary, _ in runs],
        images={id(summary): figures for summary, figures in runs},
        groups=[name for _, name in GROUPS],
        by_family=by_family,
        blue=BLUE,
        orange=ORANGE,
        long=LONG,
    )


def _address(svg: bytes) -> str:
    """An address that holds the whole file."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def _look(gain: Gain | None) -> str:
    """Class of a cell: its colour, hollow where nothing says that the gain is not 0."""
    if gain is None:
        return ""
    sure = gain.low is not None and gain.high is not None and not gain.low <= 0 <= gain.high
    return f"{'up' if gain.value >= 0 else 'down'}{'' if sure else ' hollow'}"


def _share(gain: Gain | float | None) -> str:
    """How much of its colour a cell has, in percent."""
    value = gain.value if isinstance(gain, Gain) else gain
    return f"{100 * STRONGEST * strength(value):.0f}%" if value is not None else "0%"


@functools.cache
def _languages() -> dict[str, list[str]]:
    """Family and script of languages."""
    languages: dict[str, list[str]] = yaml.safe_load(
        resources.files("xit_ray.report").joinpath("languages.yaml").read_text("utf-8")
    )
    return languages


def group_of(language: str) -> tuple[str, str]:
    """Family and script of a language."""
    family, script = _languages().get(language, ["other", "other"])
    return family, script


def by_family(cells: Sequence[MatrixCell]) -> list[tuple[str, list[str]]]:
    """The languages that some cells have gains in, those of a family together: the families, largest first."""
    present = {language for cell in cells for language in cell.gain_by_language or {}}
    families: dict[str, list[str]] = {}
    for language in sorted(present, key=lambda one: (group_of(one)[1] != "Latin", group_of(one)[1], one)):
        families.setdefault(group_of(language)[0], []).append(language)
    return sorted(families.items(), key=lambda family: (-len(family[1]), family[0]))
