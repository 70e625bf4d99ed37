"""Which slots a launch has."""

from __future__ import annotations

import pytest

from sweeper.errors import LaunchError, NoGpuError
from sweeper.gpus import Gpu, visible
from sweeper.launch.plan import plan_slots

GPUS = [Gpu(index, "H100", f"GPU-{index}aaa", 81559) for index in range(4)]


def slots(gpus=(), *, requested=None, workers=None, cores=8) -> list[tuple[str, str, int]]:
    planned = plan_slots(gpus, requested=requested, workers=workers, cores=cores)
    return [(slot.name, slot.device, slot.threads) for slot in planned]


def test_without_a_gpu_there_are_two_cpu_slots_that_share_the_cores():
    """No GPU is visible to them."""
    assert slots() == [("cpu0", "", 4), ("cpu1", "", 4)]


def test_every_gpu_is_a_slot_by_default():
    """Four GPUs, four slots, each pinned to its own."""
    assert [device for _, device, _ in slots(GPUS)] == ["0", "1", "2", "3"]


def test_the_gpus_asked_for_are_taken():
    """--gpus 0,2 pins two slots and shares the cores between them."""
    assert slots(GPUS, requested="0,2") == [("gpu0", "0", 4), ("gpu2", "2", 4)]


def test_gpus_are_pinned_even_where_nvml_does_not_answer():
    """No driver library is no proof of no GPU (ROCm): the user's word counts."""
    assert [device for _, device, _ in slots(requested="0,1")] == ["0", "1"]


def test_workers_are_cpu_slots():
    """--workers 3 hides the GPUs; a slot has at least one thread."""
    assert slots(GPUS, workers=3, cores=2) == [("cpu0", "", 1), ("cpu1", "", 1), ("cpu2", "", 1)]


@pytest.mark.parametrize("text", ["0,9", "x", "", "0,0", "-1", "0;1"])
def test_a_wrong_gpu_list_is_refused_with_a_hint(text):
    """Unknown, doubled and unreadable numbers are named."""
    with pytest.raises(NoGpuError) as caught:
        slots(GPUS, requested=text)
    assert caught.value.hint


def test_gpus_and_workers_exclude_each_other():
    """Asking for both is an error, not a guess."""
    with pytest.raises(LaunchError):
        slots(GPUS, requested="0", workers=2)


@pytest.mark.parametrize(
    ("mask", "left"), [(None, [0, 1, 2, 3]), ("2,0", [2, 0]), ("GPU-1aaa", [1]), ("", []), ("7", [])]
)
def test_an_inherited_mask_limits_the_default(mask, left):
    """A Slurm job's CUDA_VISIBLE_DEVICES is respected, numbers or UUIDs."""
    assert [gpu.index for gpu in visible(GPUS, mask)] == left
