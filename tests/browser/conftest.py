"""A real browser at a real server: `make test-browser` runs what is here. Without a Chromium, each test is skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import browsing, world
from tests.browser.browsing import Tab
from tests.browser.world import World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that is in this folder is for `make test-browser`."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The machine's Chromium, started."""
    path = browsing.chromium()
    if path is None:
        pytest.skip("no Chromium here (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here: `make install` brings it")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=path, args=browsing.OPTIONS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def world_(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The server with everything in it; filled once, and copied by each process that tests run in."""
    del browser  # where there is none, nothing needs to be filled
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    found = world.copied(world.kept_folder() or shared / "filled-world", tmp_path_factory.mktemp("world"))
    yield found
    found.user.run("server", "stop")
    found.user.end()


@pytest.fixture(name="world")
def the_world(world_: World) -> World:
    """The server with everything in it."""
    return world_


@pytest.fixture(scope="session")
def session(browser: Any, world_: World) -> Any:
    """A browser's cookies after it has logged in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(world_.login())
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_tab(browser: Any, world: World, session: Any) -> Iterator[Callable[..., Tab]]:
    """What opens a tab that is logged in: `open_tab(size=PHONE, dark=True)`. At the end no tab may have had a fault."""
    contexts: list[Any] = []
    tabs: list[Tab] = []

    def make(size: tuple[int, int] = browsing.DESK, *, dark: bool = False, **more: Any) -> Tab:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            storage_state=session,
            **more,
        )
        contexts.append(context)
        tabs.append(Tab(context.new_page(), world.url))
        return tabs[-1]

    yield make
    found = [fault for tab in tabs for fault in tab.faults]
    for context in contexts:
        context.close()
    assert found == []


@pytest.fixture
def tab(open_tab: Callable[..., Tab]) -> Tab:
    """One tab of a desk's size, in the light theme, logged in."""
    return open_tab()
