"""What a figure weighs on an exported page, and how soon it lives: `python -m benchmarks.page_weight`.

Exports the lectures, counts the bytes of each figure (state, data, twin; its still picture for
browsers without JavaScript beside it) and opens each page from its file. `--quick` takes one lecture.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.slider_latency import FLAGS, ROOT, chromium
from course.explore.site import export

LIVE_AT_MOST, SECONDS_AT_MOST = 15_000, 0.5
# The time from the start of the navigation until every figure has been drawn and presented.
CLOCK = """new Promise((done) => {
  const look = () => {
    const all = [...document.querySelectorAll(".explore")];
    if (all.length === %d && all.every((e) => e.dataset.drawn)) done(performance.now());
    else requestAnimationFrame(look);
  };
  look();
})"""


def figures(text: str) -> list[tuple[str, int, int, int]]:
    """Title, bytes of the live figure without frames, of its frames, of its still picture."""
    (given,) = re.findall(r"^host\(\.\.\.(.*), twins\);$", text, re.MULTILINE)
    states, links = json.loads(given.replace("<\\/", "</"))
    twins = dict(re.findall(r'^"([\w.]+)": (\(\(\) => \{\n.*?\n\}\)\(\)|null)', text, re.M | re.S))
    found = []
    for root, still in re.findall(r'data-model="(\w+)"></div>(<noscript>.*?</noscript>)?', text):
        mine, open_ends = set(), [root]
        while open_ends:
            name = open_ends.pop()
            mine.add(name)
            open_ends += states[name]["state"].get("children", [])
        (figure,) = (states[n]["state"] for n in mine if "_declared" in states[n]["state"])
        frames = _weight(figure.pop("_frames", ""))
        for name in mine:
            kept = [b for b in states[name].get("buffers", []) if b["path"][0] == "_frames"]
            frames += sum(len(b["data"]) for b in kept)
            if kept:
                states[name]["buffers"] = []
        live = _weight({name: states[name] for name in mine})
        live += _weight([link for link in links if link[0] in mine])
        live += len(twins.get(figure["_anywidget_id"], "").encode())
        found.append((figure["_declared"]["title"], live, frames, len(still)))
    return found


def _weight(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one lecture")
    options = parser.parse_args()
    lectures = sorted((ROOT / "lectures").glob("*.ipynb"))[: 1 if options.quick else None]
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        pages = export(lectures, Path(folder))[:-1]
        print(
            f"{'figure (gate: live ≤ 15 kB, all drawn ≤ 0.5 s)':52}{'live':>7}{'frames':>8}{'still':>7}"
        )
        with chromium(FLAGS) as browser:
            for page in pages:
                found = figures(page.read_text(encoding="utf-8"))
                times = []
                for _ in range(5):
                    tab = browser.new_page()
                    tab.goto(page.as_uri(), wait_until="commit")
                    times.append(tab.evaluate(CLOCK % len(found)) / 1000)
                    tab.close()
                seconds = statistics.median(times)
                late = seconds > SECONDS_AT_MOST
                print(f"{page.name}: {page.stat().st_size / 1000:.0f} kB, all {len(found)} drawn after"
                      f" {seconds:.2f} s{'  MISSED' * late}")  # fmt: skip
                missed += late
                for title, live, frames, still in found:
                    heavy = live > LIVE_AT_MOST
                    missed += heavy
                    print(f"  {title[:50]:50}{live:7}{frames:8}{still:7}{'  MISSED' * heavy}")
    return missed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
