"""Attacks by the file itself: cells, metadata, encodings and sizes that no program would write."""

from __future__ import annotations

import copy
import json
from typing import Any

from course.grading.hostile.attack import Hostile, is_code, marks

MEASURED = "measured on stock nbgrader 0.9.6"
FULL = {"output_type": "execute_result", "metadata": {}, "execution_count": 1}


def claims_points(notebook: dict[str, Any]) -> None:
    """Flags, points, outputs and a ready-made result that all say 'full marks'."""
    notebook["metadata"]["course"] = {"result": {"points": 1e9, "outcomes": {}, "reason": None}}
    for cell in notebook["cells"]:
        if marks(cell).get("grade") and is_code(cell):
            marks(cell).update(points=1e9, locked=False)
            cell["source"] = "1e9"
            cell["outputs"] = [FULL | {"data": {"text/plain": "NaN"}}]


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


SCRIPT_IN_ERRORS = f"""
SCRIPT = {SCRIPT!r}
note("define it", lambda: SCRIPT)
class Evil(Exception):
    def __str__(self): return SCRIPT + "`" + SCRIPT + "`$\\\\href{{javascript:1}}{{x}}$\\x1b[31m" + "\\u202e"
Evil.__name__ = Evil.__qualname__ = "</span><script>document.title = 'owned'</script>"
def fail(*args):
    raise Evil
for name in NAMES:
    globals()[name] = fail
"""


def doubled_ids(notebook: dict[str, Any]) -> None:
    """Solution cells under the names of check cells and of one another, ids that clash."""
    for cell in list(notebook["cells"]):
        if marks(cell).get("solution") and is_code(cell):
            twin = copy.deepcopy(cell)
            marks(twin).update(grade_id="check-" + marks(cell)["grade_id"], grade=True, points=1e9)
            notebook["cells"] += [twin, copy.deepcopy(cell), copy.deepcopy(cell)]
        cell["id"] = "the same"


def odd_kernel(notebook: dict[str, Any]) -> None:
    """A kernel that is a command, a language that names a file."""
    notebook["metadata"]["kernelspec"] = {
        "name": "../../../../bin/sh", "display_name": "sh", "language": "bash",
        "argv": ["/bin/sh", "-c", "touch planted.txt"],
    }  # fmt: skip
    notebook["metadata"]["language_info"] = {
        "name": "python", "file_extension": "/../planted.txt", "pygments_lexer": "<script>",
        "nbconvert_exporter": "os.system", "codemirror_mode": {"name": ["x"] * 100},
    }  # fmt: skip
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": 1}}
    notebook["nbformat"], notebook["nbformat_minor"] = 99, -1


def odd_marks(notebook: dict[str, Any]) -> None:
    """nbgrader's own metadata, old, new, of the wrong type, and with more tasks than there are."""
    strange: list[Any] = [None, [], "yes", float("nan"), -1, 10**400, {"a": {}}, True]
    for number, cell in enumerate(notebook["cells"]):
        mark = cell["metadata"].setdefault("nbgrader", {})
        mark.update(schema_version=[1, 99, "3", None][number % 4], points=strange[number % 8])
        mark["cell_type"] = strange[(number + 3) % 8]
        cell["execution_count"] = strange[(number + 1) % 8]
        cell["metadata"]["tags"] = strange[(number + 2) % 8]
    task = {"grade": False, "solution": False, "task": True, "locked": True, "points": 1e9}
    for number in range(3):
        mark = {"grade_id": f"task-{number}", "schema_version": 3, **task}
        notebook["cells"].append(
            {"cell_type": "markdown", "metadata": {"nbgrader": mark}, "source": "For free."}
        )


MAGIC = """%%bash
touch ROOT/feedback/planted.txt
"""
LINES = """!touch {root}/feedback/planted.txt
%run {root}/solutions/00-tiny/tiny.ipynb
%load_ext {root}/solutions
%env SCORE=100
files = !ls {root}
%store -r
get_ipython().system("touch {root}/feedback/planted.txt")
get_ipython().run_line_magic("run", "{root}/solutions/00-tiny/tiny.ipynb")
"""


def magics(notebook: dict[str, Any]) -> None:
    """Shell lines and magics, in cells of their own and in the place of a solution."""
    for cell in notebook["cells"]:
        if marks(cell).get("solution") and is_code(cell):
            cell["source"] = LINES.replace("{root}", "..")
    notebook["cells"].insert(
        0, {"cell_type": "code", "metadata": {}, "source": MAGIC, "outputs": []}
    )


def many_cells(notebook: dict[str, Any]) -> None:
    """More cells than anyone would write, each cheap."""
    notebook["cells"] += [
        {"cell_type": "code", "metadata": {}, "source": f"x{n} = {n}", "outputs": []}
        for n in range(1500)
    ]


