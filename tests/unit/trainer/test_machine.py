"""What a run makes of its machine: bf16 only where it is quick, and memory that is not asked for twice."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from trainer.machine import BF16_FLAGS, multiplies_bf16

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("flag", sorted(BF16_FLAGS))
def test_a_processor_that_multiplies_bf16_does(flag: str) -> None:
    """One instruction set for it is enough."""
    assert multiplies_bf16({"avx2": True, flag: True})


def test_a_processor_that_does_not_is_spared_the_emulation() -> None:
    """AVX2 or plain AVX-512 would compute bf16 in software."""
    assert not multiplies_bf16({"avx2": True, "avx512_f": True, "avx512_bf16": False, "amx_bf16": False})


def test_who_cannot_tell_gets_what_was_asked_for() -> None:
    """An older PyTorch lists no capabilities; the user knows the machine."""
    assert multiplies_bf16({})


FAULTS = """
import resource, sys, torch
from trainer.machine import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def step():
    torch.ones(10 * 2**20)  # 40 MB: glibc keeps nothing as large by itself
for _ in range(20):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is another one")
def test_a_step_finds_the_memory_of_the_last_one() -> None:
    """Without it each step has thousands of page faults; with it, hardly any."""

    def faults(how: str) -> int:
        command = [sys.executable, "-c", FAULTS, how]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
        return int(done.stdout)

    assert faults("kept") < 100
    assert faults("plain") > 5000
