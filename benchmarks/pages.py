"""How soon our pages are there, beside optuna-dashboard's on the same sweep, in a real Chromium on this machine.

A sweep of 1,000 runs (8 parameters, 10 values each) is put into our server and into Optuna's storage; each page is
opened again and again, each time in a fresh browser. Then our page of 10,000 runs, one of a million rows and 50 keys,
a run of 100 watched layers, and the heartbeats of 1,000 agents while ten pages are open. "interactive" is when no task
of more than 50 ms keeps the page from answering any more; all times are after the first byte of the page.

    .venv/bin/python benchmarks/pages.py [--quick] [--only sweep long watch heartbeat] [--rows 1000000]

optuna-dashboard gets an environment of its own (benchmarks/.cache, made by uv when it is missing). All of it takes
about ten minutes, `--quick` (100,000 rows, 3 openings, 20 s of heartbeats) four.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import uvloop
from server_load import Load, ask, cpu_s, enter, percentile, server, wait_for
from tools.browser_probe import Opening, chromium, middle, open_page
from tools.page_data import OPTUNA, fill_sweep, long_rows, trials, watched_rows

CACHE = Path(__file__).parent / ".cache"
OPENINGS, BATCH, TALL = 5, 500, 2400
PARALLEL = "[...document.querySelectorAll('[data-band=parallel] canvas')].some(painted)"
OVERVIEW = "[...document.querySelectorAll('[data-band=overview] canvas, [data-band=overview] svg')].length > 0"
# Plotly draws axes and lines of its parallel coordinates in one go, the lines on canvases of WebGL
THEIRS = "document.querySelectorAll('.parcoords .axis').length > 1 && document.querySelector('.gl-container canvas')"
CHARTS = "[...document.querySelectorAll('.uplot canvas')].filter(painted).length >= 4"
HEATMAPS = "((all) => all.length >= LAYERS && all.every(painted))([...document.querySelectorAll('.heatmap canvas')])"


def login_of(load: Load) -> str:
    """Make an address that logs a browser in."""
    url = f"http://127.0.0.1:{load.port}"
    request = urllib.request.Request(f"{url}/login/link", b"", method="POST")  # noqa: S310 - our own server
    request.add_header("Authorization", "Basic " + b64encode(f"api:{load.key}".encode()).decode())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return str(url + json.load(answer)["path"])


def session_of(browser: Any, load: Load) -> Any:
    """Log a browser in; give its cookies."""
    context = browser.new_context()
    context.new_page().goto(login_of(load))
    state = context.storage_state()
    context.close()
    return state


def dashboard_python() -> Path:
    """Give the Python that has optuna-dashboard, made if it is not there."""
    folder = CACHE / "optuna-dashboard"
    python = folder / "bin" / "python"
    if not (folder / "bin" / "optuna-dashboard").exists():
        uv = [sys.executable, "-m", "uv"]
        install = [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), "optuna-dashboard"]
        for command in ([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], install):
            subprocess.run(command, check=True)
    return python


@contextlib.contextmanager
def dashboard(folder: Path, known: list[dict[str, Any]]) -> Iterator[str]:
    """Run optuna-dashboard on these trials; the address of its page with the parallel coordinates, smart selection."""
    python, storage, port = dashboard_python(), str(folder / "optuna.log"), 27000 + os.getpid() % 5000
    (folder / "trials.json").write_text(json.dumps(known))
    subprocess.run([python, "-c", OPTUNA, storage, folder / "trials.json"], check=True)
    command = [
        python.with_name("optuna-dashboard"),
        "--storage-class",
        "JournalFileStorage",
        storage,
        "--port",
        str(port),
        "--quiet",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/dashboard/studies/0/smartSelection"
    finally:
        process.terminate()
        process.wait()


def show(what: str, one: Opening) -> None:
    """Print a row."""
    print(
        f"{what:52} {one.first_byte:7.0f} {one.drawn:7.0f} {one.interactive:11.0f} {one.kb:7.0f} {one.requests:4.0f}",
        flush=True,
    )


def repeated(openings: int, *arguments: Any, **more: Any) -> Opening:
    """Open a page again and again; the first time, which warms the server up, does not count."""
    open_page(*arguments, **more)
    return middle([open_page(*arguments, **more) for _ in range(openings)])


def sweeps(openings: int) -> None:
    """Measure the page of a sweep: in a window 800 high as it opens, and high enough for all; beside the other one."""
    for count in (1000, 10_000):
        known = trials(count)
        with tempfile.TemporaryDirectory() as name:
            path = fill_sweep(Path(name) / "server", known)
            with server(Path(name)) as (_, load):
                with chromium() as browser:
                    ours(browser, load, path, openings, f"sweep of {count:,}")
                if count == 1000:
                    with dashboard(Path(name), known) as url, chromium(emulated_gpu=True) as browser:
                        one = ours(browser, load, path, openings, "the same, GPU emulated")
                        beside(one, partial(repeated, openings, browser, url, THEIRS))


def ours(browser: Any, load: Load, path: str, openings: int, what: str) -> dict[str, Opening]:
    """Open our page of a sweep in both windows."""
    again = partial(
        repeated, openings, browser, f"http://127.0.0.1:{load.port}{path}", session=session_of(browser, load)
    )
    opened = {"as it opens": again(f"{OVERVIEW} && {PARALLEL}"), "all of it in sight": again(PARALLEL, height=TALL)}
    for how, one in opened.items():
        show(f"ours: {what}, {how}", one)
    return opened


def beside(opened: dict[str, Opening], again: Callable[..., Opening]) -> None:
    """Open the other page in the same browser and windows, and say how much quicker ours has drawn its plot.

    Plotly's parallel coordinates want WebGL. On a machine without a GPU that is emulated, which slows both pages.
    """
    for (how, one), more in zip(opened.items(), ({}, {"height": TALL}), strict=True):
        theirs = again(**more)
        show(f"optuna-dashboard: that study, {how}", theirs)
        quicker = (theirs.drawn + theirs.first_byte) / (one.drawn + one.first_byte)
        print(f"  from the click to drawn parallel coordinates: ours is {quicker:.1f} times as quick", flush=True)


def apart(run: Callable[[Any], Any], work: Any) -> Any:
    """Run a coroutine in a thread of its own: Playwright has a loop of events in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run, work).result()


