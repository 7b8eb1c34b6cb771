"""Attacks by plain consumption: memory, time, output.  They end by a limit, and the limit is named."""

from __future__ import annotations

from course.grading.hostile.attack import FAKE, KERNEL, Hostile

FIRST = """
for name in NAMES:
    globals()[name] = lambda *args, **kwargs: 0.0
globals()[NAMES[0]] = {function}
"""

MEMORY = """
def hoard():
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
attempt("eat memory bit by bit", hoard)
"""

AT_ONCE = """
import mmap, zlib
attempt("ask for a petabyte", lambda: mmap.mmap(-1, 1 << 50))
attempt("make a text without end", lambda: len("x" * (1 << 40)))
attempt("make an array without end", lambda: __import__("numpy").ones(1 << 40))
def bomb():
    small = zlib.compressobj()
    packed = b"".join(small.compress(bytes(1 << 24)) for _ in range(100)) + small.flush()
    return len(zlib.decompress(zlib.compress(packed)) and zlib.decompress(packed))
attempt("unpack a bomb", bomb)
"""

UNCOUNTED = (
    KERNEL
    + """
def segments():
    for number in range(4):
        call("shmget", 0, 64 << 20, 0o1600)
def queues():
    for number in range(4):
        call("msgget", 0, 0o1600)
attempt("keep memory in segments", segments)
attempt("keep memory in queues", queues)
attempt("keep memory in named queues", lambda: call("mq_open", b"hostile", 0o102, 0o600, None))
attempt("keep a file in memory", lambda: os.ftruncate(os.memfd_create("hoard"), 1 << 40))
note("lock memory", lambda: library.mlockall(3))
"""
)

BACKTRACKING = "import re\ndef forever(*args): return re.match('(a+)+$', 'a' * 60 + 'b')\n"
POWER = "def forever(*args): return 7 ** (10 ** 9) % 10\n"
ENDLESS = "def forever(*args):\n    while True:\n        pass\n"
SLEEPS = "import time\ndef forever(*args):\n    while True:\n        time.sleep(1)\n"
SWALLOWS = """
import signal
def forever(*args):
    signal.setitimer(signal.ITIMER_PROF, 0)
    while True:
        try:
            while True:
                pass
        except BaseException:
            signal.setitimer(signal.ITIMER_PROF, 0)
"""

STACK = """
import sys, threading
sys.setrecursionlimit(10**9)
def forever(*args):
    class Deep:
        def __getattribute__(self, name): return getattr(self, name)
    return Deep().anything
"""

FLOOD = (
    FAKE
    + """
import sys
for _ in range(2000):
    print("x" * 100_000)
    sys.stderr.write("y" * 1000)
note("print without end", lambda: sys.__stdout__.write("x" * 10**7))
"""
)


def first(function: str) -> str:
    """The program, and its function in the place of the first exercise."""
    return function + FIRST.format(function="forever")


ATTACKS = (
    Hostile("memory", "eats memory", MEMORY),
    Hostile("memory-at-once", "asks for more memory than there is", AT_ONCE),
    Hostile("uncounted-memory", "keeps memory where no limit counts it", UNCOUNTED,
            source="found here: segments and queues count in no limit"),
    Hostile("endless", "never returns", first(ENDLESS), "", ends="CPU time"),
    Hostile("sleeps", "waits for ever without using the processor", first(SLEEPS), "", ends="waiting"),
    Hostile("swallows-time-up", "catches whatever tells it that its time is up", first(SWALLOWS), "",
            ends="CPU time"),
    Hostile("backtracking", "has a regular expression try every way", first(BACKTRACKING), "",
            ends="CPU time"),
    Hostile("power", "computes one number for an hour, deaf to signals", first(POWER), "",
            ends="CPU time|memory|allocate|MemoryError"),
    Hostile("stack", "overflows the stack below Python", first(STACK), "",
            ends="crash|signal|RecursionError|memory"),
    Hostile("flood", "prints without end", FLOOD, ""),
)  # fmt: skip
