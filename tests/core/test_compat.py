"""What is private in torch, transformers and Ray is touched in one module each, and each symbol is there."""

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from xit_ray.core import compat
from xit_ray.search import compat as search_compat

ROOT = Path(__file__).parent.parent.parent
SYMBOLS = compat.SYMBOLS | search_compat.SYMBOLS
LIBRARIES = ("torch", "transformers", "ray")


def resolve(symbol: str) -> Any:
    """The object of a dotted name, part of which are modules."""
    parts = symbol.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for name in parts[count:]:
            found = getattr(found, name)
        return found
    raise ImportError(symbol)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_private_symbol_is_there_and_has_a_reason(symbol: str) -> None:
    assert resolve(symbol) is not None
    assert SYMBOLS[symbol]


def _private(file: Path) -> set[str]:
    """Private names of the libraries that a file imports, or reaches through a module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES:
            path = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            names |= {f"{node.module}.{part}" for part in path if part.startswith("_")}
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            text = ast.unparse(node)
            if text.split(".")[0] in LIBRARIES or "_supports_" in node.attr:
                names.add(text)
    return names


def test_no_other_module_touches_what_is_private() -> None:
    touched = {str(file.relative_to(ROOT)): _private(file) for file in (ROOT / "xit_ray").rglob("*.py")}
    files = {file for file, names in touched.items() if names}
    assert files <= {"xit_ray/core/compat.py", "xit_ray/search/compat.py"}, {f: touched[f] for f in files}


def test_without_the_private_symbols_of_torch_the_same_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [[torch.ones(3), torch.zeros(2)], [torch.full((3,), 2.0), torch.ones(2)]]
    monkeypatch.delattr(torch, "_foreach_add_")
    monkeypatch.delattr(torch, "_foreach_copy_")
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")
    compat.add_each(*pairs)
    assert [one.tolist() for one in pairs[0]] == [[3.0] * 3, [1.0] * 2]
    compat.copy_each(*pairs)
    assert [one.tolist() for one in pairs[0]] == [[2.0] * 3, [1.0] * 2]
    assert compat.multiplies_in_bfloat16() is False


@pytest.mark.skipif(not compat.can_prepare_weights(), reason="no prepared weights on this machine")
def test_prepared_layers_compute_what_the_layers_do() -> None:
    torch.manual_seed(0)
    layer, hidden = nn.Linear(64, 48).bfloat16(), torch.randn(100, 64).bfloat16()
    with torch.no_grad():
        plain = layer(hidden).float()
        torch.testing.assert_close(
            compat.prepared_linear(layer, 100, gelu=False)(hidden).float(), plain, atol=2e-2, rtol=2e-2
        )
        prepared = compat.prepared_linear(layer, 100, gelu=True)(hidden).float()
        torch.testing.assert_close(prepared, nn.functional.gelu(plain), atol=2e-2, rtol=2e-2)
