"""The formgrader in a real browser, from Generate over marking by hand to the student's page."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_course import NAME, hand_in, released, solved

from course.grading.hostile import HOSTILE, SCRIPT

pytestmark = [pytest.mark.browser, pytest.mark.sandbox, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def formgrader(tiny: Path) -> Iterator[tuple[Path, str]]:
    """A course being served, and the address of its formgrader."""
    shutil.copyfile(ROOT / "nbgrader_config.py", tiny / "nbgrader_config.py")
    log = tiny.parent / "log"
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--port=0", "--allow-root"]
    command.append("--IdentityProvider.token=")  # the formgrader's calls carry no token
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=tiny, stdout=output, stderr=subprocess.STDOUT)
    try:
        started = time.monotonic()
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() - started < 60, log.read_text()
            time.sleep(0.1)
        time.sleep(0.5)  # it names its address just before it listens
        yield tiny, f"{found[0]}/formgrader/manage_submissions/{NAME}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    page = chromium.new_page(viewport={"width": 1200, "height": 800})
    page.set_default_timeout(30_000)
    yield page
    page.close()


def confirmed(page: Any, click: Any) -> str:
    """Press a button of the formgrader, wait for its answer, close it; what it said."""
    click.click()
    page.locator(".modal.in .modal-footer button").first.wait_for()
    said = page.locator(".modal.in").inner_text()
    page.locator(".modal.in .modal-footer button").first.click()
    page.locator(".modal.in").wait_for(state="hidden")
    return str(said)


def test_a_day_of_an_instructor_in_the_formgrader(formgrader: tuple[Path, str], page: Any) -> None:
    root, address = formgrader
    place = address.split("/manage_submissions")[0]
    shutil.rmtree(root / "assignments")
    (root / "gradebook.db").unlink()

    # Generate: what the students get, checks included.
    page.goto(f"{place}/manage_assignments")
    row = page.locator("tr", has=page.get_by_text(NAME, exact=True))
    assert "Successfully created" in confirmed(page, row.locator(".assign a"))
    made = {path.name for path in (root / "assignments" / NAME).iterdir()}
    assert made == {"tiny.ipynb", "exercises.py", "checks.json"}

    # Two hand in; the list shows them; both are graded.
    notebook = solved(released(root))
    notebook["cells"][-1]["source"] = "Because the chain rule multiplies slopes."
    hand_in(root, "ada", notebook)
    hand_in(root, "bob", released(root))
    page.goto(f"{place}/manage_assignments")
    assert row.locator(".num-submissions").inner_text() == "2"
    row.locator(".num-submissions a").click()
    for student in ("ada", "bob"):
        line = page.locator("tr", has=page.get_by_text(student, exact=True))
        assert "Successfully autograded" in confirmed(page, line.locator(".autograde a"))
    line = page.locator("tr", has=page.get_by_text("ada", exact=True))
    assert "needs manual grading" in line.inner_text()
    page.screenshot(path=root.parent / "day-submissions.png")

    # The answer in words gets points and a comment.
    page.goto(f"{place}/gradebook/{NAME}/tiny")
    page.locator("tbody td.name a.name-hidden").first.wait_for()
    for number in range(2):
        page.goto(f"{place}/gradebook/{NAME}/tiny")
        page.locator("tbody td.name a.name-hidden").nth(number).click()
        page.locator("#why").wait_for()
        if "multiplies slopes" in page.locator("body").inner_text():
            break
    page.wait_for_load_state("networkidle")  # marks and comments are there to be changed
    cell = page.locator(".nbgrader_cell", has=page.locator("#why"))
    with page.expect_response(lambda r: "/api/grade/" in r.url and r.request.method == "PUT"):
        cell.locator("input.score").fill("1.5")
        cell.locator("input.score").blur()
    with page.expect_response(lambda r: "/api/comment/" in r.url and r.request.method == "PUT"):
        cell.locator("textarea.comment").fill("Say *which* slopes.")
        cell.locator("textarea.comment").blur()
    page.screenshot(path=root.parent / "day-marking.png", full_page=True)

    # Generate feedback: the student's page shows both.
    page.goto(address)
    line = page.locator("tr", has=page.get_by_text("ada", exact=True))
    assert "Successfully generated" in confirmed(page, line.locator(".generate-feedback a"))
    assert re.search(r"11\.5 / 12", line.inner_text())
    assert "needs manual grading" not in line.inner_text()
    page.goto((root / "feedback" / "ada" / NAME / "tiny.html").as_uri())
    page.screenshot(path=root.parent / "day-feedback.png", full_page=True)
    text = page.locator("body").inner_text()
    assert "11.5 of 12" in text or "11.5 / 12" in text
    assert "1.5 / 2" in text
    assert "Say which slopes." in text


def test_generate_says_what_is_wrong_with_a_solution_and_keeps_what_there_was(
    formgrader: tuple[Path, str], page: Any
) -> None:
    root, address = formgrader
    before = {p.name: p.read_bytes() for p in (root / "assignments" / NAME).iterdir()}
    source = root / "solutions" / NAME / "tiny.ipynb"
    source.write_text(source.read_text().replace("check-double", "check-duoble"))
    page.goto(f"{address.split('/manage_submissions')[0]}/manage_assignments")
    row = page.locator("tr", has=page.get_by_text(NAME, exact=True))
    said = confirmed(page, row.locator(".assign a"))
    assert "Nothing was changed. exercise 'double' has no check cell" in said
    assert before == {p.name: p.read_bytes() for p in (root / "assignments" / NAME).iterdir()}


def test_the_autograde_button_grades_and_the_marking_page_runs_no_script(
    formgrader: tuple[Path, str], page: Any
) -> None:
    root, address = formgrader
    (attack,) = [a for a in HOSTILE if a.name == "scripts-the-page"]
    hand_in(root, "ada", solved(released(root)))
    hand_in(root, "bob", '{"cells": [')
    notebook = attack.submission(solved(released(root)), root)
    notebook["cells"][-2]["source"] = SCRIPT  # the answer that is marked by hand
    hand_in(root, "eve", notebook)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(address)
    for student in ("ada", "bob", "eve"):
        row = page.locator("tr", has=page.get_by_text(student, exact=True))
        row.locator(".autograde a").click()
        page.locator(".modal.in").wait_for()
        assert "Successfully autograded" in page.locator(".modal.in").inner_text()
        page.locator(".modal.in .modal-footer button").first.click()
        page.locator(".modal.in").wait_for(state="hidden")
    page.screenshot(path=root.parent / "submissions.png")
    text = page.locator("#main_container, table").first.inner_text()
    assert re.search(r"ada.*10 / 12", text, re.S)
    page.goto(address.replace("manage_submissions", "gradebook"))
    page.get_by_role("link", name="tiny").click()
    page.locator("tbody a").first.wait_for()
    links = {a.get_attribute("href") for a in page.locator("tbody td.name a").all()}
    assert len(links) == 3
    for link in links:
        page.goto(address.split("/formgrader")[0] + link)
        page.locator("#notebook").first.wait_for()
        page.wait_for_timeout(300)
        assert page.title() == "tiny"
        assert page.locator("#notebook-container script, #notebook-container iframe").count() == 0
        if "Right." in page.content():
            page.screenshot(path=root.parent / "marking.png", full_page=True)
    assert dialogs == []
