"""The formgrader in a real browser: its Autograde button grades in the sandbox."""

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
