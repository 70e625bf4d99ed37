"""See whether the tests notice each mutant, in a copy of the project: `python -m tests.mutants.run [WORD ...]`.

A word names a list or a part of a module's path; without one, all run. Exits with 1 where fewer than 95 %
are caught, or where a list is wrong.
"""

from __future__ import annotations

import argparse
import collections
import queue
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.mutants.mutant import LISTS, ROOT, Mutant, mutants
from tests.mutants.tree import Tree

CAUGHT_AT_LEAST = 0.95


def chosen(all_of_them: Sequence[Mutant], words: Sequence[str]) -> list[Mutant]:
    """Give the mutants of the lists, or of the modules, that the words name."""
    return [mutant for mutant in all_of_them if not words or any(w == mutant.list or w in mutant.file for w in words)]


def judge_all(found: Sequence[Mutant], *, jobs: int = 1, source: Path = ROOT) -> dict[Mutant, str]:
    """Judge mutants, several at a time; print each as it is judged.

    Raises:
        ValueError: A list is wrong, or the tests fail without any mutant.
    """
    for mutant in found:
        mutant.applied((source / mutant.file).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o711)  # a test that becomes another user finds its own files
        trees: queue.SimpleQueue[Tree] = queue.SimpleQueue()
        for number in range(jobs):
            trees.put(stack.enter_context(Tree.copied(Path(folder) / str(number), source)))
        _first_without_any(trees, found)
        with ThreadPoolExecutor(jobs) as pool:
            return dict(zip(found, pool.map(lambda mutant: _judge(trees, mutant), found), strict=True))


def _first_without_any(trees: queue.SimpleQueue[Tree], found: Sequence[Mutant]) -> None:
    """See that the tests pass where nothing is wrong: a test that always fails notices nothing."""
    tree = trees.get()
    code, output = tree.test(sorted({test for mutant in found for test in mutant.noticed_by}), timeout_s=3600)
    trees.put(tree)
    if code:
        raise ValueError(f"The tests fail without any mutant:\n{output}")


def _judge(trees: queue.SimpleQueue[Tree], mutant: Mutant) -> str:
    tree, begun = trees.get(), time.monotonic()
    try:
        said = tree.judge(mutant)
    finally:
        trees.put(tree)
    print(f"{said.splitlines()[0]:8} {time.monotonic() - begun:5.1f} s  {mutant.name}", flush=True)
    return said


def report(judged: dict[Mutant, str]) -> tuple[str, bool]:
    """Say what was missed and how many were caught in each room; whether that is enough."""
    lines = [f"\n{said}: {mutant.name}\n  {mutant.why}" for mutant, said in judged.items() if said != "caught"]
    rooms = collections.Counter(mutant.room for mutant in judged)
    caught = collections.Counter(mutant.room for mutant, said in judged.items() if said == "caught")
    lines += ["", *(f"{room:28} {caught[room]:4} of {count}" for room, count in sorted(rooms.items()))]
    share = caught.total() / rooms.total() if rooms else 0.0
    lines.append(f"{'caught':28} {caught.total():4} of {rooms.total()} ({share:.1%}; asked for: {CAUGHT_AT_LEAST:.0%})")
    judged_all = all(said in ("caught", "missed") for said in judged.values())
    return "\n".join(lines), share >= CAUGHT_AT_LEAST and judged_all


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--lists", type=Path, default=LISTS, help="the folder with the lists")
    options = parser.parse_args(arguments)
    try:
        judged = judge_all(chosen(mutants(options.lists), options.words), jobs=options.jobs)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    text, enough = report(judged)
    print(text)
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
