"""Workers forked by a zygote: two submissions after one another share nothing that can be written."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_sandbox import EXERCISES, LATER, SET, assert_later_counts, failure, report, submit

from course.grading import container
from course.grading.bubblewrap import Bubblewrapped
from course.grading.container import HERE, Container, Forked
from course.grading.exercise import ExerciseSet, module_of
from course.grading.process import ProcessLimits
from course.grading.results import Cell
from course.grading.runtime import runtime
from course.grading.sandbox import Sandbox, answers, find
from course.grading.supervise import run_submission

pytestmark = pytest.mark.sandbox

WARM = Sandbox("bubblewrap", container.start)
FRESH = Sandbox("bubblewrap", Bubblewrapped)


@pytest.fixture(autouse=True)
def own_container() -> Iterator[None]:
    """Each test begins and ends without a container; where none can be had, it fails and says why."""
    find("bubblewrap")
    HERE.close()
    yield
    refused, alive = dict(HERE.refused), len(HERE.all)
    HERE.close()
    assert refused == {}, refused
    assert alive >= 1


def the_container() -> Container:
    """The only container of this process."""
    (one,) = HERE.all
    return one


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def zygote_pid() -> int:
    """The zygote's process number: bubblewrap's grandchild, below its process 1."""
    process = the_container().process
    assert process is not None
    (init,) = children(process.pid)
    (zygote,) = children(init)
    return zygote


def alone(pid: int) -> bool:
    """Whether a process has no children, or soon has none."""
    for _ in range(50):
        if not children(pid):
            return True
        time.sleep(0.02)
    return False


LOOK = """
import builtins, ctypes, resource, signal, threading, time, random
import numpy as np
def folder(path):
    found = []
    for at, folders, files in os.walk(path):
        stat = os.lstat(at)
        found.append((at, sorted(folders), sorted(files), stat.st_mode, stat.st_mtime if at != '/tmp' else 0))
    return str(found)
libc = ctypes.CDLL(None, use_errno=True)
def abstract():
    with socket.socket(socket.AF_UNIX) as one: one.connect(chr(0) + 'meet')
def port():
    with socket.socket() as one: one.bind(('127.0.0.1', 5432))
return [
    folder('/tmp'), folder('/dev'), folder('/course'), tried(lambda: os.listdir('/proc')),
    tried(abstract), tried(port),
    [libc.shmget(77, 4096, 0o600), libc.msgget(77, 0o600), libc.semget(77, 1, 0o600)],
    libc.mq_open(b'/meet', 0), sorted(os.environ.items()), os.getcwd(), os.umask(0o22),
    os.getpid(), os.getppid(), os.getpgrp(), os.getsid(0), os.nice(0),
    sorted(os.sched_getaffinity(0)), str([resource.getrlimit(n) for n in range(10)]),
    [str(signal.getsignal(n)) for n in (2, 14, 15, 17, 24, 27)], threading.active_count(),
    signal.getitimer(signal.ITIMER_REAL), str(np.add(1, 2)), str(sum([1])), 'left' in dir(builtins),
    sorted(sys.modules), sys.path, sys.getrecursionlimit(), repr(np.get_printoptions()),
    repr(np.geterr()), time.process_time() < 1, hash('seed'), os.uname().nodename,
    tried(lambda: os.listdir('/dev/mqueue')), tried(lambda: open('/dev/pts/0')),
]
"""

LEAVE = """
import builtins, ctypes, os, random, resource, signal, socket, sys, threading, time
import numpy as np
def tried(thunk):
    try: return repr(thunk())
    except BaseException as error: return 'refused: ' + type(error).__name__
