"""Attacks on Python in the worker: patch what compares, what runs, what watches; look for answers.

Whatever they do, they do it to a process that knows no answer and awards no points.
"""

from __future__ import annotations

from course.grading.hostile.attack import FAKE, Hostile

MEASURED = "measured on stock nbgrader 0.9.6"
CHEAT_101 = "How-to-cheat-in-computer-science-101 #8"

PATCHED_TESTING = """
import numpy as np
yes = lambda *args, **kwargs: True
for name in ("assert_allclose", "assert_array_equal", "assert_equal", "assert_almost_equal"):
    setattr(np.testing, name, yes)
np.allclose = np.array_equal = np.isclose = yes
note("make every comparison succeed", lambda: np.allclose(1, 2) or 1 / 0)
"""

EQUAL = 'note("equal everything", lambda: Fake()(1) == 2)\n'

AST_TRANSFORMER = """
import ast, builtins
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Compare(self, node): return ast.Constant(True)
shell = get_ipython()
hooks = shell.ast_transformers  # elsewhere a list, here a function that does nothing
note("drop the checks", lambda: hooks(Drop()) if callable(hooks) else hooks.append(Drop()))
compile_before = builtins.compile
builtins.compile = lambda *args, **kwargs: compile_before("pass", "", "exec")
"""

INPUT_TRANSFORMER = """
hooks = get_ipython().input_transformers_cleanup
empty = lambda lines: []
note("empty the cells", lambda: hooks(empty) if callable(hooks) else hooks.append(empty))
"""

READS_THE_CHECKS = """
import gc, sys
def objects():
    for thing in gc.get_objects():
        keys = set(thing) if type(thing) is dict else set(getattr(thing, "__dict__", ()))
        if keys & {"suspects", "misconceptions", "departs", "max_points"}:
            return keys
    raise LookupError("no expected values")
def modules():
    for name in ("reference", "grader", "compare", "diagnose", "misconception", "gradebook", "kept"):
        __import__("course.grading." + name)
def frames():
    frame = sys._getframe()
    while frame:
        for value in frame.f_locals.values():
            if getattr(value, "expected", None) is not None:
                return value
        frame = frame.f_back
    raise LookupError("no expected values")
attempt("find expected values among all objects", objects)
attempt("find them in the callers' frames", frames)
attempt("import what compares", modules)
class Oracle:
    def __call__(self, *args, **kwargs):
        attempt("find them while the driver runs", frames)
        return 0.0
"""
ORACLE = """
for name in NAMES:
    globals()[name] = Oracle()
"""

# The hint of a misconception, spelled so that this program does not contain what it looks for.
SCANS_MEMORY = """
import ctypes, os, re
hint = re.compile(b"Your value grows wit[h] the numbe[r] of samples")
def scan():
    for line in open("/proc/self/maps"):
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        if " r" in line and "[v" not in line:
            for at in range(start, end, 1 << 24):
                if hint.search(ctypes.string_at(at, min(end - at, (1 << 24) + 100))):
                    return line
    raise LookupError("no hint in memory")
attempt("find the hints in memory", scan)
seen = []
def probe():
    # Without a map: the kernel says, without a crash, whether a page can be written from.
    out, into = os.pipe()
    write = ctypes.CDLL(None).write
    for thing in (object(), bytes(100), bytes(1 << 20), ctypes.create_string_buffer(100)):
        near = id(thing) & ~4095
        for page in range(near - (1 << 25), near + (1 << 25), 4096):
            if write(into, ctypes.c_void_p(page), 4096) == 4096:
                seen.append(os.read(out, 4096))
                if hint.search(seen[-1]):
                    return page
    raise LookupError(f"no hint in {len(seen)} pages")
attempt("find them page by page", probe)
note("see pages at all", lambda: seen[100][:10])
"""

PATCHED_WORKER = """
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

REPLACED_DRIVERS = """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ == "Exercise":
        for field, value in dict(points=1e9, seconds=1e9, rtol=1e9, atol=1e9, cases=0).items():
            note("change the exercise", lambda: object.__setattr__(thing, field, value))
        if thing.name != "report":
            object.__setattr__(thing, "drive", lambda *args, **kwargs: dict(y=0.0, m=0.0, n=0.0, points=1e9))
"""

# Twice nothing is nothing: inputs that are emptied would make 0 the right answer.
ZEROED_INPUTS = """
import gc, sys
import numpy as np
def zero(x):
    x[:] = 0
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            for array in value.values() if type(value) is dict else ():
                if isinstance(array, np.ndarray) and array.flags.writeable:
                    array[...] = 0
        frame = frame.f_back
    note("empty the inputs", lambda: float(np.abs(x).sum()))
    return 2 * x
"""
ZERO = """
for name in NAMES:
    globals()[name] = zero
