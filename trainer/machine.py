"""What a run makes of the machine that it finds: its arithmetic, and its memory."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping

import torch

BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16", "sve_bf16"}
"""A processor with any of these multiplies bf16; for others PyTorch does it in software, 13 times as slow as fp32."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names of glibc's `mallopt`, from its malloc.h."""
KEPT = 2**30
"""Bytes of freed memory that a process keeps, and the size from which it is asked of the system each time."""


@functools.cache
def has_bf16(device: str) -> bool:
    """Whether a kind of device (`cpu`, `cuda`) multiplies bf16 in hardware; where nobody can tell, it does."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return multiplies_bf16(getattr(torch.cpu, "get_capabilities", dict)())  # PyTorch 2.9 does not tell


def multiplies_bf16(capabilities: Mapping[str, object]) -> bool:
    """Judge by a processor's capabilities, as PyTorch lists them."""
    return not capabilities or any(capabilities.get(flag) for flag in BF16_FLAGS)


def keep_freed_memory() -> None:
    """Have what a step frees kept for the next one, which wants the same sizes again.

    glibc would give it back, and the system would have to clear it anew: thousands of page faults a step, a quarter of
    the time at the tutorial's batch size. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, KEPT)
        mallopt(M_TRIM_THRESHOLD, KEPT)
