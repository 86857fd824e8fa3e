"""What a cloud's metadata says of a machine that will be taken, over HTTP as it says it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.lab.region import until
from xit_ray.search import notices


class Metadata(BaseHTTPRequestHandler):
    """EC2's metadata as IMDSv2 has it, and Compute Engine's."""

    taken = False

    def _say(self, text: str, code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self) -> None:
        asked = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self._say("a token" if asked else "", 200 if asked else 403)

    def do_GET(self) -> None:
        if self.path == "/gcp" and self.headers["Metadata-Flavor"] == "Google":
            self._say("TRUE" if self.taken else "FALSE")
        elif self.headers["X-aws-ec2-metadata-token"] != "a token":
            self._say("", 401)
        elif self.path == "/latest/meta-data/spot/instance-action" and self.taken:
            self._say('{"action": "terminate", "time": "2026-01-01T00:00:00Z"}')
        else:
            self._say("", 404)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Metadata]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(notices, "AWS", f"{address}/latest")
    monkeypatch.setattr(notices, "GCP", f"{address}/gcp")
    monkeypatch.setattr(notices, "LOOK_SECONDS", 0.05)
    Metadata.taken = False
    yield Metadata
    server.shutdown()


@pytest.mark.parametrize("cloud", [notices.aws_notice, notices.gcp_notice])
def test_a_notice_is_seen_when_it_comes(metadata: type[Metadata], cloud: Any) -> None:
    leaving = threading.Event()
    notices.watch(leaving, (cloud,))
    assert not leaving.wait(0.5)
    metadata.taken = True
    assert leaving.wait(5)


def test_where_no_cloud_answers_nobody_goes_on_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(notices, "AWS", "http://127.0.0.1:9/latest")  # nobody listens there
    leaving = threading.Event()
    notices.watch(leaving, (notices.aws_notice,))
    until(lambda: not [one for one in threading.enumerate() if one.name == "notices"], 10)
    assert not leaving.is_set()