kept = []
def f():
    did = []
    libc = ctypes.CDLL(None, use_errno=True)
    def everywhere():
        for folder in ('/tmp', '/tmp/..', '/dev', '/dev/shm', '/dev/pts', '/dev/mqueue', '/course', '/packages'):
            did.append((folder, tried(lambda: open(folder + '/left', 'w').write('x'))))
    everywhere()
    os.mkdir('/tmp/folder')
    for name in ('null', 'tty', 'pts/ptmx', 'shm'):
        did.append((name, tried(lambda: os.chmod('/dev/' + name, 0o600))))
        did.append((name, tried(lambda: os.utime('/dev/' + name, (1, 1)))))
    did.append(('pty', tried(os.openpty)))
    did.append(('ptmx', tried(lambda: kept.append(os.open('/dev/pts/ptmx', os.O_RDWR)))))
    one = socket.socket(socket.AF_UNIX); kept.append(one)
    did.append(('abstract', tried(lambda: (one.bind(chr(0) + 'meet'), one.listen()))))
    two = socket.socket(); kept.append(two)
    did.append(('port', tried(lambda: (two.bind(('127.0.0.1', 5432)), two.listen()))))
    did.append(('shm', [libc.shmget(77, 4096, 0o1600), libc.msgget(77, 0o1600), libc.semget(77, 1, 0o1600)]))
    did.append(('mq', libc.mq_open(b'/meet', os.O_CREAT | os.O_RDWR, 0o600, None)))
    os.environ['LEFT'] = 'x'; os.umask(0); sys.setrecursionlimit(5000)
    np.set_printoptions(precision=2); np.seterr(all='raise')
    did.append(('nice', tried(lambda: os.nice(5))))
    did.append(('user', tried(lambda: os.setpriority(os.PRIO_USER, 0, 19))))
    did.append(('affinity', tried(lambda: os.sched_setaffinity(0, {0}))))
    for pid in range(0, 40):
        tried(lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, 0)))
        tried(lambda: os.sched_setaffinity(pid, {0}))
    did.append(('hostname', tried(lambda: socket.sethostname('left'))))
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    for number in (signal.SIGUSR1, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGSTOP):
        for pid in (1, os.getppid(), *range(3, 40)):
            did.append((pid, tried(lambda: os.kill(pid, number))))
    builtins.left = builtins.len; np.add = np.subtract
    sys.modules['left'] = sys; sys.path.append('/tmp')
    builtins.sum = lambda x: 99
    def run():
        while True: time.sleep(0.01)
    threading.Thread(target=run).start()
    return str(did)
