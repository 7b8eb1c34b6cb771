"""What an attack is, and what every hostile program starts and ends with."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What a program may know of the machine outside, so that no attack fails merely for not knowing
# where to look.  Tests say where there really is something; here is where nothing is.
NOWHERE = {
    "student": "mallory", "secret": "/nonexistent/secret", "tcp": 9, "tcp6": 9, "udp": 9,
    "stream": "/nonexistent/stream", "datagram": "/nonexistent/datagram", "abstract": "\0nobody",
    "victim": 2**22, "grader": 2**22, "stdlib": "/usr/lib/python3",
}  # fmt: skip

# `attempt` is for what must not succeed, `note` for what may, in a world of one's own.  What came of
# each step is told by the extra exercise `report`, where an assignment has one: so a test sees that an
# attack got as far as it meant to.
PRELUDE = '''
told = {}

def attempt(step, action):
    """Try something and remember what came of it; of several tries under one name a success."""
    try:
        outcome = "did " + repr(action())[:100]
    except BaseException as error:
        outcome = "refused " + type(error).__name__ + " " + str(error)[:100]
    if not told.get(step, "").startswith("did"):
        told[step] = outcome

note = attempt
'''
EPILOGUE = '\nglobals()["report"] = lambda: dict(told)\n'

# Whatever is asked of a Fake, it gives something array-like; with it every driver runs to its end.
FAKE = '''
import numpy as np

class Equal(np.ndarray):
    """An array that claims to equal everything."""
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __array_ufunc__(self, *args, **kwargs): return True
    def __array_function__(self, *args, **kwargs): return True
    def __bool__(self): return True
    def __float__(self): return 1.0

class Fake:
    def __init__(self, *args, **kwargs): pass
    def __call__(self, *args, **kwargs): return np.zeros(1).view(Equal)
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return np.zeros(1).view(Equal) if name in ("dW", "db") else self

for name in NAMES:
    globals()[name] = Fake() if name[0].islower() else Fake
'''

# `call("mount", ...)`: a system call, whatever the C library thinks of it.
KERNEL = """
import ctypes, os, platform
machine = {"x86_64": 0, "aarch64": 1}[platform.machine()]
numbers = {
    "ioctl": (16, 29), "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186),
    "vfork": (58, -1), "ptrace": (101, 117), "syslog": (103, 116), "sigqueue": (129, 138),
    "pivot_root": (155, 41), "adjtimex": (159, 171), "acct": (163, 89), "mount": (165, 40),
    "setdomainname": (171, 162), "swapoff": (168, 225), "tgkill": (234, 131), "mq_open": (240, 180),
    "add_key": (248, 217), "keyctl": (250, 219), "ioprio_set": (251, 30), "migrate_pages": (256, 238),
    "unshare": (272, 97), "perf_event_open": (298, 241), "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "setns": (308, 268),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "bpf": (321, 280), "userfaultfd": (323, 282), "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425), "open_tree": (428, 428), "fsopen": (430, 430),
    "pidfd_open": (434, 434), "clone3": (435, 435), "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442), "removexattrat": (466, 466), "file_setattr": (469, 469),
}
library = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    arguments = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    answer = library.syscall(ctypes.c_long(numbers[name][machine]), *arguments)
    if answer == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
room = ctypes.create_string_buffer(4096)
"""


@dataclass(frozen=True)
class Hostile:
    """An attack: its name, what it tries, and the program or the tampering that tries it.

    program : goes into the first solution cell; it knows `NAMES` (of the solution cells), `ROOT` (the
        folder of the course) and `OUTSIDE`, and it has `attempt` and `note`.
    answers : what follows it, so that every name is defined.
    tamper : changes the notebook.
    raw : the bytes of the file, made from the notebook.
    plant : puts further things into the submission's folder (and knows the folder of the course).
    ends : pattern of a failure that the grader sees, where the program cannot tell its own end.
    reason : pattern of the reason for which the whole submission is refused.
    twice : a second submission looks for what the first one left.
    works : the steps that succeed without a sandbox, for the test that this is no list of typing errors.
    source : where this was done, proposed or found.
    """

    name: str
    aim: str
    program: str = ""
    answers: str = FAKE
    tamper: Callable[[dict[str, Any]], None] | None = None
    raw: Callable[[dict[str, Any]], bytes] | None = None
    plant: Callable[[Path, Path], None] | None = None
    ends: str = ""
    reason: str = ""
    twice: bool = False
    works: tuple[str, ...] = ()
    source: str = ""
    steps: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        found = re.findall(r'\b(attempt|note)\(\s*"([^"]+)"', self.program + self.answers)
        object.__setattr__(self, "steps", tuple(dict.fromkeys(found)))

    def submission(
        self, released: dict[str, Any], course_root: Path | str, **outside: Any
    ) -> dict[str, Any]:
        """The notebook that is handed in, made from the released one."""
        notebook = copy.deepcopy(released)
        solutions = [c for c in notebook["cells"] if marks(c).get("solution") and is_code(c)]
        if self.program or self.answers is not FAKE:
            names = [marks(cell)["grade_id"] for cell in solutions]
            known = (
                f"NAMES = {names!r}\nROOT = {str(course_root)!r}\nOUTSIDE = {NOWHERE | outside!r}"
            )
            parts = (known, PRELUDE, self.program, self.answers, EPILOGUE)
            solutions[0]["source"] = "\n".join(parts)
            for cell in solutions[1:]:  # stubs would undo names that the program defines
                cell["source"] = "pass"
        if self.tamper is not None:
            self.tamper(notebook)
        return notebook

    def hand_in(
        self, file: Path, released: dict[str, Any], course_root: Path, **outside: Any
    ) -> None:
        """Write the submission to a file, and whatever belongs to it into the folder."""
        file.parent.mkdir(parents=True, exist_ok=True)
        notebook = self.submission(released, course_root, **outside)
        file.write_bytes(json.dumps(notebook).encode() if self.raw is None else self.raw(notebook))
        if self.plant is not None:
            self.plant(file, course_root)


def marks(cell: dict[str, Any]) -> dict[str, Any]:
    """nbgrader's metadata of a cell."""
    return cell["metadata"].get("nbgrader", {})


def is_code(cell: dict[str, Any]) -> bool:
    """Whether it is a code cell."""
    return cell["cell_type"] == "code"