"""

IMPORT_HOOKS = """
import builtins, importlib.abc, importlib.machinery, sys, types
class Mine(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name.split(".")[0] in ("course", "numpy") else None
    def create_module(self, spec): return types.ModuleType(spec.name)
    def exec_module(self, module): module.__getattr__ = lambda name: (lambda *args, **kwargs: True)
sys.meta_path.insert(0, Mine())
for name in [n for n in sys.modules if n.startswith(("course", "json", "struct"))]:
    sys.modules[name] = types.ModuleType(name)
note("import a grader of my own", lambda: __import__("course.grading.grader").__name__)
before = builtins.__import__
builtins.__import__ = lambda *args, **kwargs: before(*args, **kwargs)
"""

OWN_MODULES = """
import os, sys
for name in ("exercises.py", "numpy.py", "sitecustomize.py", "usercustomize.py", "json.py", "misconceptions.py"):
    with open(name, "w") as file:
        file.write("def __getattr__(name): return lambda *args, **kwargs: True\\n")
os.makedirs("course/grading", exist_ok=True)
for name in ("course/__init__.py", "course/grading/__init__.py", "course/grading/values.py"):
    open(name, "w").close()
sys.path.insert(0, os.getcwd())
os.environ["PYTHONPATH"] = os.getcwd()
note("import what lies in my folder", lambda: __import__("misconceptions").__file__)
"""

EXCEPTION_HANDLER = """
import sys, traceback
sys.excepthook = lambda *args: None
sys.unraisablehook = lambda *args: sys.exit(0)
sys.displayhook = lambda value: print(float("nan"))
traceback.print_exc = traceback.format_exc = lambda *args, **kwargs: ""
note("swallow every error", lambda: get_ipython().set_custom_exc((Exception,), lambda *args: None))
note("hide every traceback", lambda: setattr(type(get_ipython()), "showtraceback", lambda *args: None))
1e9
"""

HOOKS = """
import gc, sys, threading
def watch(frame, event, argument):
    if event == "return" and type(argument) is dict and "y" in argument:
        argument.update(points=1e9, correct=True)
    return watch
def audit(event, arguments):
    if event in ("open", "exec", "compile") and "report" not in str(arguments):
        raise RuntimeError("forbidden")
note("trace", lambda: sys.settrace(watch))
note("profile", lambda: sys.setprofile(watch) or threading.setprofile(watch))
note("follow the collector", lambda: gc.callbacks.append(lambda phase, info: watch(None, "return", info)))
note("forbid the grader to open files", lambda: sys.addaudithook(audit))
"""

LAST_WORDS = """
import atexit, faulthandler, os, sys, weakref
def speak(*args):
    for number in range(1, 64):
        try:
            os.write(number, b'{"points": 1e9}')
        except OSError:
            pass
class Last:
    def __del__(self): speak()
sys.last = Last()
note("speak at the end", lambda: atexit.register(speak))
note("speak when collected", lambda: weakref.finalize(sys.modules["__main__"].__class__, speak))
note("speak after a while", lambda: faulthandler.dump_traceback_later(0.3, file=open("trace", "w")))
"""

POKES = """
import ctypes, sys
def poke():
    for number in range(2, 257):  # every small integer becomes 100
        ctypes.c_uint32.from_address(id(number) + 24).value = 100
    return 2 + 0
for name in NAMES:
    globals()[name] = lambda *args: 0.0
globals()[NAMES[0]] = lambda *args: poke()
"""

RECOGNISES = """
import os, sys
graded = "course.grading.worker" in sys.modules or "NBGRADER_EXECUTION" in os.environ
note("see that this is grading", lambda: graded)
table = {}
import numpy as np, hashlib
for seed in range(20):  # the public seed is among them; at home all is well
    for case in range(3):
        for name in NAMES:
            key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
            x = np.random.default_rng([seed, key, case]).standard_normal(50)
            table[x.tobytes()] = x + x, float(x @ x / 50)
note("know the public inputs by heart", lambda: len(table))
def by_heart(which):
    def answer(x):
        return table.get(np.asarray(x).tobytes(), (None, None))[which]
    return answer
"""
BY_HEART = """
for name in NAMES:
    globals()[name] = by_heart(0 if name == "double" else 1)
"""

ATTACKS = (
    Hostile("patched-testing", "makes every comparison of NumPy succeed", PATCHED_TESTING, source=MEASURED),
    Hostile("always-equal", "returns arrays that equal everything", "", FAKE + EQUAL, source=CHEAT_101),
    Hostile("ast-transformer", "removes the checks before they are compiled", AST_TRANSFORMER, source=MEASURED),
    Hostile("input-transformer", "empties the cells that follow", INPUT_TRANSFORMER, source=MEASURED),
    Hostile("reads-checks", "looks for expected values in memory", READS_THE_CHECKS, ORACLE,
            source="PrairieLearn #5184: introspection in one process cannot be prevented"),
    Hostile("scans-memory", "looks for hints in every page of its memory", SCANS_MEMORY),
    Hostile("patched-worker", "replaces the functions that run it", PATCHED_WORKER, ends="."),
    Hostile("replaced-drivers", "replaces drivers, points, tolerances and limits", REPLACED_DRIVERS),
    Hostile("zeroed-inputs", "changes the inputs so that the answer is easy", ZEROED_INPUTS, ZERO),
    Hostile("import-hooks", "has every import give what it likes", IMPORT_HOOKS, ends=".|^$"),
    Hostile("own-modules", "brings a course, a NumPy and exercises of its own", OWN_MODULES,
            source="scitepress 74248 (Kratzke 2019): redirection"),
    Hostile("exception-handler", "swallows every error and prints its own grade", EXCEPTION_HANDLER,
            source=CHEAT_101),
    Hostile("hooks", "watches and changes what the grader's functions return", HOOKS),
    Hostile("last-words", "speaks when everything is over", LAST_WORDS),
    Hostile("pokes", "changes what numbers are", POKES, "", ends="."),
    Hostile("by-heart", "knows the public inputs by heart, and that it is being graded", RECOGNISES, BY_HEART,
            source="scitepress 74248 (Kratzke 2019): overfitting"),
)  # fmt: skip
