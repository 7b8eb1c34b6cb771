"""What a worker can reach: itself, a little scratch space, and nothing else.  On both sandboxes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from course.grading import sandbox as sandboxes
from course.grading import supervise
from course.grading.bubblewrap import Bubblewrapped
from course.grading.exercise import ExerciseSet, module_of
from course.grading.results import Cell
from course.grading.run import Failure, Run
from course.grading.runtime import runtime
from course.grading.sandbox import ProcessLimits, Sandbox, SandboxUnavailable, find
from course.grading.supervise import Ran, run_submission

pytestmark = pytest.mark.sandbox

EXERCISES = """
from course.grading.exercise import exercise

@exercise(points=1, draw=lambda rng: {}, cases=1, seconds=1)
def f(student):
    return dict(y=student.f())

@exercise(points=1, draw=lambda rng: {}, cases=1, seconds=1)
def later(student):
    return dict(y=student.later())
"""
SET = ExerciseSet.of(module_of(EXERCISES, "exercises.py"))
LATER = Cell("later", "def later(): return 'still here'")


@pytest.fixture(params=["bubblewrap", "fresh bubblewrap", "sandlock"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Every sandbox; a machine that lacks one fails here and says how to install it.

    "fresh" is what stands in where a container cannot fork workers.
    """
    if request.param == "fresh bubblewrap":
        return Sandbox("bubblewrap", Bubblewrapped, isolates=find("bubblewrap").isolates)
    return find(request.param)


def submit(sandbox: Sandbox, program: str, limits: ProcessLimits | None = None) -> Ran:
    """Run a submission whose cell `f` is this program; `later` is honest."""
    inputs: dict[str, Any] = {"f": [{}], "later": [{}]}
    return run_submission([Cell("f", program), LATER], SET, inputs, sandbox, limits)


