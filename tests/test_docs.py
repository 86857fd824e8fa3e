"""What README and docs say to type exists: every command with its options, every example of a search space.

What the commands do is asserted where they live: ``tests/data``, ``tests/plan``, ``tests/report``, ``tests/stages``,
``tests/search``, ``tests/test_benchmarks.py``.
"""

import argparse
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from xit_ray import cli
from xit_ray.spec.load import load_space
from xit_ray.spec.points import listed_recipes

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"```.*?```|^ {4}\S[^\n]*|`[^`]+`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(
    r"^[ `]*(?:XIT_DATA=\S+ )?((?:python -m (?:xit_ray|benchmarks)\.|xit |make [a-z]+`?$)[^`#\n]*)", re.MULTILINE
)


def _commands() -> list[str]:
    """Commands in code, in the order of the pages, each once."""
    code = [piece for page in PAGES for piece in CODE.findall(page.read_text("utf-8"))]
    return list(dict.fromkeys(found.strip("` ") for piece in code for found in COMMAND.findall(piece)))


def _with(program: str) -> list[str]:
    return [command for command in _commands() if command.startswith(program)]


def test_there_are_commands() -> None:
    assert len(_commands()) > 40


@pytest.mark.parametrize("command", _with("python -m xit_ray.") + _with("xit "))
def test_a_command_and_its_options_exist(command: str) -> None:
    words = shlex.split(command.removeprefix("python -m xit_ray.").removeprefix("xit "))
    assert words[0] in cli.COMMANDS, f"{command}: allowed: {', '.join(cli.COMMANDS)}"
    parsed = cli.command(words.pop(0))
    while hasattr(parsed, "commands") and words:
        assert words[0] in parsed.commands, f"{command}: allowed: {', '.join(parsed.commands)}"
        parsed = parsed.commands[words.pop(0)]
    if words:  # `xit plan` alone is a command's name
        parsed.make_context(parsed.name, words)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_command_is_what_the_list_of_commands_says(name: str) -> None:
    command, listed = cli.command(name), cli.COMMANDS[name][1]
    assert hasattr(command, "commands") or listed == str(command.help).splitlines()[0]


def test_help_imports_nothing_that_takes_seconds() -> None:
    slow = ("torch", "mlflow", "ray", "pandas", "pyarrow", "scipy")
    code = f"import sys, xit_ray.cli, xit_ray.search.__main__; print([name for name in {slow} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert printed == "[]\n"


@pytest.mark.parametrize("command", _with("python -m benchmarks."))
def test_a_benchmark_and_its_options_exist(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, *arguments = shlex.split(command.removeprefix("python -m "))
    if name == "benchmarks.NAME":
        return
    parse = argparse.ArgumentParser.parse_args

    class Parsed(Exception):  # noqa: N818 - it ends the benchmark before its work
        pass

    def parse_and_end(parser: argparse.ArgumentParser) -> None:
        parse(parser, arguments)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_end)
    with pytest.raises(Parsed):
        importlib.import_module(name).main()


@pytest.mark.parametrize("target", [command.removeprefix("make ").split()[0] for command in _with("make ")])
def test_a_make_target_exists(target: str) -> None:
    made = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr


def test_the_readmes_question_is_a_search_space(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    spaces = [block for block in blocks if "recipe" in yaml.safe_load(block)]
    assert spaces
    for block in spaces:
        (tmp_path / "my_question.yaml").write_text(block)
        space = load_space(tmp_path / "my_question.yaml")
        assert space.name == "my_question"
        assert len(list(listed_recipes(space))) == 8


def test_every_file_that_a_page_links_to_is_there() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_benchmark_is_run_by_a_test() -> None:
    tests = "".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    parts = {"__init__", "report", "checkout", "mutations", "searches", "servers", "trainer"}
    for file in sorted((ROOT / "benchmarks").glob("*.py")):
        called = (f'result("{file.stem}"', f'"benchmarks.{file.stem}"')
        assert file.stem in parts or any(call in tests for call in called), file.name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["data", "export", "plan", "report", "search", "spec", "stages", "track"])
def test_every_command_has_a_help(name: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"xit_ray.{name}", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert ended.returncode == 0
    assert "Usage" in ended.stdout
