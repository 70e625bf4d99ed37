"""Draw docs/pictures/ from a real sweep: a launch in its middle as SVG, and pages of the server as PNG.

`make screenshots` runs it in an environment of its own, where pyte is the terminal and Playwright drives a Chromium
that is here. It takes whatever the launch draws and the server shows, but this machine's folders and the login.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
from playwright.sync_api import sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.color import Color, ColorParseError
from rich.console import Console
from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.browsing import OPTIONS, Tab, chromium  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
SWEEPER = ROOT / ".venv" / "bin" / "sweeper"
SWEEP = "sweeps/bayes.yaml"
COLUMNS, LINES = 120, 30
COUNT, MIDDLE = 12, 7
"""The picture is of a launch of so many runs, when so many are done."""
WIDTH, HEIGHT = 1280, 800
SVG_LIMIT, PNG_LIMIT = 200_000, 300_000
WEIGHED = "(band => !band || band.querySelector('table'))(document.querySelector('[data-band=importance]'))"
ANNOUNCED = re.compile(r"(starting workers|server:|launching|logs:|trainer:|open |no NVIDIA)| *logs your browser in")
"""What a launch says before its live view begins."""


class Screen(pyte.Screen):
    """A terminal that shows dim text as grey, which pyte does not know."""

    def select_graphic_rendition(self, *attributes: int, **more: bool) -> None:
        """Take grey for dim."""
        super().select_graphic_rendition(*(90 if number == 2 else number for number in attributes), **more)


class Terminal:
    """A command on a terminal of its own, read as somebody would who looks at it.

    Args:
        command: What to run.
        env: Its environment.
        hidden: A folder that is shown as `~`.
    """

    def __init__(self, command: list[str], env: dict[str, str], hidden: str) -> None:
        self.screen = Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self.screen)
        self._hidden = hidden.encode()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)

    def turn(self) -> bool:
        """Show what was written until the command draws breath, so that no frame is half; tell whether it goes on."""
        written = b""
        try:
            while select.select([self._master], [], [], 0.1)[0]:
                written += os.read(self._master, 1 << 16)
        except OSError:  # the command has ended
            pass
        self._stream.feed(written.replace(self._hidden, b"~"))
        return self.process.poll() is None

    def rows(self) -> list[Text]:
        """Give what stands there, from below what was announced before the live view."""
        rows = [_row(self.screen.buffer[line]) for line in range(LINES)]
        announced = [number for number, row in enumerate(rows) if ANNOUNCED.match(row.plain)]
        shown = rows[max(announced) + 1 if announced else 0 :]
        while shown and not shown[-1].plain.strip():
            shown.pop()
        return shown


def _row(cells: dict[int, pyte.screens.Char]) -> Text:
    row = Text()
    for column in range(COLUMNS):
        cell = cells[column]
        row.append(cell.data, Style(color=_colour(cell.fg), bgcolor=_colour(cell.bg), bold=cell.bold))
    row.rstrip()
    return row


def _colour(name: str) -> Color | None:
    """Say in rich's words what pyte calls `brightgreen`, `brown` or `ff8800`."""
    named = name.replace("brown", "yellow").replace("bright", "bright_")
    for word in (named, f"#{name}"):
        try:
            return Color.parse(word)
        except ColorParseError:
            continue
    return None