def report(sandbox: Sandbox, body: str) -> Any:
    """What a student's function returns; it may use `tried(thunk)` for the name of an exception."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    ran = submit(
        sandbox,
        "import os, socket, sys\n"
        "def tried(thunk):\n"
        "    try: return repr(thunk())[:300]\n"
        "    except BaseException as error: return 'refused: ' + type(error).__name__\n"
        f"def f():\n{lines}",
    )
    run = ran.runs["f"]
    assert run.failure is None, run.failure
    return run.cases[0].values["y"]


def failure(run: Run) -> Failure:
    assert run.failure is not None
    return run.failure


def assert_later_counts(ran: Ran) -> None:
    assert ran.runs["later"].failure is None
    assert ran.runs["later"].cases[0].values == {"y": "still here"}


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "solutions.py"
    path.write_text("the answer")
    before = path.stat()
    yield path
    after = path.stat()
    assert path.read_text() == "the answer"
    for kind in ("st_mode", "st_uid", "st_gid", "st_mtime", "st_nlink"):
        assert getattr(before, kind) == getattr(after, kind), kind
    assert os.listdir(tmp_path) == ["solutions.py"]


def test_no_file_outside_can_be_read_written_listed_or_linked(
    sandbox: Sandbox, secret: Path
) -> None:
    path, folder = str(secret), str(secret.parent)
    told = report(
        sandbox,
        f"return [tried(lambda: open({path!r}).read()), tried(lambda: open({path!r}, 'w')),"
        f" tried(lambda: os.listdir({folder!r})), tried(lambda: os.unlink({path!r})),"
        f" tried(lambda: os.mkdir({folder!r} + '/new')),"
        f" tried(lambda: (os.symlink({path!r}, 'l'), open('l').read())),"
        f" tried(lambda: os.link({path!r}, 'h')), tried(lambda: os.listdir('/home')),"
        f" tried(lambda: open('/etc/passwd').read()), tried(lambda: os.chmod({path!r}, 0o777)),"
        f" tried(lambda: os.chown({path!r}, 5, 5)), tried(lambda: os.utime({path!r}, (1, 1))),"
        f" tried(lambda: os.truncate({path!r}, 0)), tried(lambda: os.rename({path!r}, 'x'))]",
    )
    assert all(answer.startswith("refused") for answer in told), told


def test_the_course_itself_is_not_there(sandbox: Sandbox) -> None:
    own = str(Path(sandboxes.__file__).parents[1])
    told = report(
        sandbox,
        "import importlib\n"
        "names = ['course.autodiff', 'course.nn', 'course.grading.reference', 'course.optim',\n"
        "         'course.grading.grader', 'course.grading.compare', 'sklearn', 'torch', 'nbgrader']\n"
        "return [tried(lambda: importlib.import_module(n)) for n in names]\\\n"
        f"    + [tried(lambda: os.listdir({own!r}))]",
    )
    assert all(answer.startswith("refused") for answer in told), told


def test_packages_beside_numpy_stay_out_even_if_the_path_is_known(sandbox: Sandbox) -> None:
    import sklearn

    folder = str(Path(sklearn.__file__).parents[1])
    told = report(
        sandbox,
        f"sys.path.append({folder!r})\n"
        "return [tried(lambda: __import__('sklearn')), tried(lambda: __import__('torch'))]",
    )
    assert all(answer.startswith("refused") for answer in told), told


def test_there_is_no_network_not_even_to_this_machine(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        told = report(
            sandbox,
            "import urllib.request\n"
            f"return [tried(lambda: socket.create_connection(('127.0.0.1', {port}), 2)),"
            " tried(lambda: socket.create_connection(('1.1.1.1', 53), 2)),"
            " tried(lambda: urllib.request.urlopen('http://example.org', timeout=2))]",
        )
    assert all(answer.startswith("refused") for answer in told), told


def test_no_process_outside_can_be_seen_or_signalled(sandbox: Sandbox) -> None:
    victim = subprocess.Popen(["sleep", "30"])
    try:
        told = report(
            sandbox,
            f"return [tried(lambda: os.kill({victim.pid}, 9)),"
            f" tried(lambda: open('/proc/{victim.pid}/cmdline').read()),"
            f" tried(lambda: open('/proc/{os.getpid()}/environ').read()),"
            f" tried(lambda: os.kill({os.getpid()}, 0))]",
        )
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
    assert all(answer.startswith("refused") for answer in told), told


def test_no_environment_of_the_grader_is_visible(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_TOKEN", "hunter2")
    told = report(
        sandbox,
        "seen = [repr(dict(os.environ))]\n"
        "for pid in ('self', '1', str(os.getppid())):\n"
        "    seen.append(tried(lambda: open(f'/proc/{pid}/environ', 'rb').read()))\n"
        "return seen",
    )
    assert "hunter2" not in str(told)


def test_no_open_file_of_the_grader_is_inherited(sandbox: Sandbox, secret: Path) -> None:
    with open(secret) as held:
        os.set_inheritable(held.fileno(), True)
        told = report(
            sandbox,
            "seen = []\n"
            "for fd in range(3, 64):\n"
            "    seen.append(tried(lambda: os.pread(fd, 100, 0)))\n"
            "return seen",
        )
    assert "the answer" not in str(told)


def test_no_new_privileges_can_be_had(sandbox: Sandbox) -> None:
    told = report(
        sandbox,
        "import ctypes\n"
        "libc = ctypes.CDLL(None)\n"
        "return [libc.unshare(0x10000000), libc.mount(b'none', b'/tmp', b'tmpfs', 0, None),"
        " libc.ptrace(16, 1, 0, 0),"
        " libc.chroot(b'/tmp')]",
    )
    assert told == [-1] * 4


def test_limits_cannot_be_raised(sandbox: Sandbox) -> None:
    told = report(
        sandbox,
        "import resource\n"
        "return [tried(lambda: resource.setrlimit(getattr(resource, 'RLIMIT_' + n), (-1, -1)))"
        " for n in ('AS', 'CPU', 'FSIZE')]",
    )
    assert all(answer.startswith("refused") for answer in told), told


def test_scratch_space_is_there_and_gone_afterwards(sandbox: Sandbox) -> None:
    told = report(
        sandbox,
        "with open('note.txt', 'w') as file: file.write('x')\n"
        "return [os.listdir('.'), os.getcwd()]",
    )
    assert told[0] == ["note.txt"]
    assert not (Path(told[1]) / "note.txt").exists()
    assert report(sandbox, "return os.listdir('.')") == []


def test_a_device_of_the_machine_keeps_its_mode_and_times(sandbox: Sandbox) -> None:
    devices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/tty"]

    def look() -> list[tuple[int, int, int, float]]:
        return [(s.st_mode, s.st_uid, s.st_gid, s.st_mtime) for s in map(os.stat, devices)]

    before = look()
    told = report(
        sandbox,
        f"devices = {devices}\n"
        "return [tried(lambda: os.chmod(d, os.stat(d).st_mode & 0o7777)) for d in devices]"
        " + [tried(lambda: os.utime(d, (1, 1))) for d in devices]"
        " + [tried(lambda: os.chown(d, -1, -1)) for d in devices]",
    )
    assert look() == before
    assert all(answer.startswith("refused") for answer in told), told


def test_memory_outside_the_scratch_space_cannot_be_filled(sandbox: Sandbox) -> None:
    told = report(
        sandbox,
        "folders = ['/', '/dev', '/dev/shm', '/dev/pts', '/course', '/packages', '/usr/lib']\n"
        "return [tried(lambda: open(f + '/x', 'wb')) for f in folders]",
    )
    assert all(answer.startswith("refused") for answer in told), told


def test_files_without_end_are_stopped(sandbox: Sandbox) -> None:
    limits = ProcessLimits(scratch=8 << 20, file_size=1 << 20)
    ran = submit(
        sandbox,
        "import itertools, time\n"
        "def f():\n"
        "    for i in itertools.count():\n"
        "        with open(f'{i}', 'wb') as file: file.write(bytes(1 << 20))\n"
        "        time.sleep(0.01)",
        limits,
    )
    assert failure(ran.runs["f"]).type in ("OSError", "disk")
    assert_later_counts(ran)


def test_one_huge_file_is_refused(sandbox: Sandbox) -> None:
    told = report(
        sandbox,
        "def fill():\n"
        "    with open('big', 'wb') as file: file.write(bytes(100 << 20))\n"
        "return tried(fill)",
    )
    assert told.startswith("refused")


def test_what_a_submission_starts_dies_with_it(sandbox: Sandbox) -> None:
    mark = f"outlive-{os.getpid()}-{sandbox.name}"
    program = (
        "import ctypes, os, time\n"
        "def f():\n"
        "    try:\n"
        "        if os.fork() == 0:\n"
        "            os.setsid()\n"
        "            if os.fork() == 0:\n"
        f"                ctypes.CDLL(None).prctl(15, b'{mark[:15]}', 0, 0, 0)\n"
        "                time.sleep(60)\n"
        "    except OSError: pass\n"
        "    time.sleep(0.3)\n"
        "    return 1\n"
    )
    submit(sandbox, program)
    time.sleep(0.2)
    running = [p.read_text() for p in Path("/proc").glob("[0-9]*/comm") if p.exists()]
    assert not [name for name in running if name.strip() == mark[:15]]


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        ("while True: pass", "limit", "1 s of CPU time"),
        ("import time; time.sleep(1000)", "limit", "3 s of waiting"),
        ("import numpy; numpy.ones(1 << 40)", "limit", "allocate"),
        ("import os; os._exit(0)", "error", "ended the Python process"),
        ("import sys; sys.exit(0)", "error", ""),
        ("import ctypes; ctypes.string_at(0)", "error", "crashed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "limit", "ended itself"),
        ("import os; os.closerange(3, 64)", "error", ""),
        ("return 'x' * (1 << 30)", "limit", ""),
        ("return [[0] * 1000] * 1000", "error", "values in all"),
        ("raise KeyboardInterrupt", "error", ""),
    ],
)
def test_a_disaster_costs_its_exercise_and_no_other(
    sandbox: Sandbox, body: str, kind: str, says: str
) -> None:
    ran = submit(sandbox, f"def f():\n    {body}")
    assert failure(ran.runs["f"]).kind == kind
    assert says in failure(ran.runs["f"]).message
    assert_later_counts(ran)


def test_a_loop_that_swallows_every_exception_is_ended_by_the_kernel(sandbox: Sandbox) -> None:
    body = "while True:\n        try:\n            while True: pass\n        except BaseException: pass"
    program = (
        f"import signal\ndef f():\n    signal.signal(signal.SIGPROF, signal.SIG_IGN)\n    {body}"
    )
    ran = submit(sandbox, program)
    assert failure(ran.runs["f"]).message == "1 s of CPU time"
    assert_later_counts(ran)


def test_memory_filled_bit_by_bit_is_stopped_at_the_limit(sandbox: Sandbox) -> None:
    limits = ProcessLimits(memory=400 << 20)
    program = "def f():\n    kept = []\n    while True: kept.append(bytearray(16 << 20))"
    ran = submit(sandbox, program, limits)
    assert failure(ran.runs["f"]).kind == "limit"
    assert_later_counts(ran)


def test_there_is_no_second_process_and_no_program_to_run(sandbox: Sandbox) -> None:
    told = report(
        sandbox,
        "import subprocess, multiprocessing\n"
        "return [tried(os.fork), tried(lambda: subprocess.run(['/bin/sh', '-c', 'id'])),"
        " tried(lambda: os.posix_spawn('/bin/sh', ['sh'], {})),"
        " tried(lambda: multiprocessing.Process(target=print).start())]",
    )
    assert all(answer.startswith("refused") for answer in told), told


def test_threads_work(sandbox: Sandbox) -> None:
    told = report(
        sandbox,
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool: return list(pool.map(abs, [-1, 2]))",
    )
    assert told == [1, 2]


def test_a_fork_bomb_costs_its_exercise_only(sandbox: Sandbox) -> None:
    start = time.monotonic()
    ran = submit(sandbox, "import os\ndef f():\n    while True: os.fork()")
    assert failure(ran.runs["f"]).kind == "error"
    assert_later_counts(ran)
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    "program", ["while True: pass", "import os; os._exit(3)", "1 / 0", "def f(:"]
)
def test_a_cell_that_hangs_ends_or_fails_leaves_the_other_cells(
    sandbox: Sandbox, program: str
) -> None:
    ran = submit(sandbox, program, ProcessLimits(cell_seconds=0.5))
    assert ran.cells[0].kind in ("limit", "error")
    assert failure(ran.runs["f"]).missing == "f"
    assert_later_counts(ran)


def test_a_submission_that_ends_every_worker_is_given_up(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "ENDS", 3)
    exits = [Cell(None, "import os; os._exit(1)")] * 50
    inputs: dict[str, Any] = {"f": [{}], "later": [{}]}
    ran = run_submission([*exits, LATER], SET, inputs, sandbox)
    assert len(ran.cells) < 5
    assert {failure(run).message for run in ran.runs.values()} == {
        "the time for the whole notebook"
    }


def test_printing_without_end_disturbs_nothing(sandbox: Sandbox) -> None:
    ran = submit(
        sandbox,
        "import os, sys\ndef f():\n"
        "    for _ in range(2000): print('x' * 10_000)\n"
        "    os.write(1, b'forged'); os.write(2, b'forged'); sys.__stdout__.write('forged')\n"
        "    return 1",
    )
    assert ran.runs["f"].cases[0].values == {"y": 1}
    assert_later_counts(ran)


FORGE = """
import os, sys
from course.grading import values
def send(message, fd):
    data = values.pack(message) if isinstance(message, dict) else message
    try: os.write(fd, len(data).to_bytes(4, "little") + data)
    except OSError: pass
