"""An editor's language server completes and checks a space by the schema: yaml-language-server, spoken to as editors do."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xit_ray.spec.schema import space_schema

SERVER = shutil.which("yaml-language-server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="needs npm's yaml-language-server")
TEXT = """\
# yaml-language-server: $schema=xit_ray.schema.json
name: mine
recipe:
  stages:
    - mixture: mini_nli
      learning_rat: 1.0e-5
search:
  seed: 0
  tri
"""


class Editor:
    """The client's side of the language server protocol, over pipes."""

    def __init__(self, folder: Path) -> None:
        assert SERVER is not None
        self.process = subprocess.Popen([SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 0
        self.heard: list[dict[str, Any]] = []
        self.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
        self.tell("initialized", {})

    def tell(self, method: str, params: Any, **more: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params, **more})

    def ask(self, method: str, params: Any) -> Any:
        self.number += 1
        self.tell(method, params, id=self.number)
        return self.hear(lambda message: message.get("id") == self.number and "method" not in message)["result"]

    def hear(self, wanted: Any) -> dict[str, Any]:
        """The next message of some sort; what the server asks meanwhile is answered with nothing."""
        while True:
            message = self._receive()
            if "method" in message and "id" in message:
                settings = [None] * len((message["params"] or {}).get("items", []))
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": settings})
            if wanted(message):
                return message

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert length, "the server has ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Editor]:
    (tmp_path / "xit_ray.schema.json").write_text(json.dumps(space_schema()))
    made = Editor(tmp_path)
    yield made
    made.process.kill()


def completions(editor: Editor, uri: str, line: int, character: int) -> set[str]:
    place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
    found = editor.ask("textDocument/completion", place)
    return {item["label"] for item in (found["items"] if isinstance(found, dict) else found)}


@pytest.mark.slow
def test_it_completes_keys_and_marks_those_that_are_none(editor: Editor, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(TEXT)
    about = {"uri": file.as_uri(), "languageId": "yaml", "version": 1, "text": TEXT}
    editor.tell("textDocument/didOpen", {"textDocument": about})
    told = editor.hear(lambda message: message.get("method") == "textDocument/publishDiagnostics")
    assert any("learning_rat" in problem["message"] for problem in told["params"]["diagnostics"]), told
    lines = TEXT.splitlines()
    in_stage = completions(editor, file.as_uri(), lines.index("      learning_rat: 1.0e-5"), 6)
    assert {"epochs", "batch_size", "seed"} <= in_stage
    in_search = completions(editor, file.as_uri(), lines.index("  tri"), 5)
    assert "trials" in in_search
