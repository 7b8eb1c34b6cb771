"""From key press to changed picture, in a real browser: `python -m benchmarks.slider_latency`.

The same picture is moved by the same keys in every technique, one after the other in one run, and
the runs are repeated. Needs Chromium and Playwright. `--quick` does one short run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CELLS = {
    "twin": "from benchmarks._boundary import Boundary\nBoundary()",
    "kernel": "from benchmarks._boundary import BoundaryFromKernel\nBoundaryFromKernel()",
    "interact": "%matplotlib inline\nfrom benchmarks._boundary import interact_and_matplotlib\n"
    "interact_and_matplotlib()",
}
# Notes when a key goes down, and when a change of a picture has been presented: after the frame that
# follows the change. Where the change was made inside a frame, this is one frame (17 ms) too much.
OBSERVER = """(() => {
  const B = window.bench = { keys: [], shown: [], frames: new Set() };
  let pending = false;
  const present = () => {
    requestAnimationFrame((frame) => B.frames.add(frame)); // one for each frame with a change
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { pending = false; B.shown.push(performance.now()); };
      channel.port2.postMessage(0);
    });
  };
  window.addEventListener("keydown", (e) => { B.keys.push(e.timeStamp); }, true);
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      if (target.closest?.(".explore-picture")) { present(); return; }
      for (const node of addedNodes) {
        for (const img of node.querySelectorAll?.("img") ?? []) img.decode().then(present, () => {});
      }
    }
  }).observe(document, { subtree: true, childList: true, attributes: true });
})()"""
STEP = """async (quiet) => {
  const B = window.bench, start = performance.now();
  while (performance.now() - start < 3000) {
    await new Promise((done) => setTimeout(done, 20));
    if (B.shown.length && performance.now() - B.shown.at(-1) > quiet) break;
  }
  return [B.keys[0], B.shown.at(-1)];
}"""


@dataclass(frozen=True)
class Variant:
    """One technique in one place, and what it must reach (p95 in ms, pictures a second)."""

    name: str
    cell: str
    place: str  # lab, far (lab with 80 ms of network), page
    p95_at_most: float | None = None
    fps_at_least: float | None = None


VARIANTS = (
    Variant("interact + inline matplotlib, Lab", "interact", "lab"),
    Variant("browser-computed, Lab", "twin", "lab", 30, 20),
    Variant("kernel-computed, Lab", "kernel", "lab", 45, None),
    Variant("browser-computed, page", "twin", "page", 30, 20),
    Variant("interact, Lab, +80 ms", "interact", "far"),
    Variant("browser-computed, Lab, +80 ms", "twin", "far", 30, 20),
    Variant("kernel-computed, Lab, +80 ms", "kernel", "far"),
)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def lab(folder: Path) -> Iterator[int]:
    """A JupyterLab over `folder` on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", f"--ServerApp.root_dir={folder}", "--IdentityProvider.token="]
    command += ["--ServerApp.password=", "--LabApp.expose_app_in_browser=True"]
    command += ["--LabApp.news_url=None", "--ServerApp.disable_check_xsrf=True"]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with open(folder / "lab.log", "w") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": paths}
        )
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=5)
                break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(20)


