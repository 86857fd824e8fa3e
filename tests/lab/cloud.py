"""The cloud's own services, inside the region's network: moto with a log of what changes and a switch, and instance metadata.

``python -m tests.lab.cloud FOLDER``: the log is ``FOLDER/api.jsonl``; while ``FOLDER/no_spot`` exists no spot is given;
a machine whose address is in ``FOLDER/notices`` is told that it will be taken.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from moto.core import responses
from moto.server import main

METADATA = "169.254.169.254"
CREDENTIALS = {
    "Code": "Success",
    "Type": "AWS-HMAC",
    "LastUpdated": "2020-01-01T00:00:00Z",
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretAccessKey": "secret",
    "Token": "token",
    "Expiration": "2099-01-01T00:00:00Z",
}
NO_CAPACITY = (
    "<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code><Message>We currently do not have sufficient "
    "capacity in the Availability Zone you requested.</Message></Error></Errors><RequestID>lab</RequestID></Response>"
)
ROLE = "/latest/meta-data/iam/security-credentials"
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
_plain = responses.BaseResponse.call_action


def _call_action(self: Any) -> Any:
    """What moto does, written down, with as many machines as EC2 would start."""
    action = self._get_action()
    if self.service_name in ("ec2", "iam") and not action.startswith(("Describe", "List", "Get")):
        asked = {name: value[0] if len(value) == 1 else value for name, value in self.querystring.items()}
        asked.pop("KeyMaterial", None)
        with (FOLDER / "api.jsonl").open("a") as log:
            log.write(json.dumps({"at": time.time(), "action": action, "asked": asked}, default=str) + "\n")
        if action == "RunInstances":
            if "spot" in json.dumps(asked) and (FOLDER / "no_spot").exists():
                return 500, {"Content-Type": "text/xml", "status": 500}, NO_CAPACITY
            self.querystring["MinCount"] = self.querystring["MaxCount"]
    return _plain(self)


class _Metadata(BaseHTTPRequestHandler):
    """Instance metadata (IMDSv2) as far as boto3 and pyarrow ask for it, and spot notices."""

    protocol_version = "HTTP/1.1"

    def _say(self, text: str, code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(text.encode())))
        self.send_header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self) -> None:
        self._say("TOKEN")

    def do_GET(self) -> None:
        path = self.path.rstrip("/")
        notice = FOLDER / "notices" / self.client_address[0]
        answers = {
            ROLE: "xit-ray-node",
            f"{ROLE}/xit-ray-node": json.dumps(CREDENTIALS),
            "/latest/meta-data/placement/region": "us-west-2",
            "/latest/meta-data/placement/availability-zone": "us-west-2a",
        }
        if path == "/latest/meta-data/spot/instance-action" and notice.exists():
            answers[path] = notice.read_text()
        self._say(answers.get(path, ""), 200 if path in answers else 404)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


if __name__ == "__main__":
    responses.BaseResponse.call_action = _call_action
    threading.Thread(target=ThreadingHTTPServer((METADATA, 80), _Metadata).serve_forever, daemon=True).start()
    main(["-H", "0.0.0.0", "-p", "5055"])
