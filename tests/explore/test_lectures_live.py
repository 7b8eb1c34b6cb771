"""The real lectures, in JupyterLab and as exported pages: every control moves its picture."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_server import serving

from course.explore.site import export

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
LECTURES = sorted((ROOT / "lectures").glob("*.ipynb"))
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}

# How each kind of control is moved, in JupyterLab and on a page: the first selector that fits.
MOVES = {
    ".noUi-handle, input[type=range]": "slide",
    "select": "choose",
    ".widget-toggle-button:not(.mod-active), input[type=radio]:not(:checked)": "click",
    "input[type=checkbox]": "click",
    "button": "play",
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("site")
    return {Path(page).stem: Path(page) for page in export(LECTURES, folder)}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab on the lectures; it keeps every cell in the page, so that all can be looked at."""
    folder = tmp_path_factory.mktemp("lab")
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
    shutil.copytree(ROOT / "lectures", folder / "lectures")  # JupyterLab saves what it runs
    with serving(folder, f"--ServerApp.root_dir={folder}", cwd=ROOT) as address:
        yield f"{address}/lab/tree/lectures"


def move(control: Any) -> str | None:
    """Move one control a little; how it was done, or None if it holds nothing to move."""
    for selector, how in MOVES.items():
        inner = control.locator(selector)
        if not inner.count():
            continue
        first = inner.first
        if how == "slide":
            now, most = first.evaluate(
                "e => [+(e.getAttribute('aria-valuenow') ?? e.value),"
                " +(e.getAttribute('aria-valuemax') ?? e.max)]"
            )
            first.focus()
            first.press("ArrowLeft" if now >= most else "ArrowRight")
        elif how == "choose":
            first.select_option(index=(first.evaluate("e => e.selectedIndex") + 1) % 2)
        else:
            first.click()
        return how
    return None


def check_every_control(page: Any) -> int:
    """Move every control of every figure; the number of controls that moved their picture."""
    moved = 0
    for figure in page.locator(".explore-box").all():
        title = figure.locator(".explore").get_attribute("aria-label")
        figure.scroll_into_view_if_needed()
        for i in range(figure.locator(".explore-controls > *").count()):
            control = figure.locator(".explore-controls > *").nth(i)
            if not control.is_visible():
                continue
            before = figure.locator(".explore-picture").inner_html()
            how = move(control)
            if how is None:
                continue
            name = control.inner_text().strip() or how
            changed = "([e, before]) => e.innerHTML !== before"
            picture = figure.locator(".explore-picture").element_handle()
            try:
                page.wait_for_function(changed, arg=[picture, before], timeout=8000)
            except Exception:
                pytest.fail(f"{title}: {name!r} did not change the picture")
            if how == "play":
                control.locator("button").first.click()
            moved += 1
    return moved


@pytest.mark.parametrize("name", [p.stem for p in LECTURES])
def test_on_the_page_every_control_moves_its_picture(
    page: Any, pages: dict[str, Path], name: str
) -> None:
    page.goto(pages[name].as_uri())
    page.locator(".explore svg").first.wait_for()
    assert check_every_control(page) >= 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [p.stem for p in LECTURES])
def test_the_page_has_no_accessibility_violation(
    page: Any, pages: dict[str, Path], axe: str, name: str, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(pages[name].as_uri())
    page.locator(".explore svg").first.wait_for()
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]
    assert [(v["id"], [n["html"][:80] for n in v["nodes"]][:3]) for v in found] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [p.stem for p in LECTURES])
def test_in_jupyterlab_the_lecture_runs_and_every_control_moves_its_picture(
    page: Any, lab: str, name: str
) -> None:
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.goto(f"{lab}/{name}.ipynb?reset", wait_until="domcontentloaded")
    page.wait_for_function(
        "() => !!window.jupyterapp && document.body.innerText.includes('(ipykernel) | Idle')",
        timeout=60_000,
    )
    page.evaluate(
        "() => { window.ran = null; jupyterapp.commands.execute('notebook:run-all-cells')"
        ".then(() => { window.ran = true }, e => { window.ran = String(e) }) }"
    )
    page.wait_for_function("() => window.ran !== null", timeout=120_000)
    errors = page.locator("[data-mime-type*='jupyter.error'], [data-mime-type*='jupyter.stderr']")
    assert errors.all_inner_texts() == []
    assert check_every_control(page) >= 10
