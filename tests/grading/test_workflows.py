"""The workflow files are valid, name commands that exist, and the classroom's steps do what they say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from tiny_course import NAME, hand_in, released, solved

from course import cli
from course.grading.release import release

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.stem: path for path in FOLDER.glob("*.yml")}


def load(name: str) -> dict[str, Any]:
    """A workflow; YAML 1.1 reads the key `on` as True."""
    workflow = yaml.safe_load(WORKFLOWS[name].read_text(encoding="utf-8"))
    workflow["on"] = workflow.pop(True)
    return workflow


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in load(name)["jobs"].values() for step in job["steps"]]


def words(name: str) -> list[list[str]]:
    """Every command line of a workflow's steps, as words."""
    lines = [
        line.partition(" || ")[0].partition(" > ")[0]
        for step in steps(name)
        for line in step.get("run", "").splitlines()
        if not line.lstrip().startswith("#")
    ]
    return [shlex.split(line) for line in lines if line.strip() and "$(" not in line]


@pytest.mark.parametrize("name", ["tests", "classroom"])
def test_a_workflow_has_what_github_asks_for(name: str) -> None:
    workflow = load(name)
    assert {"name", "on", "jobs"} <= set(workflow)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["runs-on"] == "ubuntu-latest"
        assert job["timeout-minutes"] <= 45
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            if "uses" in step:
                assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])


@pytest.mark.parametrize("name", ["tests", "classroom"])
def test_what_others_write_is_never_pasted_into_a_script(name: str) -> None:
    for step in steps(name):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("name", ["tests", "classroom"])
def test_every_command_of_the_course_and_its_options_exist(name: str) -> None:
    named = 0
    for line in words(name):
        if Path(line[0]).name == "course":
            command = cli.main.commands[line[1]]
            known = {o for p in command.params if isinstance(p, click.Option) for o in p.opts}
            assert {word for word in line[2:] if word.startswith("--")} <= known
            named += 1
        elif line[0] == "make":
            assert re.search(rf"^{line[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
            named += 1
    assert named >= 2
    for step in steps(name):
        for path in re.findall(r"(?:^|[ /])(constraints\.txt)", str(step)):
            assert (ROOT / path).is_file()


@pytest.fixture
def runner(tiny: Path, tmp_path: Path) -> Path:
    """What the runner has after the checkouts: the course, and a student's repository."""
    release(tiny, NAME)
    shutil.move(tiny, tmp_path / "runner" / "course")
    (tmp_path / "runner" / "submission" / "deep").mkdir(parents=True)
    return tmp_path / "runner"


def run_steps(runner: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Run steps of the classroom's workflow as the runner does, with NOTEBOOK handed on."""
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "ASSIGNMENT": NAME,
           "GITHUB_ENV": str(runner / "env"), "GITHUB_STEP_SUMMARY": str(runner / "summary.md"),
           "HOME": os.environ["HOME"]}  # fmt: skip
    for name in names:
        (step,) = [s for s in steps("classroom") if s.get("name") == name]
        if (runner / "env").is_file():
            env |= dict(x.split("=", 1) for x in (runner / "env").read_text().splitlines())
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=runner, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
    return done


@pytest.mark.sandbox
def test_the_classroom_posts_points_and_reasons_of_a_pushed_submission(runner: Path) -> None:
    course = runner / "course"
    wrong = solved(released(course), mean_square="def mean_square(x):\n    return np.sum(x**2)")
    pushed = hand_in(course, "ada", wrong)
    shutil.move(pushed, runner / "submission" / "deep" / "tiny.ipynb")
    (runner / "submission" / "deep" / "checks.json").write_text("{}")  # the student's own: ignored
    done = run_steps(runner, "Take the notebook", "Points and reasons")
    assert done.returncode == 1, done.stderr
    assert "file=deep/tiny.ipynb,title=mean_square%3A 0 of 6 points::" in done.stdout
    assert "Your value grows with the number of samples." in done.stdout
    assert "4 of 10 points" in done.stdout
    assert "| mean\\_square | 0 / 6 |" in (runner / "summary.md").read_text()
    assert run_steps(runner, "JUnit file").returncode == 0
    suite = ET.parse(runner / "results.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")


def test_the_classroom_says_when_the_notebook_or_the_assignment_is_missing(runner: Path) -> None:
    done = run_steps(runner, "Take the notebook")
    assert (done.returncode, done.stdout) == (
        2, "::error::There is no tiny.ipynb in this repository.\n",
    )  # fmt: skip
    shutil.rmtree(runner / "course" / "assignments" / NAME)
    assert "no assignment 00-tiny" in run_steps(runner, "Take the notebook").stdout


@pytest.mark.sandbox
@pytest.mark.parametrize(("solve", "code"), [(True, 0), (False, 1)])
def test_check_answers_with_its_exit_code_in_every_format(
    tiny: Path, solve: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    release(tiny, NAME)
    notebook = hand_in(tiny, "ada", solved(released(tiny), **({} if solve else {"double": "x"})))
    target = shutil.copy(notebook, tiny / "assignments" / NAME / "tiny.ipynb")
    for form, said in {"text": "points", "junit": "<testsuites", "github": "::notice"}.items():
        done = CliRunner().invoke(cli.main, ["check", str(target), "--format", form])
        assert done.exit_code == code, done.output
        assert said in done.output
    Path(target).write_text("no notebook")
    for form, said in {"text": "cannot be read", "junit": "<error", "github": "::error"}.items():
        done = CliRunner().invoke(cli.main, ["check", str(target), "--format", form])
        assert done.exit_code == 2
        assert said in done.output
