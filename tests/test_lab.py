"""`course lab` serves the lectures, with nbgrader's extensions, from any folder of the course."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A running `course lab`: its address and its token."""
    log = tmp_path_factory.mktemp("lab") / "log"
    command = [sys.executable, "-m", "course", "lab", "--no-browser", "--ServerApp.port=0"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT / "lectures", stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield wait_until_served(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def wait_until_served(process: subprocess.Popen, log: Path) -> tuple[str, str]:
    started = time.monotonic()
    while time.monotonic() - started < 60:
        assert process.poll() is None, log.read_text()
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/\S*\?token=(\w+)", log.read_text()):
            try:
                get((found[1], found[2]), "/api")
            except URLError:
                pass  # it names its address just before it listens
            else:
                return found[1], found[2]
        time.sleep(0.1)
    raise AssertionError(f"nothing served within a minute: {log.read_text()}")


def get(server: tuple[str, str], path: str) -> str:
    address, token = server
    request = urllib.request.Request(
        f"{address}{path}", headers={"Authorization": f"token {token}"}
    )
    with urllib.request.urlopen(request, timeout=20) as reply:
        return reply.read().decode()


@pytest.mark.slow
def test_the_lectures_are_served(server: tuple[str, str]) -> None:
    names = [f["name"] for f in json.loads(get(server, "/api/contents/lectures"))["content"]]
    assert {p.name for p in (ROOT / "lectures").glob("*.ipynb")} <= set(names)


@pytest.mark.slow
def test_lab_starts_with_widgets_and_nbgrader_and_without_the_news(server: tuple[str, str]) -> None:
    page = get(server, "/lab/tree/lectures")
    for extension in ("@jupyter-widgets/jupyterlab-manager", "anywidget", "@jupyter/nbgrader"):
        assert extension in page
    configuration = json.loads(
        re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S)[1]
    )
    disabled = configuration["disabledExtensions"]
    assert "@jupyterlab/apputils-extension:announcements" in disabled


@pytest.mark.slow
def test_the_formgrader_answers(server: tuple[str, str]) -> None:
    assert "manage_assignments" in get(server, "/formgrader")