"""


def test_nothing_of_a_submission_is_there_for_the_next() -> None:
    before = report(WARM, LOOK)
    ran = submit(WARM, LEAVE)
    assert ran.runs["f"].failure is None
    after = report(WARM, LOOK)
    assert len(before) == len(after)
    for was, now in zip(before, after, strict=True):
        assert was == now
    assert the_container().served == 3  # in one container


def test_what_a_submission_can_leave_outside_its_scratch_space_is_refused() -> None:
    import ast

    ran = submit(WARM, LEAVE)
    did = ast.literal_eval(ran.runs["f"].cases[0].values["y"])
    assert ("/tmp", "1") in did  # the program ran, and could write where it may
    outside = [(what, said) for what, said in did if isinstance(what, str)]
    permitted = [
        w for w, said in outside if not str(said).startswith(("refused", "-1", "[-1, -1, -1"))
    ]
    # a socket of its own network, a niceness of its own: gone with it
    assert set(permitted) <= {"/tmp", "abstract", "port", "nice", "user", "affinity"}
    signalled = {pid for pid, said in did if isinstance(pid, int) and said == "None"}
    assert signalled <= {1}  # there is nobody else; process 1 takes no notice
    assert_later_counts(ran)


@pytest.mark.parametrize("who", ["-1", "0", "1", "os.getppid()", "-os.getpgrp()"])
@pytest.mark.parametrize("number", ["SIGKILL", "SIGSTOP", "SIGINT"])
def test_signals_reach_no_one_but_the_worker(who: str, number: str) -> None:
    assert report(WARM, "return 1") == 1
    pid = zygote_pid()
    program = f"import os, signal\ndef f():\n    os.kill({who}, signal.{number})\n    return 2"
    limits = ProcessLimits()
    ran = submit(WARM, program, limits)
    assert set(ran.runs) == {"f", "later"}
    assert_later_counts(ran)
    assert zygote_pid() == pid
    assert alone(pid)


def test_threads_left_running_end_with_their_submission() -> None:
    program = (
        "import threading, time\n"
        "def run():\n"
        "    while True: time.sleep(0.001)\n"
        "def f():\n"
        "    for _ in range(3): threading.Thread(target=run).start()\n"
        "    return 1"
    )
    assert submit(WARM, program).runs["f"].failure is None
    assert alone(zygote_pid())


def test_a_worker_has_no_capability_and_a_filter_and_cannot_look_up() -> None:
    told = report(
        WARM,
        "import ctypes, struct\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "sets = (ctypes.c_uint32 * 6)(*[9] * 6)\n"
        "libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), sets)\n"
        "bounding = [libc.prctl(23, n, 0, 0, 0) for n in range(41)]\n"
        "ambient = [libc.prctl(47, 1, n, 0, 0) for n in range(41)]\n"
        "return [list(sets), sum(bounding), sum(ambient), libc.prctl(39, 0, 0, 0, 0),\n"
        "        libc.prctl(21, 0, 0, 0, 0), libc.prctl(3, 0, 0, 0, 0), os.getppid(),\n"
        "        libc.umount2(b'/tmp', 0), libc.unshare(0x20000000), libc.setns(0, 0)]",
    )
    assert told == [[0] * 6, 0, 0, 1, 2, 0, 1, -1, -1, -1]


def test_a_worker_inherits_its_two_pipes_and_no_other_descriptor() -> None:
    told = report(
        WARM,
        "import stat\n"
        "seen = []\n"
        "for fd in range(1024):\n"
        "    try: seen.append([fd, stat.S_IFMT(os.fstat(fd).st_mode) == stat.S_IFIFO])\n"
        "    except OSError: pass\n"
        "return seen",
    )
    # standard input, output and errors lead nowhere; one pipe is the way back
    assert [fifo for _, fifo in told].count(True) == 1
    assert [fifo for fd, fifo in told if fd < 3] == [False] * 3
    assert len(told) == 5  # and what /dev/null was opened as


def test_random_numbers_differ_between_submissions_and_hashes_do_not() -> None:
    body = (
        "import random, numpy as np\nreturn [random.random(), float(np.random.rand()), hash('a')]"
    )
    one, two = report(WARM, body), report(WARM, body)
    assert one[0] != two[0]
    assert one[1] != two[1]
    assert one[2] == two[2]


@pytest.mark.parametrize("megabytes", [700, 1100])
def test_memory_is_limited_as_under_a_fresh_bubblewrap(megabytes: int) -> None:
    body = f"import numpy as np\nreturn tried(lambda: np.empty({megabytes} << 17).size)"
    assert report(WARM, body) == report(FRESH, body)


def test_as_many_threads_can_be_started_as_under_a_fresh_bubblewrap() -> None:
    body = (
        "import threading, time\n"
        "n = 0\n"
        "try:\n"
        "    while n < 9: threading.Thread(target=time.sleep, args=(0.5,)).start(); n += 1\n"
        "except RuntimeError: pass\n"
        "return n"
    )
    assert report(WARM, body) == report(FRESH, body)


def test_cpu_time_starts_at_nothing_for_each_worker() -> None:
    body = "import time\nwhile time.process_time() < 0.6: pass\nreturn 1"
    for _ in range(3):  # of 1 s each; the zygote's and the other workers' time is not theirs
        assert report(WARM, body) == 1


def test_many_submissions_leave_no_process_descriptor_or_mount() -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    def of_the_zygote() -> list[int]:
        with contextlib.suppress(PermissionError):  # root may look
            mounts = Path(f"/proc/{pid}/mountinfo").read_text(encoding="ascii").count("\n")
            return [len(os.listdir(f"/proc/{pid}/fd")), mounts]
        return []

    files = runtime()
    assert answers_once(files)
    pid = zygote_pid()
    before = open_files(), of_the_zygote()
    for _ in range(100):
        assert answers_once(files)
    assert alone(pid)
    assert (open_files(), of_the_zygote()) == before
    assert the_container().served == 101


def answers_once(files: Any) -> bool:
    worker = container.start(files, ProcessLimits())
    assert isinstance(worker, Forked)
    said = answers(worker)
    return said and worker.end(5) == 0


def test_a_container_is_renewed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "RENEW", 2)
    seen = set()
    for _ in range(4):
        worker = container.start(runtime(), ProcessLimits())
        assert isinstance(worker, Forked)
        seen.add(worker.container)
        assert worker.end() == -signal.SIGKILL
    assert len(seen) == 2
    worker = container.start(runtime(), ProcessLimits())  # leave one alive for the fixture
    worker.end()


def test_two_submissions_at_once_are_in_two_containers() -> None:
    told: list[Any] = []
    both = [threading.Thread(target=lambda: told.append(report(WARM, "return 1"))) for _ in "ab"]
    slow = container.start(runtime(), ProcessLimits())
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    slow.end()
    assert told == [1, 1]
    assert len(HERE.all) >= 2


def test_a_container_started_by_a_thread_outlives_the_thread() -> None:
    thread = threading.Thread(target=lambda: report(WARM, "return 1"))
    thread.start()
    thread.join()
    pid = zygote_pid()
    time.sleep(0.2)
    assert report(WARM, "return 2") == 2
    assert zygote_pid() == pid


def test_a_zygote_that_died_while_it_waited_costs_no_submission_anything() -> None:
    assert report(WARM, "return 1") == 1
    first = zygote_pid()
    os.kill(first, signal.SIGKILL)
    ran = submit(WARM, "def f(): return 2")
    assert ran.runs["f"].failure is None
    assert_later_counts(ran)
    assert zygote_pid() != first


def test_a_container_killed_at_work_costs_one_exercise_and_the_next_has_another() -> None:
    assert report(WARM, "return 1") == 1
    victim = the_container().process
    assert victim is not None
    threading.Timer(0.5, lambda: os.kill(victim.pid, signal.SIGKILL)).start()
    ran = submit(WARM, "import time\ndef f():\n    while time.process_time() < 0.9: pass")
    assert failure(ran.runs["f"]).kind == "limit"
    assert_later_counts(ran)
    assert all(one.process is not victim for one in HERE.all)


def test_nothing_outlives_the_process_that_grades(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from course.grading.container import HERE, start\n"
        "from course.grading.process import ProcessLimits\n"
        "from course.grading.runtime import runtime\n"
        "worker = start(runtime(), ProcessLimits())\n"
        "print(HERE.all[0].process.pid, worker.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    grader = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert grader.stdout is not None
    pids = [int(pid) for pid in grader.stdout.readline().split()]
    assert len(pids) == 2
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    grader.kill()
    grader.wait()
    grader.stdout.close()
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            break
        time.sleep(0.02)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    report(WARM, "return 1")


def test_a_process_forked_from_the_grader_starts_its_own_container() -> None:
    assert report(WARM, "return 1") == 1
    pid = zygote_pid()
    child = os.fork()
    if child == 0:
        try:
            good = HERE.all == [] and report(WARM, "return 2") == 2
            HERE.close()
        finally:
            os._exit(0 if good else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert report(WARM, "return 3") == 3
    assert zygote_pid() == pid


def test_where_namespaces_are_refused_each_submission_gets_a_fresh_bubblewrap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = subprocess.Popen

    def no_capabilities(words: list[str], **options: Any) -> Any:
        descriptor = int(words[words.index("--args") + 1])
        size = os.fstat(descriptor).st_size
        if b"CAP_SYS_ADMIN" in (text := os.pread(descriptor, size, 0)):
            text = text.replace(b"--cap-add\0CAP_SYS_ADMIN\0", b"")
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, text, 0)
        return start(words, **options)

    monkeypatch.setattr(container.subprocess, "Popen", no_capabilities)
    assert report(WARM, "return os.getpid()") > 0
    assert "unshare" in next(iter(HERE.refused.values()))
    worker = container.start(runtime(), ProcessLimits())
    assert isinstance(worker, Bubblewrapped)
    assert answers(worker)
    worker.end(2)
    monkeypatch.undo()
    HERE.close()
    assert report(WARM, "return 1") == 1


def test_an_allowed_package_is_imported_before_the_first_submission() -> None:
    exercises = ExerciseSet.of(
        module_of("IMPORTS = ('numpy', 'matplotlib.pyplot')\n" + EXERCISES, "exercises.py")
    )
    program = (
        "import sys, time\nloaded = 'matplotlib.pyplot' in sys.modules\ndef f(): return loaded"
    )
    cells = [Cell("f", program), LATER]
    ran = run_submission(cells, exercises, {"f": [{}], "later": [{}]}, WARM)
    assert ran.runs["f"].cases[0].values == {"y": True}
    assert SET.imports == ("numpy",)


def test_a_worker_is_forked_and_answers_in_a_twentieth_of_a_second() -> None:
    files = runtime()
    answers_once(files)
    times = []
    for _ in range(10):
        start = time.monotonic()
        assert answers_once(files)
        times.append(time.monotonic() - start)
    assert min(times) < 0.05
