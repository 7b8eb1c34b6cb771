"""Exported pages: live from a file, without a kernel and without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import pytest

from benchmarks.page_weight import figures
from course.explore import Explorable, figure, panel, site, text, toggle
from course.explore.site_widgets import shown

ROOT = Path(__file__).parents[2]
EXPORT = (
    "import sys; from pathlib import Path; from course.explore.site import export;"
    "export([Path(sys.argv[1])], Path(sys.argv[2]))"
)


@pytest.fixture(scope="module")
def folder(notebook: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    # A process of its own: the browser's event loop runs in this one.
    run = subprocess.run(
        [sys.executable, "-c", EXPORT, str(notebook), str(target)],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=150, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return target


@pytest.fixture
def lecture(folder: Path, page: Any) -> Any:
    page.goto((folder / "lecture.html").as_uri())
    page.wait_for_function(
        "() => [...document.querySelectorAll('.explore')].filter((e) => e.dataset.drawn).length === 3"
    )
    return page


def picture(page: Any, which: int = 0) -> str:
    return page.locator(".explore-picture").nth(which).inner_html()


def changes(page: Any, act: Any, which: int = 0) -> None:
    before = picture(page, which)
    act()
    page.wait_for_function(
        "([old, i]) => document.querySelectorAll('.explore-picture')[i].innerHTML !== old",
        arg=[before, which],
    )


@pytest.mark.browser
def test_every_control_moves_its_picture_by_keyboard(lecture: Any) -> None:
    box = lecture.locator(".explore-box").first
    sliders = box.get_by_role("slider")
    assert sliders.count() == 4
    for i in range(4):
        sliders.nth(i).focus()
        changes(lecture, lambda: lecture.keyboard.press("ArrowRight"))
    box.get_by_role("radio", name="sigmoid").focus()
    changes(lecture, lambda: lecture.keyboard.press("ArrowRight"))
    box.get_by_role("checkbox").focus()
    changes(lecture, lambda: lecture.keyboard.press("Space"))
    box.get_by_role("button", name="Play").focus()
    changes(lecture, lambda: lecture.keyboard.press("Enter"))


@pytest.mark.browser
def test_sliders_follow_presets_and_reset(lecture: Any) -> None:
    slider = lecture.get_by_role("slider", name="weight w₁").first
    assert slider.input_value() == "-2"
    lecture.get_by_role("button", name="upright").click()
    assert slider.input_value() == "1"
    lecture.get_by_role("button", name="Reset").first.click()
    assert slider.input_value() == "1.5"
    lecture.wait_for_function(
        "() => document.querySelector('.explore-words').textContent.startsWith('Weights 1.5 and 1:')"
    )


@pytest.mark.browser
def test_figures_of_the_kernel_move_through_their_frames(lecture: Any) -> None:
    many = lecture.get_by_role("slider", name="how many")
    many.focus()
    changes(lecture, lambda: lecture.keyboard.press("End"), which=1)
    assert "12 of everything" in lecture.locator(".explore-words").nth(1).inner_text()
    training = lecture.locator(".explore-box").nth(2).get_by_role("slider")
    training.focus()
    changes(lecture, lambda: lecture.keyboard.press("Home"), which=2)
    assert "After 40 epochs with η = 0.01 " in lecture.locator(".explore-words").nth(2).inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_no_accessibility_violation(lecture: Any, axe: str, scheme: str) -> None:
    lecture.emulate_media(color_scheme=scheme)
    lecture.evaluate(axe)
    found = lecture.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}).then((r) =>"
        " r.violations.map((v) => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]))"
    )
    assert found == []


@pytest.mark.browser
def test_the_page_follows_the_colour_scheme(lecture: Any) -> None:
    seen = set()
    for scheme in ("light", "dark"):
        lecture.emulate_media(color_scheme=scheme)
        seen.add(lecture.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert seen == {"rgb(255, 255, 255)", "rgb(17, 17, 17)"}


@pytest.mark.browser
def test_formulas_are_typeset_and_prose_is_kept(lecture: Any) -> None:
    assert lecture.locator("math").count() == 3
    assert lecture.locator("math[display=block] mtr").count() == 2
    assert lecture.title() == "A lecture"
    assert lecture.locator("details a").get_attribute("href") == "next.html"
    assert "$" not in lecture.locator("main > p").first.inner_text()


@pytest.mark.browser
def test_a_thousand_steps_add_no_elements(lecture: Any) -> None:
    grown = lecture.evaluate("""async () => {
      const slider = document.querySelector("input[type=range]");
      const move = async (value) => {
        slider.value = value;
        slider.dispatchEvent(new Event("input"));
        await new Promise((done) => setTimeout(done, 1));
      };
      for (let i = 0; i < 20; i += 1) await move(-3 + 0.1 * i);
      await new Promise((done) => setTimeout(done, 800));
      const before = document.querySelectorAll("*").length;
      for (let i = 0; i < 1000; i += 1) await move(-3 + 0.1 * (i % 60));
      await move(-1.1);
      await new Promise((done) => setTimeout(done, 800));
      return document.querySelectorAll("*").length - before;
    }""")
    assert grown == 0


def test_a_page_asks_for_nothing_and_is_not_allowed_to(folder: Path) -> None:
    text = (folder / "lecture.html").read_text()
    assert "Content-Security-Policy" in text
    addresses = set(re.findall(r"""(?:src|href)=["']?(https?:[^"' >]+)""", text))
    assert not addresses


def test_a_figure_takes_at_most_15_kilobytes_and_its_still_picture_8(folder: Path) -> None:
    text = (folder / "lecture.html").read_text()
    found = {title: (live, still) for title, live, _, still in figures(text)}
    live, still = found["Logistic unit"]
    assert 3_000 < live <= 15_000
    assert 3_000 < still <= 8_000 * 4 / 3 + 200


def test_the_still_picture_has_the_words_as_alt_text(folder: Path) -> None:
    text = (folder / "lecture.html").read_text()
    assert re.search(r'<noscript><img alt="Weights 1.5 and 1: \d+ of 60', text)


def test_the_index_lists_the_lecture(folder: Path) -> None:
    assert '<a href="lecture.html">A lecture</a>' in (folder / "index.html").read_text()


def test_a_notebook_that_fails_is_named_with_its_error(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), wrong)
    run = subprocess.run(
        [sys.executable, "-c", EXPORT, str(wrong), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "wrong.ipynb: ZeroDivisionError: division by zero" in run.stderr.splitlines()[-1]


class Alone(Explorable):
    """Computed by the kernel, without frames."""

    a = toggle(label="a")

    def scene(self, a: bool) -> dict:
        return figure(panel(text(0, 0, str(a))), words=f"It is {a}.")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ipywidgets.Text(), "cannot show the widget TextModel"),
        (lambda: Alone().box, "'Alone' is computed by the kernel: declare"),
    ],
)
def test_what_a_page_cannot_show_is_refused(make: Any, message: str) -> None:
    widget = make()
    models = ipywidgets.Widget.get_manager_state(drop_defaults=False)["state"]
    with pytest.raises(ValueError, match=message):
        shown(models, [widget.model_id])


def test_a_page_cannot_break_out_of_its_script() -> None:
    title, text = site.page(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# <b>x</b> & y")]), "n"
    )
    assert title == "<b>x</b> & y"
    assert "<title>&lt;b&gt;x&lt;/b&gt; &amp; y</title>" in text