def f():
    for fd in range(3, 20):
        send({message}, fd)
    return 1
"""


@pytest.mark.parametrize(
    "message",
    [
        "b'garbage'",
        "{'done': True}",
        "{'points': 100}",
        "{'exercise': 'f', 'run': {'points': 8}}",
        "{'exercise': 'other', 'run': {'cases': [], 'failure': None}}",
        "{'exercise': 'f', 'run': {'cases': [], 'failure': None}}",
        "{'cell': 10**6, 'failure': None}",
        "{'begin': 'elsewhere'}",
        "bytes(200_000)",
    ],
)
def test_forged_messages_earn_nothing_and_break_nothing(sandbox: Sandbox, message: str) -> None:
    ran = submit(sandbox, FORGE.replace("{message}", message))
    assert set(ran.runs) == {"f", "later"}
    run = ran.runs["f"]
    assert run.failure is not None or not run.cases or run.cases[0].values == {"y": 1}


def test_a_worker_starts_and_answers_in_a_third_of_a_second() -> None:
    times = []
    for _ in range(5):
        start = time.monotonic()
        submit(find("bubblewrap"), "def f(): return 1")
        times.append(time.monotonic() - start)
    assert min(times) < 0.33


def test_without_any_sandbox_the_refusal_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sandboxes, "why_not", lambda name: "not installed")
    with pytest.raises(SandboxUnavailable) as refused:
        find("auto")
    for word in ("apt install bubblewrap", "pip install", "--unsandboxed"):
        assert word in str(refused.value)


def test_a_sandbox_that_does_not_work_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    sandboxes.why_not.cache_clear()
    try:
        assert sandboxes.why_not("bubblewrap") == "not installed"
    finally:
        sandboxes.why_not.cache_clear()
    with pytest.raises(ValueError, match="no sandbox is called"):
        find("chroot")


def test_unsandboxed_code_still_has_limits() -> None:
    plain = find("none")
    assert not plain.isolates
    ran = submit(plain, "def f():\n    while True: pass")
    assert failure(ran.runs["f"]).message == "1 s of CPU time"
    assert_later_counts(ran)


def test_an_allowed_package_is_there_with_what_it_needs(sandbox: Sandbox) -> None:
    source = "IMPORTS = ('numpy', 'matplotlib')\n" + EXERCISES
    exercises = ExerciseSet.of(module_of(source, "exercises.py"))
    program = (
        "import matplotlib.pyplot as plt, io\n"
        "def f():\n"
        "    plt.plot([1, 2]); file = io.BytesIO(); plt.savefig(file)\n"
        "    return file.getvalue()[1:4].decode()"
    )
    ran = run_submission([Cell("f", program)], exercises, {"f": [{}]}, sandbox)
    assert ran.runs["f"].failure is None
    assert ran.runs["f"].cases[0].values == {"y": "PNG"}


def test_an_allowed_part_of_the_course_is_there_and_only_that_part(sandbox: Sandbox) -> None:
    source = "IMPORTS = ('numpy', 'course.grading.misconception')\n" + EXERCISES
    exercises = ExerciseSet.of(module_of(source, "exercises.py"))
    program = (
        "import course.grading.misconception as m\n"
        "def f():\n"
        "    try: import course.grading.compare\n"
        "    except ImportError: return m.__name__\n"
    )
    ran = run_submission([Cell("f", program)], exercises, {"f": [{}]}, sandbox)
    assert json.dumps(ran.runs["f"].cases[0].values) == '{"y": "course.grading.misconception"}'


def test_a_process_makes_one_runtime_however_it_asks_for_it() -> None:
    assert runtime() is runtime(("numpy",))
