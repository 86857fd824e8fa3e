"""Notices that a machine will be taken: what its cloud tells the machine itself, minutes or half a minute before."""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable

AWS = "http://169.254.169.254/latest"
GCP = "http://metadata.google.internal/computeMetadata/v1/instance/preempted"
LOOK_SECONDS = 5.0
ANSWER_SECONDS = 1.0
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy knows this machine's metadata
TRIES = 3
"""A cloud whose metadata does not answer so often in a row is not this machine's."""


def aws_notice() -> bool:
    """Whether EC2 will stop or terminate this spot instance: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/
    spot-instance-termination-notices.html; two minutes before, as a rule.

    Raises:
        OSError: this is no EC2 instance.
    """
    token = _answer(f"{AWS}/api/token", "PUT", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    try:
        notice = _answer(f"{AWS}/meta-data/spot/instance-action", "GET", {"X-aws-ec2-metadata-token": token})
        return '"action"' in notice
    except urllib.error.HTTPError as error:
        if error.code == 404:  # there is no notice
            return False
        raise


def gcp_notice() -> bool:
    """Whether Compute Engine is taking this spot machine: https://cloud.google.com/compute/docs/instances/
    create-use-preemptible#detecting_if_an_instance_was_preempted; half a minute before, as a rule.

    Raises:
        OSError: this is no machine of Compute Engine.
    """
    return _answer(GCP, "GET", {"Metadata-Flavor": "Google"}) == "TRUE"


def _answer(address: str, method: str, headers: dict[str, str]) -> str:
    request = urllib.request.Request(address, method=method, headers=headers)
    with _DIRECTLY.open(request, timeout=ANSWER_SECONDS) as answer:
        return str(answer.read().decode())


def watch(leaving: threading.Event, clouds: tuple[Callable[[], bool], ...] = (aws_notice, gcp_notice)) -> None:
    """Look for a notice in the background, as long as this process lives; set the event when there is one."""
    for cloud in clouds:
        threading.Thread(target=_watch, args=(cloud, leaving), name="notices", daemon=True).start()


def _watch(cloud: Callable[[], bool], leaving: threading.Event) -> None:
    silent = 0
    while silent < TRIES and not leaving.is_set():
        try:
            if cloud():
                leaving.set()
            silent = 0
        except OSError:
            silent += 1
        leaving.wait(LOOK_SECONDS)
