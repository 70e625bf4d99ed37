"""What a command starts, read as the agent, `env`, Python and shells do."""

from __future__ import annotations

import pytest

from sweeper.definition.command_macros import DEFAULT_COMMAND
from sweeper.definition.command_words import StartedCommand, expand, read


def reading(*command: str, program: str | None = "train.py") -> StartedCommand:
    return read(expand(program, command, {"HOME": "/srv/me"}))


def test_macros_become_words_with_their_places():
    """As in the SDK's agent: the parameters may be any number of words, a variable that is not set is its name."""
    words = expand(
        "a b.py", ["${env}", "X=${envvar:HOME}/${envvar:NOT_SET}", "${interpreter}", "${program}"], {"HOME": "/h"}
    )
    assert [word.text for word in words] == ["/usr/bin/env", "X=/h/NOT_SET", "python", "a b.py"]
    assert [word.key for word in words] == [("command", 0), ("command", 1), ("command", 2), ("program",)]
    args, hydra = expand(None, ["${args}", "x=${now:%H}"], {})
    assert (args.is_parameters, hydra.text) == (True, "x=${now:%H}")
    assert [word.text for word in expand(None, ["${program}", "${unknown}"], {})] == ["${program}"]


@pytest.mark.parametrize(
    ("command", "starter", "kind", "needed"),
    [
        (DEFAULT_COMMAND, "python", "file", "train.py"),
        (["python", "${program}", "${args}"], "python", "file", "train.py"),
        (["python3.11", "-u", "-W", "error", "-Xdev", "${program}"], "python3.11", "file", "train.py"),
        (["/opt/bin/python3", "-OO", "x.py"], "/opt/bin/python3", "file", "x.py"),
        (["python", "-m", "${program}", "${args}"], "python", "module", "train.py"),
        (["python", "-um", "pkg.fit", "${args}"], "python", "module", "pkg.fit"),
        (["python", "-mpkg.fit"], "python", "module", "pkg.fit"),
        (["python", "-m"], "python", "module", None),
        (["python", "-c", "print(1)"], "python", "neither", None),
        (["python", "${args}", "${program}"], "python", "file", None),
        (["python"], "python", "file", None),
        (["${env}", "A=1", "-u", "B", "python", "${program}"], "python", "file", "train.py"),
        (["env", "-i", "A=1", "./run.sh", "${args}"], "./run.sh", "neither", None),
        (["bash", "-eu", "run.sh", "${args}"], "bash", "file", "run.sh"),
        (["bash", "-o", "pipefail", "${program}"], "bash", "file", "train.py"),
        (["bash", "-lc", "python ${program}"], "bash", "neither", None),
        (["${program}", "${args}"], "train.py", "neither", None),
        (["torchrun", "--nproc_per_node", "2", "${program}"], "torchrun", "neither", None),
        (["accelerate", "launch", "${program}", "${args}"], "accelerate", "neither", None),
        (["uv", "run", "${program}"], "uv", "neither", None),
        (["srun", "-n", "1", "python", "${program}"], "srun", "neither", None),
        (["docker", "run", "image", "python", "${program}"], "docker", "neither", None),
        (["${env}", "A=1"], None, "neither", None),
        (["${args}"], "", "neither", None),
    ],
)
def test_a_file_is_needed_only_where_python_or_a_shell_is_given_one(command, starter, kind, needed):
    """What `torchrun`, `uv`, a container or a cluster does with the rest, only they know."""
    found = reading(*command)
    assert (found.starter and found.starter.text) == starter
    assert (found.kind, found.needed and found.needed.text) == (kind, needed)