def svg_of(command: str, rows: list[Text]) -> str:
    """Draw a terminal with a command and what it shows. Fonts are the reader's own: rich names some in the web."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "green"), command), *rows, "", sep="\n", soft_wrap=True)
    form = re.sub(r"@font-face \{\{.*?\}\}\s*|<!--.*?-->\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="sweeper", code_format=form, unique_id="sweeper")


def write(name: str, content: bytes, limit: int, *hidden: str) -> None:
    """Keep a picture that is small and tells nothing of this machine."""
    if len(content) > limit:
        sys.exit(f"{name} has {len(content):,} bytes, and may have {limit:,}")
    text = content.decode(errors="ignore")
    if found := [word for word in (*hidden, "/login") if word in text]:
        sys.exit(f"{name} shows {found}")
    (PICTURES / name).write_bytes(content)
    print(f"docs/pictures/{name}: {len(content):,} bytes")


@contextmanager
def sandbox() -> Iterator[tuple[dict[str, str], str]]:
    """Make an environment with a home of its own, and stop its server at the end."""
    with tempfile.TemporaryDirectory(prefix="screenshots-") as home:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        env |= {"HOME": home, "SWEEPER_HOME": f"{home}/.local/share/sweeper", "WANDB_HOST": "gpu-box"}
        env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        env.pop("NO_COLOR", None)
        try:
            yield env, home
        finally:
            subprocess.run([SWEEPER, "server", "stop"], env=env, check=False)


def say(env: dict[str, str], *arguments: str) -> str:
    """Run `sweeper ...`; give what it prints."""
    return subprocess.run(
        [SWEEPER, *arguments], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def launch(env: dict[str, str], home: str) -> list[Text]:
    """Launch, and give what the terminal shows in the middle of it."""
    terminal = Terminal([str(SWEEPER), "launch", "--count", str(COUNT)], env, home)
    shown: list[Text] = []
    asked = time.monotonic()
    try:
        while terminal.turn():
            if not shown and time.monotonic() - asked > 3:
                asked = time.monotonic()
                if json.loads(say(env, "status", "--json"))["done"] >= MIDDLE:
                    terminal.turn()
                    shown = terminal.rows()
    except BaseException:
        terminal.process.send_signal(signal.SIGTERM)
        raise
    finally:
        terminal.process.wait()
    if not shown:
        sys.exit("the launch has ended too early for a picture of it")
    return shown


def draw_pages(env: dict[str, str], browser: str, sweep: str, runs: list[str]) -> None:
    """Take pictures of the sweep's page, of its best run's in its tabs, of the comparison and of the project's page.

    Args:
        env: The environment of the server's user.
        browser: The Chromium.
        sweep: The sweep.
        runs: Its runs, best first.
    """
    project, _, name = ("/" + sweep).rpartition("/")
    best = f"{project}/runs/{runs[0]}"
    pictures = {  # the page, how high the window is, and whether it is dark
        "sweep-page": (f"{project}/sweeps/{name}", 1500, False),
        "sweep-page-dark": (f"{project}/sweeps/{name}", HEIGHT, True),
        "run-page": (best, HEIGHT, False),
        "run-model": (f"{best}?tab=files&file=model.onnx", HEIGHT, False),
        "compare-page": (f"{project}/compare?runs={','.join(runs[:4])}", 1000, False),
        "project-page": (project, 600, False),
    }
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=OPTIONS)
        context = started.new_context()
        page = context.new_page()
        page.goto(say(env, "server", "url").strip())  # which logs in
        server, session = re.match(r"https?://[^/]+", page.url)[0], context.storage_state()
        for picture, (address, height, dark) in pictures.items():
            size, theme = {"width": WIDTH, "height": height}, "dark" if dark else "light"
            opened = started.new_context(viewport=size, color_scheme=theme, storage_state=session)
            tab = Tab(opened.new_page(), server).goto(address)
            if height > HEIGHT:  # else it is below what is seen, and not drawn
                tab.until(WEIGHED, "what mattered", timeout_s=60)
            tab.settle(1.5)
            tab.check()
            write(f"{picture}.png", tab.page.screenshot(animations="disabled"), PNG_LIMIT)
            opened.close()
        started.close()


def main() -> None:
    """Draw all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with sandbox() as (env, home):
        sweep = json.loads(say(env, "create", "--backend", "local", "--json", SWEEP))["sweep"]
        rows = launch(env, home)
        hidden = (home, str(ROOT), str(Path.home()), socket.gethostname())
        write("launch.svg", svg_of(f"sweeper launch --count {COUNT}", rows).encode(), SVG_LIMIT, *hidden)
        browser = chromium()
        if browser is None:
            print("no browser here, so the pages are not drawn (Debian: apt-get install chromium)")
            return
        say(env, "stop")
        best = json.loads(say(env, "best", "--json"))["run"]
        others = [run["id"] for run in json.loads(say(env, "status", "--json"))["runs"] if run["state"] == "finished"]
        draw_pages(env, browser, sweep, [best, *(run for run in others if run != best)])


if __name__ == "__main__":
    main()
