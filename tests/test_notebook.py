"""The notebook of first steps, run from its first cell to its last."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path) -> None:
    book = nbformat.read(ROOT / "docs/first_steps.ipynb", as_version=4)
    client = NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    outputs = {place: cell.outputs for place, cell in enumerate(book.cells) if cell.cell_type == "code"}
    shown = "".join(str(output.get("data", output)) for several in outputs.values() for output in several)
    assert "mini_nli#400" in shown
    assert "image/png" in shown  # the matrix as a figure
    assert "'same'" in shown or "'different'" in shown
    assert (tmp_path / "first_steps_model/xit_ray.json").is_file()
    said = [output["text"] for several in outputs.values() for output in several if output.output_type == "stream"]
    assert not [text for text in said if "ray" in text.lower().replace("xit_ray", "")], said
