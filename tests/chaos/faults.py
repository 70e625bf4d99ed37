"""What may go wrong, each as a small class with a name; a round draws some of them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.chaos.proxy import Proxy, Weather
from tests.chaos.world import HEARTBEAT_S, World

ROLES = ("launcher", "forkserver", "worker", "run", "script", "core", "server", "search", "scheduler")
"""What processes are: killed and stalled one by one."""


class Fault(ABC):
    """Something that goes wrong."""

    name: str

    @abstractmethod
    def strike(self, world: World, dice: random.Random) -> str:
        """Do it; say to whom. Nothing where there is nobody to do it to."""


class Kill(Fault):
    """Kill -9 of a process of a role; a server comes back after a moment, on its port."""

    def __init__(self, role: str) -> None:
        self.role, self.name = role, f"kill {role}"

    def strike(self, world: World, dice: random.Random) -> str:
        """Kill one."""
        victim = _one_of(world, self.role, dice)
        if victim is None:
            return ""
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
        if self.role == "server":
            away_s = dice.choice([0.0, 1.0, 4.0])
            world.pause(away_s)
            world.serve()
            return f"{victim.pid}, away for {away_s:g} s"
        return str(victim.pid)


class Stall(Fault):
    """SIGSTOP of a process, for less or for more than the server's patience."""

    def __init__(self, role: str) -> None:
        self.role, self.name = role, f"stall {role}"

    def strike(self, world: World, dice: random.Random) -> str:
        """Stop one, and let it go on later."""
        victim = _one_of(world, self.role, dice)
        if victim is None:
            return ""
        for_s = dice.choice([1.0, HEARTBEAT_S / 2, HEARTBEAT_S * 1.5])
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.suspend()
        world.later(for_s, lambda: _wake(victim))
        return f"{victim.pid} for {for_s:g} s"