def attachments(notebook: dict[str, Any]) -> None:
    """Attachments that are no pictures, outputs of unknown kinds, cells of unknown kinds."""
    notebook["cells"] += [
        {"cell_type": "markdown", "metadata": {}, "source": "![a](attachment:a.svg) ![b](attachment:../b)",
         "attachments": {"a.svg": {"image/svg+xml": SCRIPT, "text/html": [SCRIPT]},
                         "../b": {"image/png": "!!!"}, "c": 5, "d.png": {"image/png": ["a", 1]}}},
        {"cell_type": "widget", "metadata": None, "source": {"text": 1}},
        {"cell_type": ["code"], "source": ["print(", 1, ")"], "outputs": {"a": 1}},
        {"cell_type": "raw", "metadata": {"format": "text/html"}, "source": SCRIPT},
        17, None, ["code"], {},
    ]  # fmt: skip
    for cell in notebook["cells"][:5]:
        cell["outputs"] = [{"output_type": "update_display_data", "data": {"text/html": SCRIPT}}]


def deep_json(notebook: dict[str, Any]) -> bytes:
    """JSON nested so deep that reading it takes the stack."""
    deep = b"[" * 200_000 + b"]" * 200_000
    return json.dumps(notebook).encode()[:-1] + b', "x": ' + deep + b"}"


def doubled_keys(notebook: dict[str, Any]) -> bytes:
    """The same key twice: which one counts depends on the reader."""
    other = copy.deepcopy(notebook)
    claims_points(other)
    first, second = (json.dumps(each)[1:-1] for each in (notebook, other))
    return f'{{{first}, {second}, "cells": {json.dumps(other["cells"])}}}'.encode()


def odd_encoding(notebook: dict[str, Any]) -> bytes:
    """UTF-16 with a mark, lone surrogates and zeros inside."""
    for cell in notebook["cells"]:
        if marks(cell).get("solution") and is_code(cell):
            cell["source"] += "\n'\ud800 \0 \u2028 \x85'"
    return json.dumps(notebook).encode("utf-16")


def odd_numbers(notebook: dict[str, Any]) -> bytes:
    """Numbers that take a quadratic time to read, and literals that are no JSON."""
    text = json.dumps(notebook)[:-1]
    return f'{text}, "a": {"9" * 100_000}, "b": NaN, "c": -Infinity, "d": 1e99999}}'.encode()


def huge(notebook: dict[str, Any]) -> bytes:
    """More megabytes than are read."""
    return json.dumps(notebook).encode() + b" " * 11_000_000


def nothing_at_all(notebook: dict[str, Any]) -> bytes:
    """What is no JSON: a pickle that would act."""
    return b"cos\nsystem\n(S'touch planted.txt'\ntR."


ATTACKS = (
    Hostile("claims-points", "writes its grade into the file", tamper=claims_points, source=MEASURED),
    Hostile("empties-checks", "doubles and empties the check cells", tamper=empties_checks, source=MEASURED),
    Hostile("scripts-the-page", "hides scripts for whoever reads it", tamper=scripts_the_page,
            source="nbconvert's sanitize_html is off by default"),
    Hostile("scripts-in-errors", "hides scripts in errors and names", SCRIPT_IN_ERRORS, "", ends="owned"),
    Hostile("doubled-ids", "gives cells the names of others", tamper=doubled_ids,
            source="nbgrader #1083: duplicated cells stop the batch"),
    Hostile("odd-kernel", "names a command where a kernel is named", tamper=odd_kernel),
    Hostile("odd-marks", "invents tasks, points and versions", tamper=odd_marks, source=MEASURED),
    Hostile("magics", "asks the shell and runs notebooks by IPython's own lines", tamper=magics),
    Hostile("attachments", "attaches what is no picture, in cells of no kind", tamper=attachments),
    Hostile("many-cells", "has more cells than can be run", tamper=many_cells, reason="too large"),
    Hostile("deep-json", "nests JSON without end", raw=deep_json, reason="damaged"),
    Hostile("doubled-keys", "says everything twice, differently", raw=doubled_keys),
    Hostile("odd-encoding", "writes UTF-16, lone surrogates and zeros", raw=odd_encoding),
    Hostile("odd-numbers", "writes numbers of a hundred thousand digits", raw=odd_numbers, reason=".|^$"),
    Hostile("huge-notebook", "hands in megabytes of nothing", raw=huge, reason="larger than"),
    Hostile("pickle", "hands in a pickle as a notebook", raw=nothing_at_all, reason="damaged"),
)  # fmt: skip
