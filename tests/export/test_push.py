"""A model folder sent to a server that speaks the hub's protocol, as huggingface_hub speaks it."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from xit_ray.export.push import push
from xit_ray.spec.errors import UserError


class Hub(BaseHTTPRequestHandler):
    """Takes new repositories and commits of plain files, from who has the token."""

    protocol_version = "HTTP/1.1"
    repositories: ClassVar[dict[str, dict[str, bytes]]] = {}

    def _say(self, content: Any, code: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        if code == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != "Bearer hf_right":
            self._say({"error": "Invalid user token."}, 401)
        elif self.path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
            self.repositories.setdefault(name, {})
            self._say({"url": f"http://{self.headers['Host']}/{name}", "name": name})
        elif found := re.match(r"/api/models/([^/]+/[^/]+)/preupload/main", self.path):
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in json.loads(body)["files"]
            ]
            self._say({"files": files})
        elif found := re.match(r"/api/models/([^/]+/[^/]+)/commit/main", self.path):
            for line in body.splitlines():
                change = json.loads(line)
                if change["key"] == "file":
                    self.repositories[found[1]][change["value"]["path"]] = base64.b64decode(change["value"]["content"])
            url = f"http://{self.headers['Host']}/{found[1]}/commit/{'0' * 40}"
            self._say({"commitUrl": url, "commitOid": "0" * 40, "success": True})
        elif self.path == "/api/validate-yaml":
            self._say({"errors": [], "warnings": []})
        else:
            self._say({"error": self.path}, 404)

    def do_GET(self) -> None:
        name = self.path.removeprefix("/api/models/").partition("/revision")[0]
        if name in self.repositories:
            self._say({"siblings": [], "id": name, "sha": "0" * 40})
        else:
            self._say({"error": "Repository not found"}, 404)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", address)
    Hub.repositories.clear()
    yield address
    server.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "2_Dense").mkdir(parents=True)
    (made / "README.md").write_text("---\nlibrary_name: sentence-transformers\n---\n# A model\n")
    (made / "model.safetensors").write_bytes(bytes(range(256)))
    (made / "2_Dense/config.json").write_text("{}")
    return made


def test_every_file_arrives(hub: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert push(folder, "somebody/model") == f"{hub}/somebody/model"
    arrived = Hub.repositories["somebody/model"]
    here = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert arrived == here


def test_what_the_hub_refuses_is_told(hub: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(UserError, match=r"--push somebody/model: the hub refuses: .*401"):
        push(folder, "somebody/model")
    with pytest.raises(UserError, match="allowed: OWNER/NAME"):
        push(folder, "model")
    assert Hub.repositories == {}


def test_without_a_token_nothing_is_asked(
    hub: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(UserError, match="there is no token of the hub"):
        push(folder, "somebody/model")