def _wake(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.resume()


def _one_of(world: World, role: str, dice: random.Random) -> psutil.Process | None:
    found = sorted(world.of(role), key=lambda process: process.pid)
    return dice.choice(found) if found else None


class Signalled(Fault):
    """A gentle end of the launch: Ctrl-C, SIGTERM, or a terminal that was closed."""

    def __init__(self, number: signal.Signals) -> None:
        self.number, self.name = number, f"{number.name} to the launch"

    def strike(self, world: World, dice: random.Random) -> str:
        """Send it to one; a closed terminal says so twice."""
        victim = _one_of(world, "launcher", dice)
        if victim is None:
            return ""
        with contextlib.suppress(psutil.NoSuchProcess):
            for _ in range(2 if self.number == signal.SIGHUP else 1):
                victim.send_signal(self.number)
        return str(victim.pid)


class Restart(Fault):
    """The server is told to end, and started again on its port."""

    name = "restart of the server"

    def strike(self, world: World, dice: random.Random) -> str:
        """Restart it."""
        servers = world.of("server")
        for server in servers:
            with contextlib.suppress(psutil.Error):
                server.terminate()
        for server in servers:
            with contextlib.suppress(psutil.Error):
                server.wait(20)
        world.pause(dice.choice([0.0, 2.0]))
        world.serve()
        return ", ".join(str(server.pid) for server in servers)


class KillAll(Fault):
    """Everything at once, as when the machine goes down; then the server and a launch are started again."""

    name = "kill everything"

    def strike(self, world: World, dice: random.Random) -> str:
        """Kill in any order."""
        victims = world.user.processes()
        dice.shuffle(victims)
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        world.pause(dice.choice([0.0, 1.0]))
        world.serve()
        world.launch()
        return f"{len(victims)} processes"


class SecondLaunch(Fault):
    """Another launch works on the sweep, too."""

    name = "second launch"

    def strike(self, world: World, dice: random.Random) -> str:  # noqa: ARG002 nothing is drawn
        """Start it, unless there are two."""
        if len(world.launching()) > 1:
            return ""
        world.launch()
        return "beside the first"


class FoulWeather(Fault):
    """The network between launches and server does something to some requests, for some seconds."""

    def __init__(self, trick: str) -> None:
        self.trick, self.name = trick, f"network: {trick}"

    def strike(self, world: World, dice: random.Random) -> str:
        """Have the proxy do it."""
        if world.proxy is None:
            return ""
        proxy, chance, for_s = world.proxy, dice.choice([0.1, 0.3, 0.9]), dice.choice([1.0, 3.0, 6.0])
        proxy.weather = Weather({self.trick: chance})
        world.later(for_s, lambda: _clear(proxy))
        return f"{chance:g} of the requests for {for_s:g} s"


def _clear(proxy: Proxy) -> None:
    proxy.weather = Weather()


class Disturbance(Fault):
    """What the stand-in for libc does to all processes but wandb-core, for some seconds.

    Args:
        name: Its name.
        setting: The stand-in's word for it; 0 is none of it.
        sizes: How much of it.
        for_s: For how many seconds.
        what: How a size is told.
    """

    def __init__(self, name: str, setting: str, sizes: list[float], for_s: list[float], what: str) -> None:
        self.name, self._setting, self._sizes, self._for_s, self._what = name, setting, sizes, for_s, what

    def strike(self, world: World, dice: random.Random) -> str:
        """Begin it, and end it later."""
        if not world.machine.environ:
            return ""
        size, for_s = dice.choice(self._sizes), dice.choice(self._for_s)
        world.machine.set(**{self._setting: size})
        world.later(for_s, lambda: world.machine.set(**{self._setting: 0.0}))
        return f"{self._what.format(size)} for {for_s:g} s"


DISTURBANCES = (
    ("clock jump", "clock", [-3600.0, -30.0, 30.0, 3600.0, 86400.0], [0.5, 3.0, 8.0], "{:+g} s"),
    ("slow disk", "fsync", [0.05, 0.3, 1.5], [2.0, 6.0], "{:g} s an fsync"),
    # nothing of what fails so may be acknowledged
    ("failing fsync", "eio", [0.1, 0.5, 1.0], [1.0, 4.0], "{:g} of them with EIO"),
)


class FullDisk(Fault):
    """The disk of the server's data is full for some seconds; only where that is a file system of its own."""

    name = "full disk"

    def strike(self, world: World, dice: random.Random) -> str:
        """Take all the space there is."""
        if not os.path.ismount(world.data):
            return ""
        ballast, for_s = world.data / "ballast", dice.choice([1.0, 4.0])
        took = _fill(ballast)
        world.later(for_s, lambda: ballast.unlink(missing_ok=True))
        return f"{took >> 20} MiB for {for_s:g} s"


def _fill(ballast: Path) -> int:
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
        return file.tell()


SINGLE = (Restart, KillAll, SecondLaunch, FullDisk)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def every_fault() -> dict[Fault, float]:
    """Make one of each, with its weight: mostly something is killed."""
    return {
        **dict.fromkeys(map(Kill, ROLES), 3.0),
        **dict.fromkeys(map(Stall, ROLES), 0.7),
        **dict.fromkeys(map(Signalled, SIGNALS), 1.0),
        **dict.fromkeys(map(FoulWeather, Proxy.TRICKS), 1.0),
        **{make(): 1.0 for make in SINGLE},
        **{Disturbance(*told): 1.0 for told in DISTURBANCES},
    }


MOODS: Mapping[str, tuple[str, ...]] = {
    "anything": ("",),
    "runs die": ("kill run", "kill script", "kill core", "kill worker", "stall run", "stall script", "stall core"),
    "the server dies": ("kill server", "kill search", "restart", "network", "stall server", "slow", "failing", "full"),
    "launches die": ("kill launcher", "kill forkserver", "kill everything", "SIG", "second launch", "kill scheduler"),
}
"""Rounds strike at one thing again and again, or at everything: how the names begin of what they inject."""


def in_the_mood(mood: str) -> dict[Fault, float]:
    """Make those faults that a mood has."""
    return {fault: weight for fault, weight in every_fault().items() if fault.name.startswith(MOODS[mood])}


def in_any_order(faults: Mapping[Fault, float], dice: random.Random) -> list[Fault]:
    """Shuffle faults, so that those of more weight come first more often."""
    return sorted(faults, key=lambda fault: dice.random() ** (1 / faults[fault]), reverse=True)
