"""Attacks by what is returned: objects that act when read, lie when asked, or have no end."""

from __future__ import annotations

from course.grading.hostile.attack import Hostile

EACH = """
class Each:
    \"\"\"Gives everything to everybody, one thing after the other.\"\"\"
    turn = 0
    def __call__(self, *args, **kwargs):
        Each.turn += 1
        return things[Each.turn % len(things)]
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return self
for name in NAMES:
    globals()[name] = Each()
note("return it", lambda: len(things))
"""

REDUCE = """
import os
class Bomb:
    def __reduce__(self): return (os.system, (f"touch {ROOT}/planted.txt",))
    def __reduce_ex__(self, protocol): return self.__reduce__()
    def __getstate__(self): return self.__reduce__()
things = [Bomb(), [Bomb()], {"y": Bomb()}]
"""

MONSTERS = """
import numpy as np
deep = []
for _ in range(100_000):
    deep = [deep]
loop = []
loop.append(loop)
things = [deep, np.full(10**7, np.nan), 10**10_000, "x" * 10**8, {"1": deep}, loop, {"a": loop}]
"""

NOT_NUMBERS = """
import numpy as np
things = [float("nan"), float("inf"), -float("inf"), np.nan, np.full(50, np.nan), np.full(50, np.inf),
          complex(0, float("nan")), np.full(50, 1j), -0.0, None, True, "full marks", np.float64("nan")]
"""

LYING_NUMBERS = """
import numpy as np
class Lie(float):
    def __float__(self): return self
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __sub__(self, other): return 0.0
    __rsub__ = __abs__ = __mul__ = __rmul__ = __sub__
    def __hash__(self): return 0
    def __repr__(self): return "NaN, or what you expect"
class Index(int):
    def __int__(self): return 10**100
    __index__ = __int__
class Text(str):
    def __str__(self): return 5
    def __eq__(self, other): return True
    def __hash__(self): return hash("solution")
things = [Lie(), Lie("nan"), Index(3), Text("y"), {Text("solution"): Lie()}, np.float64(0).view(np.int64)]
"""

CHANGING = """
import itertools
class Changing(dict):
    def items(self): return itertools.chain([("y", 0.0)], ((str(i), 0) for i in itertools.count()))
    def __iter__(self): return iter(["y", "m"])
    def keys(self): return ["y"]
    def __len__(self): return 10**12
class Endless(list):
    def __iter__(self): return itertools.repeat(0.0)
    def __len__(self): return 1
class Raises(dict):
    def items(self): raise SystemExit(0)
things = [Changing(y=1), Endless([1.0]), (Endless(),), Raises(y=1)]
"""

ODD_ARRAYS = """
import numpy as np
class Two(np.ndarray):
    \"\"\"Another array whenever it is looked at.\"\"\"
    def __array__(self, *args, **kwargs): return np.random.default_rng().standard_normal(50)
    def tobytes(self, *args): return b"points"
    def astype(self, *args, **kwargs): return self
    dtype = property(lambda self: np.dtype(object))
    shape = property(lambda self: (50,))
class Interface:
    __array_interface__ = dict(shape=(1 << 40,), typestr="<f8", data=(0, True), version=3)
zeros = np.zeros(50)
things = [zeros.view(Two), np.ma.masked_all(50), np.zeros(50, [("y", float)]), np.array([object()] * 50),
          np.zeros(50, "M8[s]"), np.zeros(50, "S8"), np.zeros(50, complex), np.zeros(50, ">f8"),
          np.lib.stride_tricks.as_strided(zeros, (50,), (0,)), zeros[::-1], np.zeros((0, 50)), np.zeros((1,) * 32),
          np.zeros(50, np.longdouble), np.array("y"), Interface(), memoryview(zeros)]
"""

GIANTS = """
import numpy as np
one = np.zeros(1)
things = [np.broadcast_to(one, 1 << 40), np.broadcast_to(one, (1 << 20, 1 << 10)),
          [np.zeros(1 << 20)] * 1000, np.broadcast_to(np.zeros(1, bool), 1 << 33), range(10**12),
          [[0.0] * 1000] * 1000, {str(i): 0 for i in range(10**5)}]
"""

RACING = """
import threading, time
import numpy as np
shared = np.zeros(50)
def change():
    end = time.monotonic() + 1
    while time.monotonic() < end:
        shared[:] = np.random.default_rng().standard_normal(50)
        try:
            shared.resize(np.random.default_rng().integers(1, 10**5), refcheck=False)
        except ValueError:
            pass
threading.Thread(target=change, daemon=True).start()
things = [shared]
"""

# A driver may put what it gets beside other things: as many values as there are guesses.
CROWDS = """
import numpy as np
class Crowd(np.ndarray):
    \"\"\"Every number at once, in the shape that is asked for.\"\"\"
    def __array_finalize__(self, parent): pass
    def __array_ufunc__(self, *args, **kwargs): return self
crowd = np.linspace(-100, 100, 10**6)
things = [crowd, crowd.view(Crowd), list(crowd[::100]), {"y": 0.0, "m": 1.0, "points": 1e9}, iter(crowd),
          (0.0, 1.0), np.array([[0.0]]), np.zeros((50, 1)), np.zeros((50, 50))]
"""

ATTACKS = tuple(
    Hostile(name, aim, program, EACH, source=source)
    for name, aim, program, source in (
        ("reduce", "returns objects that act when unpickled", REDUCE,
         "otter-grader 7 loads a pickle made by the student's kernel"),
        ("monstrous-values", "returns values without end", MONSTERS, ""),
        ("not-numbers", "returns what is no number", NOT_NUMBERS,
         "nbgrader.utils.determine_grade: NaN, negative or text gives full marks"),
        ("lying-numbers", "returns numbers and texts that lie", LYING_NUMBERS, ""),
        ("changing-values", "returns what changes while it is read", CHANGING, ""),
        ("odd-arrays", "returns arrays of odd types, strides and makers", ODD_ARRAYS, ""),
        ("giant-arrays", "returns arrays that are small until they are copied", GIANTS, ""),
        ("racing-arrays", "changes and moves arrays while they are read", RACING, ""),
        ("crowds", "returns every answer at once", CROWDS, ""),
    )
)  # fmt: skip
