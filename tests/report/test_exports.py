"""What a paper takes from a report."""

import csv
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from matplotlib.image import imread

from tests.report.making import summary
from xit_ray.report import exports
from xit_ray.report.figures import draw

DOCUMENT = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{matrix}\end{document}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    shown = summary(rows=4, targets=3, languages=5)
    exports.write(shown, draw(shown), made)
    return made


def test_every_figure_can_be_opened(folder: Path) -> None:
    for name in ("matrix", "gains", "cost", "curves"):
        pixels = imread(folder / f"{name}.png")
        assert min(pixels.shape[:2]) > 200
        assert pixels.std() > 0.01
        svg = ElementTree.parse(folder / f"{name}.svg").getroot()
        words = "".join(svg.itertext())
        assert svg.tag.endswith("svg")
        assert "anli" in words or "pawsx" in words  # letters stay letters


def test_a_table_has_a_row_for_each_cell_and_language(folder: Path) -> None:
    with (folder / "matrix.csv").open() as stream:
        cells = list(csv.DictReader(stream))
    assert len(cells) == 12
    assert sum(cell["chosen"] == "True" for cell in cells) == 3
    with (folder / "gains_by_language.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 3 * 3 * 5


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex (Debian: texlive-latex-recommended)")
def test_latex_takes_the_table(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "matrix.tex", tmp_path / "matrix.tex")
    (tmp_path / "paper.tex").write_text(DOCUMENT)
    made = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 5000


def test_names_are_set_as_they_are_written() -> None:
    assert exports.escaped("mini_nli#64 & 50% → {x}") == r"mini\_nli\#64 \& 50\% $\rightarrow$ \{x\}"