async def send(load: Load, run: str, batches: Iterator[list[str]]) -> None:
    """Log a history; the run stays running."""
    connection, offset = load.connect(), 0
    start = 'mutation($n: String) { upsertBucket(input: {name: $n, modelName: "bench"}) { inserted } }'
    await load.graphql(connection, start, n=run)
    for rows in batches:
        files = {"wandb-history.jsonl": {"offset": offset, "content": rows}}
        await connection.post(f"/files/local/bench/{run}/file_stream", json.dumps({"files": files}).encode())
        offset += len(rows)


def long_run(browser: Any, openings: int, rows: int) -> None:
    """Measure the charts of a long run, and look for its peak."""
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as (_, load):
        begin = time.perf_counter()
        batches = (long_rows(first, BATCH, 50) for first in range(0, rows, BATCH))
        apart(asyncio.run, send(load, "long", batches))
        print(f"  {rows:,} rows of 50 keys came in, {rows / (time.perf_counter() - begin):,.0f} a second")
        url = f"http://127.0.0.1:{load.port}/local/bench/runs/long"
        session = session_of(browser, load)
        show("ours: the first opening of that run", open_page(browser, url, CHARTS, session=session))
        show("ours: its charts", repeated(openings, browser, url, CHARTS, session=session))


def watched(browser: Any, openings: int, layers: int = 100, steps: int = 100) -> None:
    """Measure the heatmaps of many watched layers."""
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as (_, load):
        rows = watched_rows(layers, steps)
        apart(asyncio.run, send(load, "watched", (rows[first : first + 10] for first in range(0, steps, 10))))
        url = f"http://127.0.0.1:{load.port}/local/bench/runs/watched?open=gradients"
        session, ready = session_of(browser, load), HEATMAPS.replace("LAYERS", str(layers))
        what = f"ours: histograms of {layers} layers over {steps} steps"
        show(what, repeated(openings, browser, url, ready, session=session, height=60 * TALL // 10))


def heartbeats(seconds: float, agents: int = 1000, pages: int = 10) -> None:
    """Measure heartbeats without and with open pages, each of a sweep that many of the agents work for."""
    for count in (0, pages):
        with tempfile.TemporaryDirectory() as name, server(Path(name)) as (process, load):
            spent = apart(uvloop.run, live_beside(process, load, agents, count, seconds))
        shown = ", ".join(f"p{share:g} {percentile(load.beats, share / 100):.0f} ms" for share in (50, 99, 100))
        print(
            f"  heartbeats of {agents} agents, {count} pages open: {shown}; server CPU {spent:.0%} of a core",
            flush=True,
        )


async def live_beside(process: psutil.Process, load: Load, agents: int, pages: int, seconds: float) -> float:
    """Let agents live while pages are open; the share of a core that the server takes."""
    at_work = await enter(load, agents)
    query = '{ project(name: "bench") { sweeps { edges { node { name } } } } }'
    edges = (await load.graphql(load.connect(), query))["project"]["sweeps"]["edges"]
    home = f"http://127.0.0.1:{load.port}/local/bench/sweeps"
    urls = [f"{home}/{edge['node']['name']}" for edge in edges][:pages]
    command = [sys.executable, str(Path(__file__).parent / "tools" / "open_pages.py"), login_of(load), *urls]
    pipe = asyncio.subprocess.PIPE
    opened = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe) if pages else None
    if opened and opened.stdout:
        await opened.stdout.readline()
    begin = cpu_s(process)
    await ask(at_work, seconds)
    spent = (cpu_s(process) - begin) / seconds
    if opened:
        await opened.communicate(b"")  # closes its stdin, which ends it
    return spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rows, openings and seconds")
    parser.add_argument("--only", nargs="*", default=["sweep", "long", "watch", "heartbeat"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    wanted = parser.parse_args()
    openings = 3 if wanted.quick else OPENINGS
    rows = 100_000 if wanted.quick else wanted.rows
    print(f"{'medians, in ms after the first byte':52} {'byte':>7} {'drawn':>7} {'interactive':>11} {'KB':>7} requests")
    if "sweep" in wanted.only:
        sweeps(openings)
    with chromium() as browser:
        if "long" in wanted.only:
            long_run(browser, openings, rows)
        if "watch" in wanted.only:
            watched(browser, openings)
    if "heartbeat" in wanted.only:
        heartbeats(20.0 if wanted.quick else 60.0)


if __name__ == "__main__":
    main()
