"""A class on a Dask cluster: real scheduler, real worker processes, one of them killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fragile_tasks import DEADLY
from test_killed_anywhere import recorded
from tiny_course import NAME, hand_in, released, solved

from course.cli import main
from course.grading import cluster as clusters
from course.grading.cluster import cluster, expectation, remarks, token, unfit
from course.grading.gradebook import grade_class
from course.grading.results import GradingRefused

HERE = Path(__file__).parents[2]


def started(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A Dask command in a process."""
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "dask"), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    )


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler without workers."""
    file = tmp_path_factory.mktemp("dask") / "scheduler.json"
    process = started(
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
        "--scheduler-file", str(file),
        env={"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"},
    )  # fmt: skip
    address = ""
    until = time.monotonic() + 60
    while not address:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.1)
        if file.exists() and file.stat().st_size:
            address = json.loads(file.read_text())["address"]
    yield address
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="module")
def workers(scheduler: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with three worker processes."""
    from distributed import Client

    nanny = started(
        "worker", scheduler, "--nworkers", "3", "--nthreads", "1", "--no-dashboard",
        "--local-directory", str(tmp_path_factory.mktemp("workers")),
    )  # fmt: skip
    with Client(scheduler, set_as_default=False) as client:
        client.wait_for_workers(3, timeout=60)
    yield scheduler
    nanny.terminate()
    nanny.wait(30)


def small_class(root: Path, n: int = 12) -> None:
    """Different submissions, right and wrong, and one that cannot be read."""
    for i in range(n - 1):
        text = f"def double(x):\n    return {2 + i % 2} * x  # {i}"
        hand_in(root, f"student-{i:02}", solved(released(root), double=text))
    hand_in(root, "eve", "broken")


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_gives_what_this_machine_gives(
    tiny: Path, tmp_path: Path, workers: str
) -> None:
    small_class(tiny)
    here = tmp_path / "here"
    shutil.copytree(tiny, here)
    serial = grade_class(here, NAME)
    undisturbed = recorded(here)
    (tiny / ".grading").mkdir(mode=0o700)
    shutil.copyfile(here / ".grading" / "seed", tiny / ".grading" / "seed")
    killed: list[int] = []
    calls = []
    with cluster(workers, tiny) as executor:

        def kill_a_busy_one(done: int, total: int, *_: object) -> None:
            calls.append((done, total))
            if done == 3:
                pids = executor.client.run(os.getpid)
                busy = [w for w, tasks in executor.client.processing().items() if tasks]
                killed.append(pids[busy[0]])
                os.kill(pids[busy[0]], signal.SIGKILL)

        results = grade_class(tiny, NAME, progress=kill_a_busy_one, executor=executor)
    assert killed
    assert not Path(f"/proc/{killed[0]}").exists()
    assert calls == [(i + 1, 12) for i in range(12)]
    assert results == serial
    assert recorded(tiny) == undisturbed
    assert not list((tiny / ".grading").glob("seen-*"))


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_submission_that_kills_workers_costs_nobody_else_anything(
    tiny: Path, workers: str
) -> None:
    small_class(tiny, 6)
    (tiny / "nbgrader_config.py").write_text(DEADLY)
    with cluster(workers, tiny) as executor:
        results = grade_class(tiny, NAME, executor=executor)
    assert len(results) == 6
    assert "The process that graded it died" in (results["eve"].reason or "")
    assert [r.points for s, r in sorted(results.items()) if s != "eve"] == [10, 6, 10, 6, 10]