@contextlib.contextmanager
def delayed(port: int, seconds: float) -> Iterator[int]:
    """A port that leads to `port`, each direction later by half of `seconds`."""
    outside = free_port()
    loop = asyncio.new_event_loop()

    async def pump(reader: Any, writer: Any) -> None:
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    await late.put((loop.time() + seconds / 2, data))
            await late.put((0, b""))

        reading = loop.create_task(read())
        with contextlib.suppress(OSError):
            while (item := await late.get())[1]:
                await asyncio.sleep(max(0, item[0] - loop.time()))
                writer.write(item[1])
        writer.close()
        await reading

    async def serve(reader: Any, writer: Any) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    async def listen() -> None:
        await asyncio.start_server(serve, "127.0.0.1", outside)

    loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield outside

    async def hang_up() -> None:
        for task in asyncio.all_tasks(loop) - {asyncio.current_task()}:
            task.cancel()

    asyncio.run_coroutine_threadsafe(hang_up(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


@contextlib.contextmanager
def chromium(flags: list[str]) -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise SystemExit("This benchmark needs Chromium: install the package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def open_figure(page: Any, variant: Variant, ports: dict[str, int], folder: Path) -> Any:
    """The first slider of the variant's figure, focused."""
    if variant.place == "page":
        page.goto((folder / f"{variant.cell}.html").as_uri())
        slider = page.locator("input[type=range]").first
    else:
        url = f"http://127.0.0.1:{ports[variant.place]}/lab/tree/{variant.cell}.ipynb?reset"
        page.goto(url, wait_until="domcontentloaded")
        page.wait_for_function(
            "!!window.jupyterapp && document.body.innerText.includes('(ipykernel) | Idle')"
        )
        time.sleep(1)
        page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        slider = page.locator(".jp-OutputArea .noUi-handle").first
        page.wait_for_selector(".jp-OutputArea img, .explore-picture svg")
        time.sleep(2)
    slider.scroll_into_view_if_needed()
    slider.focus()
    return slider


def measure(browser: Any, variant: Variant, ports: dict[str, int], folder: Path, steps: int) -> Any:
    """Latencies (ms) of single steps, and pictures a second during a drag of 2 s."""
    for session in json.load(
        urllib.request.urlopen(f"http://127.0.0.1:{ports['lab']}/api/sessions")
    ):
        url = f"http://127.0.0.1:{ports['lab']}/api/sessions/{session['id']}"
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE"))
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(OBSERVER)
    slider = open_figure(page, variant, ports, folder)
    quiet = 120 if variant.cell == "twin" else 250 if variant.place == "lab" else 400
    latencies = []
    for i in range(steps + 5):
        page.evaluate("() => { bench.keys = []; bench.shown = []; }")
        page.keyboard.press("ArrowRight" if (i // 10) % 2 else "ArrowLeft")
        pressed, shown = page.evaluate(STEP, quiet)
        if pressed is None or shown is None:
            raise RuntimeError(f"{variant.name}: step {i} changed no picture within 3 s")
        if i >= 5:  # the first ones warm up
            latencies.append(shown - pressed)
    box = slider.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("() => bench.frames.clear()")
    start = time.perf_counter()
    for i in range(120):
        page.mouse.move(x + 60 * (1 - abs(i % 60 - 30) / 15), y)
        time.sleep(max(0, start + (i + 1) / 60 - time.perf_counter()))
    seconds = time.perf_counter() - start
    pictures = page.evaluate("() => bench.frames.size") / seconds
    page.mouse.up()
    context.close()
    return latencies, pictures


def prepare(folder: Path) -> None:
    """Notebooks for the Lab, and the page."""
    for name, cell in CELLS.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, folder / f"{name}.ipynb")
    code = "import sys; from pathlib import Path; from course.explore.site import export;"
    code += "export([Path(sys.argv[1]) / 'twin.ipynb'], Path(sys.argv[1]))"
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        check=True, env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one run of 15 steps")
    parser.add_argument("--only", help="variants whose name contains this")
    options = parser.parse_args()
    runs, steps = (1, 15) if options.quick else (3, 50)
    chosen = [v for v in VARIANTS if not options.only or options.only in v.name]
    results: dict[str, list[Any]] = {v.name: [] for v in chosen}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare(folder)
        with lab(folder) as near, delayed(near, 0.08) as far, chromium(FLAGS) as browser:
            for _ in range(runs):
                for variant in chosen:
                    ports = {"lab": near, "far": far}
                    results[variant.name].append(measure(browser, variant, ports, folder, steps))
    return report(chosen, results, steps)


def report(chosen: list[Variant], results: dict[str, list[Any]], steps: int) -> int:
    """Print the table; the number of gates missed."""
    print(
        f"Key press to changed picture, ms; median of {len(next(iter(results.values())))} runs of {steps} steps"
    )
    print(f"{'':36}{'p50':>6}{'p95':>6}{'gate':>6}{'pictures/s':>12}{'gate':>6}")
    missed = 0
    for variant in chosen:
        runs = results[variant.name]
        p50, p95 = (statistics.median(percentile(r[0], q) for r in runs) for q in (0.5, 0.95))
        fps = statistics.median(r[1] for r in runs)
        bad = (variant.p95_at_most is not None and p95 > variant.p95_at_most) + (
            variant.fps_at_least is not None and fps < variant.fps_at_least
        )
        missed += bad
        gate = f"≤ {variant.p95_at_most:.0f}" if variant.p95_at_most else ""
        gate_fps = f"≥ {variant.fps_at_least:.0f}" if variant.fps_at_least else ""
        verdict = "  MISSED" if bad else ""
        print(f"{variant.name:36}{p50:6.0f}{p95:6.0f}{gate:>6}{fps:12.0f}{gate_fps:>6}{verdict}")
    return missed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
