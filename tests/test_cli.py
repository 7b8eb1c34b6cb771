"""The `course` command: help a person understands, one-sentence errors, exit codes for CI."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from course import __version__, cli

COMMANDS = [
    "lab", "release", "grade", "check", "demo", "site", "doctor",
    "feedback", "regrade", "receive", "export", "export-autograder",
]  # fmt: skip


@pytest.fixture
def course_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty course with one assignment."""
    (tmp_path / "nbgrader_config.py").touch()
    (tmp_path / "solutions" / "01-units").mkdir(parents=True)
    (tmp_path / "lectures").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(cli.main, arguments)


def test_help_names_every_command() -> None:
    shown = run("--help")
    assert shown.exit_code == 0
    assert [c for c in COMMANDS if f"\n  {c} " not in shown.output] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert "Usage:" in shown.output
    assert len(shown.output.splitlines()) > 4


def test_version_is_the_package_version() -> None:
    assert __version__ in run("--version").output


def test_outside_a_course_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    failed = run("release", "--all")
    assert failed.exit_code == 2
    assert "nbgrader_config.py" in failed.output
    assert "Change to the folder of the course" in failed.output


def test_an_unknown_assignment_is_answered_with_those_there_are(course_folder: Path) -> None:
    failed = run("grade", "99-nothing")
    assert failed.exit_code == 2
    assert "01-units" in failed.output


def test_release_wants_names_or_all(course_folder: Path) -> None:
    assert run("release").exit_code == 2
    assert run("release", "--all", "01-units").exit_code == 2


def test_an_unknown_lecture_is_named(course_folder: Path) -> None:
    (course_folder / "lectures" / "06-descent.ipynb").touch()
    failed = run("site", "77")
    assert failed.exit_code == 2
    assert "06-descent" in failed.output


def test_an_error_is_one_sentence_and_a_traceback_only_with_debug(
    course_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import course.grading.release

    def broken(root: Path, name: str) -> None:
        raise ValueError("exercise 'gate':\n the solution fails")

    monkeypatch.setattr(course.grading.release, "release", broken)
    failed = run("release", "01-units")
    assert failed.exit_code == 2
    assert failed.output.strip() == "Error: exercise 'gate': the solution fails"
    assert isinstance(run("--debug", "release", "01-units").exception, ValueError)


def test_doctor_finds_what_the_tests_themselves_need(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run("doctor")
    assert shown.exit_code == 0
    for needed in ("numpy", "jupyterlab", "nbgrader", "sandbox", "kernel"):
        assert f"✓ {needed}" in shown.output


def test_doctor_says_how_to_get_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from course import doctor

    missing = doctor.package("no-such-package", "pip install it", needed=True)
    assert missing.good is False
    assert "pip install it" in missing.says
    monkeypatch.setattr(doctor, "required_range", lambda name: ">=999")
    old = doctor.package("numpy", "pip install -c constraints.txt -e .", needed=True)
    assert old.good is False
    assert ">=999" in old.says
