"""Waiting for a server that is away: what it could not be told is told when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable

LOOK_S = 1.0
"""How often a server is looked for; Ctrl-C and the end of the launch are heard five times as often."""
SURE = 2
"""Refusals in a row, of a server that answers before and after, until they are believed."""


class Patience:
    """Puts a question to a server again until it is its word that is heard, and not its absence.

    Args:
        absence: Why the server does not answer; empty if it does.
        given_up: Whether there is nothing to wait for any more: a stop, the end of the launch.
        say: Told when waiting begins and when it is over.
        clock: Seconds, by the monotonic clock.
        sleep: How to wait; a test gives its own.
    """

    def __init__(
        self,
        absence: Callable[[], str],
        given_up: Callable[[], bool],
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._absence = absence
        self._given_up = given_up
        self._say = say
        self._clock = clock
        self._sleep = sleep

    def wait(self) -> bool:
        """Wait until the server answers; False if waiting was given up before."""
        why, began = self._absence(), self._clock()
        if not why:
            return True
        self._say(f"{why}; waiting for it")
        while not self._given_up():
            self._rest()
            if not self._absence():
                self._say(f"the server answers again, after {self._clock() - began:.0f} s")
                return True
        return False

    def ask(self, question: Callable[[], str]) -> str | None:
        """Put a question until the server agrees, or refuses for sure.

        Args:
            question: Gives why the server refuses; empty if it agrees.

        Returns:
            The refusal; empty if it agreed, None if waiting was given up before its word was heard.
        """
        refused = 0
        while self.wait():
            if not (refusal := question()):
                return ""
            refused += 1
            if self._absence():  # it went while it was asked
                refused = 0
            elif refused == SURE or self._given_up():
                return refusal
        return None

    def _rest(self) -> None:
        """Wait for a while, but not for longer than it takes to hear of a stop."""
        until = self._clock() + LOOK_S
        while (left := until - self._clock()) > 0 and not self._given_up():
            self._sleep(min(left, LOOK_S / 5))
