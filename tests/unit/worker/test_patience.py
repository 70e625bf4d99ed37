"""Waiting for a server that is away, by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sweeper.worker.patience import LOOK_S, Patience


class World:
    """A server that is away at times, and a stop that may come.

    Args:
        away: From when to when, in seconds.
        stop_at: When waiting is given up.
    """

    def __init__(self, *away: tuple[float, float], stop_at: float = 1e9) -> None:
        self.now = 0.0
        self.away, self.stop_at = away, stop_at
        self.said: list[str] = []
        self.looks = 0

    def absence(self) -> str:
        """Say nothing while it is there."""
        self.looks += 1
        return "nobody answers" if any(begin <= self.now < end for begin, end in self.away) else ""

    def sleep(self, seconds: float) -> None:
        """Pass time."""
        assert seconds > 0
        self.now += seconds

    @property
    def patience(self) -> Patience:
        """What is tested."""
        return Patience(
            self.absence, lambda: self.now >= self.stop_at, self.said.append, clock=lambda: self.now, sleep=self.sleep
        )


def after(world: World, takes: float, *answers: str) -> Callable[[], str]:
    """Ask for so long, and give these answers."""
    left = iter(answers)

    def question() -> str:
        world.now += takes
        return next(left)

    return question


def test_a_server_that_is_there_is_not_waited_for():
    """Nothing is said, and no time passes."""
    world = World()
    assert world.patience.wait()
    assert (world.now, world.said) == (0.0, [])


@pytest.mark.parametrize("minutes", [1, 10])
def test_a_server_that_is_away_is_waited_for_as_long_as_it_takes(minutes):
    """It is told when the waiting begins and when it ends; the server is looked for once a second."""
    world = World((0, 60.0 * minutes))
    assert world.patience.wait()
    assert world.said == ["nobody answers; waiting for it", f"the server answers again, after {60 * minutes} s"]
    assert world.now == pytest.approx(60 * minutes, abs=LOOK_S)
    assert world.looks == pytest.approx(60 * minutes / LOOK_S, abs=2)


def test_a_stop_ends_the_waiting_at_once():
    """Ctrl-C, the time budget and the end of the launch are heard within a fifth of a second."""
    world = World((0, 1e6), stop_at=30.1)
    assert not world.patience.wait()
    assert world.now == pytest.approx(30.1, abs=LOOK_S / 5)
    assert len(world.said) == 1


def test_the_servers_yes_counts_at_once():
    """It is asked once."""
    world = World()
    assert world.patience.ask(after(world, 1, "")) == ""
    assert world.now == 1


def test_a_server_that_is_there_is_believed_when_it_refuses_twice():
    """The first refusal may be of a moment at which it was away."""
    world = World()
    assert world.patience.ask(after(world, 1, "no such run", "there is no such run")) == "there is no such run"
    assert world.patience.ask(after(world, 1, "An error occurred while verifying credentials", "")) == ""


def test_what_a_server_refused_that_went_meanwhile_was_its_absence():
    """It is asked again when it is back, and refusals count anew."""
    world = World((0.5, 70))
    question = after(world, 1, "verifying credentials", "no", "no")
    assert world.patience.ask(question) == "no"
    assert world.now == pytest.approx(72, abs=2 * LOOK_S)
    world = World((0, 70))
    assert world.patience.ask(after(world, 1, "")) == ""
    assert world.now > 70


def test_a_server_that_comes_and_goes_refuses_twice_in_a_row_to_be_believed():
    """A refusal before it went does not count with one behind its return."""
    world = World((1.5, 5))
    assert world.patience.ask(after(world, 1, "a", "b", "c", "")) == ""
    world = World((0.5, 5))
    assert world.patience.ask(after(world, 1, "a", "b", "")) == ""


def test_who_gives_up_has_not_heard_the_servers_word():
    """In a stop a server that is there is still told, once; one that is away is not."""
    world = World((0, 1e6), stop_at=0)
    assert world.patience.ask(after(world, 1)) is None
    world = World((0, 1e6), stop_at=9)
    assert world.patience.ask(after(world, 1)) is None
    world = World(stop_at=0)
    assert world.patience.ask(after(world, 1, "")) == ""
    assert world.patience.ask(after(world, 1, "no")) == "no"
