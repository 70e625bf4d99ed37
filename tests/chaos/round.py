"""A round: a sweep, some faults at random moments, and what the auditor says."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.chaos.auditor import audit
from tests.chaos.faults import MOODS, in_any_order, in_the_mood
from tests.chaos.reading import read_facts, shared_memory
from tests.chaos.world import PLANS, World
from tests.conftest import User, clean_environ

BLOWS = (5, 10, 20, 40)
LIMIT_S = 240.0
"""For how long a sweep may take to come to its end after the last fault."""
DISK_SIZE = "size=600m"


@dataclass
class Outcome:
    """What came of a round.

    Attributes:
        seed: What it was drawn from.
        title: What it was about.
        events: What happened, in order.
        faults: How often each was injected.
        findings: What is wrong.
        took_s: How long it took.
    """

    seed: int
    title: str
    events: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    took_s: float = 0.0

    def __str__(self) -> str:
        """Tell it to a person."""
        lines = [f"round of seed {self.seed}, {self.title}:", *self.events, *map("FOUND {}".format, self.findings)]
        return "\n".join(lines)


def play(seed: int, folder: Path) -> Outcome:
    """Play the round of a seed in a folder; what it leaves there is for whoever looks into a finding."""
    dice = random.Random(seed)
    plan, proxied = dice.choice(PLANS), dice.random() < 0.6
    full = dice.random() < 0.3
    home, work = folder / "home", folder / "work"
    for place in (home, work):
        place.mkdir(parents=True)
    scratch = Path(tempfile.mkdtemp(prefix="t"))
    shared_before = shared_memory()
    world = World(User(work, home, clean_environ(home)), scratch, plan, seed=seed, proxied=proxied)
    mounted = full and _mount(world.data)
    reached = "through a proxy" if proxied else "directly"
    outcome = Outcome(seed, f"{plan.name} {reached}{', on a small disk' if mounted else ''}", world.events)
    began = time.monotonic()
    try:
        world.serve()
        world.create()
        world.launch()
        _strike(world, dice, outcome)
        outcome.findings += _end(world, shared_before, folder)
    except (AssertionError, subprocess.SubprocessError, OSError, ValueError, KeyError) as error:
        said = getattr(error, "stderr", "") or ""
        outcome.findings.append(f"the round broke off: {type(error).__name__}: {error} {said}")
    finally:
        outcome.took_s = time.monotonic() - began
        if world.proxy:
            outcome.faults.update({f"request: {trick}": times for trick, times in world.proxy.done.items()})
        world.close()
        if mounted:
            subprocess.run(["umount", "-l", world.data])  # noqa: S607
        shutil.rmtree(scratch, ignore_errors=True)
    return outcome


def _mount(data: Path) -> bool:
    """Give the server's data a small disk of their own, where this machine lets us."""
    if shutil.which("mount") is None:
        return False
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"{DISK_SIZE},mode=700", "none", data], capture_output=True)  # noqa: S607
    return done.returncode == 0


def _strike(world: World, dice: random.Random, outcome: Outcome) -> None:
    """Inject faults at random moments, as long as there is something to strike."""
    mood = dice.choice(["anything", *MOODS])
    outcome.title += f", {mood}"
    faults, blows = in_the_mood(mood), dice.choice(BLOWS)
    if dice.random() < 0.3:
        world.pause(dice.uniform(0.0, 6.0))  # the first one meets what is starting
    else:
        world.user.wait(lambda: any(world.ledgers.iterdir()), "a run that trains")
        world.pause(dice.uniform(0.0, 3.0))
    for _ in range(blows):
        for fault in in_any_order(faults, dice):
            if what := fault.strike(world, dice):
                outcome.faults[fault.name] += 1
                world.say(f"{fault.name}: {what}")
                break
        world.pause(dice.choice([0.0, 0.3, 1.0, 2.0, 4.0]) * dice.uniform(0.5, 1.5))
        if not world.launching() and dice.random() < 0.7:
            world.launch()
        if mood == "runs die":  # as long as there are any
            world.user.wait(lambda: _are_training(world), "runs that train, or the end", 90)


def _are_training(world: World) -> bool:
    """Whether there is a run to strike, or none will come."""
    return bool(world.of("core")) or not world.launching()


def _end(world: World, shared_before: set[str], folder: Path) -> list[str]:
    """Let the sweep come to its end in peace, and have it audited."""
    world.pause(1.0)
    world.do_due(all_of_it=True)
    world.serve()
    if why := world.drive(LIMIT_S):
        return [f"stuck: {why}"]
    world.say("the sweep is over")
    facts = read_facts(world, shared_before)
    (folder / "facts.json").write_text(json.dumps(asdict(facts), indent=1, default=str))
    return audit(facts)
