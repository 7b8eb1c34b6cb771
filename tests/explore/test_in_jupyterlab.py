"""Explorables in a real JupyterLab, driven by keyboard: slider, picture and kernel move together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_server import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
FIRST = ".explore-box >> nth=0"


@pytest.fixture(scope="module")
def lab(notebook: Path) -> Iterator[str]:
    folder = notebook.parent
    with serving(folder, f"--ServerApp.root_dir={folder}", cwd=ROOT) as address:
        yield f"{address}/lab/tree/{notebook.name}?reset"


@pytest.fixture(scope="module")
def opened(lab: str, chromium: Any) -> Iterator[Any]:
    """The notebook, run from top to bottom; one for all tests of this file."""
    context = chromium.new_context(viewport={"width": 1300, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(lab, wait_until="domcontentloaded")
    page.wait_for_function(
        "() => !!window.jupyterapp && document.body.innerText.includes('(ipykernel) | Idle')"
    )
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function("() => document.querySelectorAll('.explore svg').length >= 8")
    page.wait_for_function("() => document.body.innerText.includes('After 40 epochs')")
    yield page
    context.close()


def words(page: Any, which: int = 0) -> str:
    return page.locator(".explore-words").nth(which).inner_text()


def wait_for_words(page: Any, part: str, which: int = 0) -> None:
    page.wait_for_function(
        "([part, i]) => document.querySelectorAll('.explore-words')[i].textContent.includes(part)",
        arg=[part, which],
    )


def handle(page: Any, name: str) -> Any:
    return page.get_by_role("slider", name=name, exact=True).first


def test_what_a_script_sets_moves_slider_and_picture(opened: Any) -> None:
    wait_for_words(opened, "Weights −2 and 1")
    assert float(handle(opened, "weight w₁").get_attribute("aria-valuenow")) == pytest.approx(-2)


def test_arrow_keys_move_slider_picture_and_kernel(opened: Any) -> None:
    before = opened.locator(".explore svg").first.inner_html()
    handle(opened, "weight w₁").focus()
    for _ in range(5):
        opened.keyboard.press("ArrowRight")
    wait_for_words(opened, "Weights −1.5 and 1")
    assert opened.locator(".explore svg").first.inner_html() != before
    cell = opened.locator(".jp-CodeCell").nth(3)
    cell.locator(".cm-content").click()
    opened.keyboard.press("Control+Enter")
    opened.wait_for_function("() => document.body.innerText.includes('w1 is -1.5')")


def test_a_logarithmic_slider_moves_by_factors(opened: Any) -> None:
    curve = opened.locator(".explore svg").nth(1)
    before = curve.inner_html()
    handle(opened, "scale k").focus()
    opened.keyboard.press("ArrowRight")
    opened.wait_for_function(
        "old => document.querySelectorAll('.explore svg')[1].innerHTML !== old", arg=before
    )
    assert handle(opened, "scale k").get_attribute("aria-valuetext") is not None


def test_buttons_checkbox_and_play_move_the_picture(opened: Any) -> None:
    box = opened.locator(FIRST)
    for press in (
        lambda: box.get_by_role("button", name="linear").click(),
        lambda: box.get_by_label("show the surface").click(),
        lambda: box.locator(".jupyter-widgets.widget-play button").first.click(),
    ):
        before = box.locator(".explore-picture").inner_html()
        press()
        opened.wait_for_function(
            "old => document.querySelector('.explore-picture').innerHTML !== old", arg=before
        )
    box.locator(".jupyter-widgets.widget-play button").first.click()


def test_preset_and_reset_work_by_keyboard_and_move_the_sliders(opened: Any) -> None:
    flat = opened.locator(FIRST).get_by_role("button", name="flat")
    flat.focus()
    opened.keyboard.press("Enter")
    wait_for_words(opened, "Weights 0 and 1")
    opened.wait_for_function(
        "() => Number(document.querySelector('.noUi-handle').getAttribute('aria-valuenow')) === 0"
    )
    opened.locator(FIRST).get_by_role("button", name="Reset").focus()
    opened.keyboard.press("Space")
    wait_for_words(opened, "Weights 1.5 and 1")


def test_the_state_is_said_to_a_screen_reader_after_it_changed(opened: Any) -> None:
    handle(opened, "weight w₂").focus()
    opened.keyboard.press("ArrowLeft")
    wait_for_words(opened, "Weights 1.5 and 0.9")
    opened.wait_for_function(
        "() => document.querySelector('.explore [role=status]').textContent.includes('and 0.9')"
    )
    named = opened.locator(".explore svg[role=img]").first.get_attribute("aria-label")
    assert "Weights 1.5 and 0.9" in named


def test_the_kernel_computes_where_there_is_no_twin(opened: Any) -> None:
    handle(opened, "how many").focus()
    opened.keyboard.press("ArrowRight")
    wait_for_words(opened, "6 of everything", which=1)
    opened.locator(".explore-box").nth(2).get_by_role("slider").first.focus()
    opened.keyboard.press("ArrowRight")
    wait_for_words(opened, "After 40 epochs with η = 0.1047", which=2)


def test_two_hundred_steps_add_no_elements(opened: Any) -> None:
    count = "() => document.querySelectorAll('.explore-box *').length"
    handle(opened, "weight w₁").focus()
    opened.keyboard.press("ArrowLeft")
    opened.wait_for_timeout(800)  # the live region is written once
    before = opened.evaluate(count)
    for key in ["ArrowLeft"] * 10 + ["ArrowRight"] * 10:
        for _ in range(10):
            opened.keyboard.press(key)
    opened.wait_for_timeout(300)
    assert abs(opened.evaluate(count) - before) <= 2


def test_the_figures_have_no_accessibility_violation(opened: Any, axe: str) -> None:
    opened.evaluate(axe)
    rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}"
    found = opened.evaluate(
        f"axe.run('.explore-box', {rules}).then((r) => r.violations.map((v) =>"
        " [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]))"
    )
    assert found == []
