"""What a shell offers for a sweep, a run or a project: names that are there, in a moment, or nothing.

A person has pressed Tab: no server is started or waited for, nothing is printed, and nothing that others have called
something reaches the shell that it could take for more than a word.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import typer

from sweeper.settings import Settings

if TYPE_CHECKING:
    from sweeper.backend.own_server import OwnServer
    from sweeper.backend.sweep_names import KnownNames
    from sweeper.ref import SweepRef

TIMEOUT_S = 0.4
"""For each of two questions to a server, which answers either in a few milliseconds."""
MOST = 200
"""Names, the newest; a shell asks before it shows so many."""
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*(/[A-Za-z0-9_][A-Za-z0-9_.@+-]*)*")
_NO_WORD_OF_HELP = re.compile(r"[^A-Za-z0-9 _.,=/-]")

Offer = tuple[str, str]
"""A word, and what is said beside it by shells that show such."""
_RUNS = "runNames(prefix: $prefix, first: $first)"


def _harmless(offer: Callable[[typer.Context, str], Iterable[Offer]]) -> Callable[[typer.Context, str], list[Offer]]:
    """Have whatever goes wrong come to nothing, and give only words that a shell takes as they are.

    Typer's line for zsh is evaluated by it: a sweep may be called `$(rm -rf ~)`.
    """

    @wraps(offer)
    def offered(ctx: typer.Context, incomplete: str) -> list[Offer]:
        found: dict[str, str] = {}
        # whatever it is: between two words of a command line nobody wants to read of it
        with contextlib.suppress(Exception):
            for word, about in offer(ctx, incomplete):
                if word.startswith(incomplete) and _WORD.fullmatch(word):
                    found.setdefault(word, _NO_WORD_OF_HELP.sub("", about).strip())
                if len(found) == MOST:
                    break
        return list(found.items())

    # Typer hands over by the annotations of the names that it knows
    offered.__annotations__ = {"ctx": typer.Context, "incomplete": str}
    del offered.__wrapped__
    return offered


@dataclass(frozen=True, slots=True)
class _Sources:
    """Who knows names: a server that is running, and what launches left on this machine."""

    settings: Settings
    server: OwnServer | None

    @classmethod
    def found(cls) -> _Sources:
        """Look for a server of sweeper's that answers now: this user's own, else the one of WANDB_BASE_URL."""
        from sweeper.backend import embedded_server
        from sweeper.backend.own_server import OwnServer
        from sweeper.settings import Backend

        settings = Settings.from_env()
        record = embedded_server.find_in(embedded_server.data_dir(settings.home), timeout_s=TIMEOUT_S)
        if record is not None:
            backend = embedded_server.backend(settings.home, record)
        elif settings.base_url and settings.api_key:
            backend = Backend(kind="wandb", base_url=settings.base_url, api_key=settings.api_key)
        else:
            return cls(settings, None)
        return cls(settings, OwnServer(backend, settings, timeout_s=TIMEOUT_S))

    def names(self) -> KnownNames:
        """Give the names that the server knows; those of this machine's folders where it does not answer."""
        from sweeper.backend.sweep_names import KnownNames, NamedSweep

        if self.server:
            with contextlib.suppress(Exception):  # as above
                return KnownNames.ask(self.server.ask)
        from sweeper.journal.directories import (
            SweepDir,
        )  # every command imports this module, and few Tab keys need this

        known = tuple(NamedSweep(directory.ref) for directory in SweepDir.known(self.settings.home))
        return KnownNames(known, tuple({(one.ref.entity, one.ref.project): None for one in known}))

    def sweep(self, text: str | None) -> SweepRef | None:
        """Find the sweep that is on the command line, else the one created last."""
        from sweeper.backend.choose import last_sweep
        from sweeper.ref import SweepRef

        if text is None:
            last = last_sweep(self.settings)
            return SweepRef.parse(last.sweep) if last else None
        if text.count("/") == 2:
            return SweepRef.parse(text)
        known = self.names().sweeps
        return next((one.ref for one in known if f"/{one.ref.path}".endswith(f"/{text}")), None)

    def runs(self, ref: SweepRef, prefix: str) -> Iterator[Offer]:
        """Give the runs of a sweep whose ids begin so."""
        import json

        if self.server:
            with contextlib.suppress(Exception):  # as above
                given = {"prefix": ("String", prefix), "first": ("Int", MOST)}
                found = json.loads(self.server.sweep(ref, "RunNames", _RUNS, given)["runNames"])
                yield from ((id_, f"{name} {state}") for id_, name, state in found)
                return
        from sweeper.journal.directories import SweepDir

        attempts = SweepDir.of(self.settings.home, ref).attempts()
        yield from ((id_, one.slot) for id_, one in reversed(attempts.items()))


def _about(one: Any) -> str:
    return " ".join(filter(None, (one.ref.project, one.name, one.state.value.lower() if one.state else "")))


@_harmless
def complete_sweep(ctx: typer.Context, incomplete: str) -> Iterator[Offer]:
    """Offer sweeps: ids; behind `PROJECT/` or `ENTITY/PROJECT/` those of that project."""
    assert ctx  # noqa: S101 - Typer hands it over
    known = _Sources.found().names().sweeps
    slashes = incomplete.count("/")
    if not slashes:
        yield from ((one.ref.sweep_id, _about(one)) for one in known)
    if incomplete:  # a project may be meant, or an entity
        yield from ((f"{one.ref.project}/{one.ref.sweep_id}", _about(one)) for one in known)
        yield from ((one.ref.path, _about(one)) for one in known)


@_harmless
def complete_run(ctx: typer.Context, incomplete: str) -> Iterator[Offer]:
    """Offer runs of the sweep that is on the command line, else of the one created last."""
    sources, given = _Sources.found(), ctx.params
    if ref := sources.sweep(given.get("sweep")):
        named: Sequence[str] = given.get("runs") or ()
        yield from (offer for offer in sources.runs(ref, incomplete) if offer[0] not in named)


@_harmless
def complete_log(ctx: typer.Context, incomplete: str) -> Iterator[Offer]:
    """Offer slots and runs of this machine's last sweep."""
    assert ctx is not None  # noqa: S101 - Typer hands it over
    settings = Settings.from_env()
    if ref := _Sources(settings, None).sweep(None):
        from sweeper.journal.directories import SweepDir

        attempts = SweepDir.of(settings.home, ref).attempts()
        yield from ((slot, "slot") for slot in sorted({one.slot for one in attempts.values()}))
        yield from ((id_, one.slot) for id_, one in reversed(attempts.items()) if id_.startswith(incomplete))


@_harmless
def complete_project(ctx: typer.Context, incomplete: str) -> Iterator[Offer]:
    """Offer projects: of one's own entity by their name alone."""
    assert ctx is not None  # noqa: S101 - Typer hands it over
    known = _Sources.found().names()
    yield from ((name, "") for entity, name in known.projects if entity == known.user or not known.user)
    if "/" in incomplete or known.user:
        yield from ((f"{entity}/{name}", "") for entity, name in known.projects if entity != known.user)
