"""The report in a browser: what is seen first, by whom, and on which screen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browsing import browser, complaints, needs_browser
from tests.report.making import summary
from xit_ray.report.figures import draw
from xit_ray.report.page import render

pytestmark = [needs_browser, pytest.mark.slow]
SCREENS = [(1400, 900), (390, 844)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of ten intermediates, seven targets and forty languages."""
    file = tmp_path_factory.mktemp("page") / "report.html"
    shown = summary()
    file.write_text(render([(shown, draw(shown))]), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two small runs, side by side."""
    file = tmp_path_factory.mktemp("page") / "both.html"
    shown = [replace(summary(rows=3, targets=2, languages=4, seed=seed), name=f"run-{seed}") for seed in (1, 2)]
    file.write_text(render([(one, draw(one)) for one in shown]), encoding="utf-8")
    return file


def opened(
    chromium: Browser, file: Path, screen: tuple[int, int] = SCREENS[0], scheme: str = "light"
) -> tuple[Page, list[str]]:
    """A page, and what it complains of on the console or asks the network for."""
    page = chromium.new_page(viewport={"width": screen[0], "height": screen[1]}, color_scheme=scheme)  # type: ignore[arg-type]
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    page.goto(file.as_uri())
    return page, said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_the_answers_and_the_map_are_on_the_first_screen(
    chromium: Browser, large: Path, screen: tuple[int, int], scheme: str
) -> None:
    page, said = opened(chromium, large, screen, scheme)
    bounds = page.locator("table.map").first.bounding_box()
    assert bounds is not None
    assert bounds["y"] + bounds["height"] <= screen[1]
    assert bounds["x"] + bounds["width"] <= screen[0]
    answers = page.locator(".answers li")
    assert answers.count() == 7
    assert all(answer.is_visible() for answer in answers.all())
    assert (
        page.evaluate("document.documentElement.scrollWidth") <= screen[0]
    )  # nothing wider than the screen but in frames
    assert complaints(page) == []
    assert said == []


def test_a_cell_without_a_verdict_is_hollow_and_says_its_interval(chromium: Browser, large: Path) -> None:
    page, _ = opened(chromium, large)
    hollow, filled = page.locator("td.hollow").first, page.locator("td.up:not(.hollow)").first
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    colour = "element => getComputedStyle(element).backgroundColor"
    assert hollow.evaluate(colour) == ground
    assert filled.evaluate(colour) != ground
    assert "[-" in str(hollow.get_attribute("title"))


def test_figures_are_seen_in_light_and_dark(chromium: Browser, large: Path) -> None:
    for scheme in ("light", "dark"):
        page, _ = opened(chromium, large, scheme=scheme)
        images = page.locator("figure img")
        assert images.count() == 4
        sources = [image.evaluate("element => [element.currentSrc, element.naturalWidth]") for image in images.all()]
        assert all(width > 300 for _, width in sources)
        if scheme == "light":
            before = sources
    assert all(one[0] != other[0] for one, other in zip(before, sources, strict=True))


def test_runs_side_by_side(chromium: Browser, several: Path) -> None:
    page, said = opened(chromium, several)
    boxes = [section.bounding_box() for section in page.locator(".runs section").all()]
    assert len(boxes) == 2
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    assert complaints(page) == []
    assert said == []
