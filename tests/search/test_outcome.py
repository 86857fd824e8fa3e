"""What a search leaves for people and programs: lines of JSON, a message, a report here, elsewhere, and half-way."""

import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.running import run
from tests.search.searching import command, events, ran, search, table, write_space

STAGES = [
    {"mixture": {"grid": [None, {"task": "mini_nli", "examples": 64}]}},
    {"mixture": {"task": "mini_paraphrase", "examples": 96}, "learning_rate": {"grid": [1e-3, 2e-3]}},
]


class _Messages(http.server.BaseHTTPRequestHandler):
    taken: list[dict[str, str]] = []  # noqa: RUF012 - one server, one list

    def do_POST(self) -> None:
        self.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@dataclass(frozen=True)
class Done:
    """A search that has ended, printed as JSON."""

    run: Path
    printed: str
    messages: list[dict[str, str]]


@pytest.fixture(scope="module")
def done(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    folder = tmp_path_factory.mktemp("outcome")
    space = write_space(folder, tiny_encoder, STAGES, zero_shot={"languages": ["en", "de"]}, question="Does it help?")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Messages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"json://127.0.0.1:{server.server_port}/hook"
    # In a process of its own: what Ray says of others' workers would be printed too.
    ended = ran(command(str(space), "--output", str(folder / "runs"), "--json", "--notify", address))
    assert ended.returncode == 0, ended.stderr
    yield Done(folder / "runs/tiny", ended.stdout, _Messages.taken)
    server.shutdown()


def test_every_event_is_a_line_of_json_and_nothing_else_is_printed(done: Done) -> None:
    printed = [json.loads(line) for line in done.printed.splitlines()]
    assert [one["kind"] for one in printed] == [event.kind for event in events(done.run)]


def test_a_message_says_the_answer(done: Done) -> None:
    (message,) = done.messages
    assert message["title"] == "xit_ray: tiny has ended"
    assert message["message"].startswith("mini_paraphrase: ")


def test_an_address_that_nobody_knows_is_refused_before_anything_starts(done: Done, tmp_path: Path) -> None:
    refused = search(str(done.run.parent.parent / "space.yaml"), "--notify", "pigeon://roof", "--output", str(tmp_path))
    assert refused.returncode == 2
    assert "pigeon://…" in refused.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_the_report_of_a_run_that_was_copied_elsewhere_without_its_store(done: Done, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(done.run, copy)
    store, aside = done.run.parent / "store", done.run.parent / "store-aside"
    store.rename(aside)
    try:
        made = run("xit_ray.report", str(copy))
    finally:
        aside.rename(store)
    assert made.returncode == 0, made.stderr
    assert table(copy, "matrix") == table(done.run, "matrix")
    assert "mini_paraphrase: " in made.stdout


def test_the_report_of_a_run_that_has_not_ended_says_so(done: Done, tmp_path: Path) -> None:
    half = tmp_path / "tiny"
    shutil.copytree(done.run, half)
    lines = (half / "events.jsonl").read_text().splitlines(keepends=True)
    ends = [number for number, line in enumerate(lines) if '"kind":"trial_ended"' in line]
    (half / "events.jsonl").write_text("".join(lines[: ends[1] + 1]))
    made = run("xit_ray.report", str(half))
    assert made.returncode == 0, made.stderr
    assert "So far: 2 of 4 trials have ended." in made.stdout
    assert "So far: 2 of 4 trials have ended." in (half / "report.html").read_text()
    state = run("xit_ray.cluster", "status", str(half))
    assert state.returncode == 0, state.stderr
    assert "2 done" in state.stdout
    assert "of 4" in state.stdout


def test_the_report_of_a_run_that_has_just_begun(done: Done, tmp_path: Path) -> None:
    young = tmp_path / "tiny"
    shutil.copytree(done.run, young)
    lines = (young / "events.jsonl").read_text().splitlines(keepends=True)
    begun = next(number for number, line in enumerate(lines) if '"kind":"trial_started"' in line)
    for count, words in ((begun, "No trial has been scored yet"), (begun + 1, "No trial has been scored yet")):
        (young / "events.jsonl").write_text("".join(lines[:count]))
        made = run("xit_ray.report", str(young))
        assert made.returncode == 0, made.stderr
        assert "So far: 0 of 4 trials have ended." in made.stdout
        assert words in (young / "report.html").read_text()


def test_two_runs_are_put_side_by_side(done: Done, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(done.run, tmp_path / name)
    made = run("xit_ray.report", str(tmp_path / "one"), str(tmp_path / "two"))
    assert made.returncode == 0, made.stderr
    assert f"Side by side:  {tmp_path}/one+two.html" in made.stdout
    assert (tmp_path / "one+two.html").read_text().count("<section") == 2


def test_the_journal_says_what_the_search_was_started_with(done: Done) -> None:
    told = next(event.provenance for event in events(done.run) if event.kind == "search_started")
    assert told is not None
    assert told.command.endswith("--json --notify 'json://…'")  # the address itself may be a secret
    assert "cores" in told.machine
    assert set(told.versions) == {"xit_ray", "ray", "torch", "transformers", "mlflow"}