@pytest.mark.sandbox
@pytest.mark.slow
def test_the_command_grades_on_a_cluster(
    tiny: Path, workers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_class(tiny, 4)
    shutil.copyfile(HERE / "nbgrader_config.py", tiny / "nbgrader_config.py")
    monkeypatch.chdir(tiny)
    done = CliRunner().invoke(main, ["grade", NAME, "--scheduler", workers])
    assert done.exit_code == 0, done.output
    assert "4 submissions: 2 all right, 1 not graded, 1 some points" in done.output


@pytest.mark.slow
def test_what_a_cluster_lacks_is_said(
    tiny: Path, workers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "PATIENCE", 1.0)
    with pytest.raises(GradingRefused, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        cluster("tcp://127.0.0.1:9", tiny).__enter__()
    for wrong in ("smoke://here:1", "tcp://here:abc", "tcp://here"):
        with pytest.raises(GradingRefused, match=rf"'{wrong}' is no address of a Dask scheduler"):
            cluster(wrong, tiny).__enter__()
    with monkeypatch.context() as change:
        change.setattr(clusters, "workers", lambda client: {})
        with pytest.raises(GradingRefused, match=r"has no worker\. Start some, for example  dask"):
            cluster(workers, tiny).__enter__()
    # A function of this module, which workers do not have.
    monkeypatch.setattr(clusters, "unfit", small_class)
    missing = r"3 of 3 Dask workers cannot grade\. tcp://\S+: test_cluster is not installed there"
    with pytest.raises(GradingRefused, match=missing):
        cluster(workers, tiny).__enter__()


def test_a_worker_with_other_versions_or_folders_is_refused_with_the_reason(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with token(tiny) as (file, content):
        expected = expectation(tiny, "none", file, content)
        assert unfit(expected) is None
        for key, version in (("course", "0.9"), ("python", "3.9.1"), ("numpy", "1.26.4")):
            assert f"{version} here" in str(unfit({**expected, key: version}))
        assert "files of the course differ" in str(unfit({**expected, "code": "0"}))
        assert "is not what it sees" in str(unfit({**expected, "token": (file + "x", content)}))
        assert "is not what it sees" in str(unfit({**expected, "token": (file, "other")}))
        with monkeypatch.context() as change:
            change.setattr(os, "access", lambda *_: False)
            assert "may not write" in str(unfit(expected))
    assert "is not what it sees" in str(unfit(expected))


def test_a_worker_without_a_sandbox_is_refused(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("course.grading.sandbox.why_not", lambda name: "not installed")
    with token(tiny) as (file, content):
        reason = unfit(expectation(tiny, "auto", file, content))
    assert "No sandbox for student code" in str(reason)


def test_without_dask_the_extra_is_named(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "find_spec", lambda name: None)
    with pytest.raises(GradingRefused, match=r"pip install 'course\[cluster\]'"):
        cluster("tcp://127.0.0.1:9", tiny).__enter__()


class FakeClient:
    """A client whose scheduler has no workers, or is gone."""

    status = "running"

    def get_executor(self, **_: Any) -> Any:
        return None

    def scheduler_info(self, **_: Any) -> dict[str, Any]:
        return {"workers": {}}


def test_a_batch_whose_workers_all_left_stops_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    from course.grading.pool import each

    class Waiting(clusters.Cluster):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.still_there()
            return Future()

    monkeypatch.setattr("course.grading.pool.LOOK", 0.01)
    monkeypatch.setattr(clusters, "ALL_GONE", 0.0)
    client = FakeClient()
    with pytest.raises(GradingRefused, match=r"No worker of the Dask cluster is left"):
        list(each(Waiting(client, {}), str, ["a"], lambda item, reason: item))
    client.status = "closed"
    with pytest.raises(GradingRefused, match="connection to the Dask scheduler was lost"):
        list(each(Waiting(client, {}), str, ["a"], lambda item, reason: item))


def test_workers_on_other_machines_with_an_sqlite_file_and_idle_threads_are_remarked(
    tiny: Path,
) -> None:
    far = {"tcp://10.9.8.7:1": {"host": "10.9.8.7", "nthreads": 1}}
    (remark,) = remarks(far, tiny)
    assert "use PostgreSQL" in remark
    wide = {"tcp://127.0.0.1:1": {"host": "127.0.0.1", "nthreads": 4}}
    assert [r[:36] for r in remarks(wide, tiny)] == ["1 of 1 workers have several threads,"]
    near = {"tcp://127.0.0.1:1": {"host": "127.0.0.1", "nthreads": 1}}
    assert list(remarks(near, tiny)) == []
