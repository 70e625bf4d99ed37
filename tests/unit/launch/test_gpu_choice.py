"""Which GPUs `--gpus` means."""

from __future__ import annotations

import pytest

from sweeper.errors import NoGpuError
from sweeper.launch.gpu_choice import choose, visible
from sweeper.launch.gpus import Found
from tests.unit.launch.conftest import BUSY, DEVICE_FILE, FOUR, MIXED, NO_DRIVER


def names(gpus) -> list[str]:
    return [one.name for one in gpus]


def chosen(gpus, request, mask=None) -> list[str]:
    return names(choose(Found(gpus=tuple(gpus)), request, mask))


def refused(machine, request, mask=None) -> NoGpuError:
    found = machine if isinstance(machine, Found) else Found(gpus=tuple(machine))
    with pytest.raises(NoGpuError) as caught:
        choose(found, request, mask)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("0,2", ["gpu0", "gpu2"]),
        ("2,0", ["gpu2", "gpu0"]),
        ("1-3", ["gpu1", "gpu2", "gpu3"]),
        ("2-2", ["gpu2"]),
        ("0-1,3", ["gpu0", "gpu1", "gpu3"]),
        ("GPU-2aaa", ["gpu2"]),
        ("gpu-1A, 0", ["gpu1", "gpu0"]),
    ],
)
def test_gpus_are_named_by_number_range_and_uuid(request_, expected):
    """Mixed as one likes, in the order asked for; the beginning of a UUID is enough."""
    assert chosen(FOUR, request_) == expected


def test_idle_gpus_are_those_without_work():
    """Others' GPUs are left alone, without a word."""
    assert chosen(MIXED, "idle") == ["gpu0", "gpu1mig0", "gpu1mig2"]


def test_where_none_is_idle_the_error_names_who_is_there():
    """With the bound of idleness, and a way out."""
    error = refused([BUSY], "idle")
    assert "gpu2: 70000 of 81559 MiB in use by pid 4242" in error.message
    assert "256 MiB" in error.hint


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ("9", "no GPU 9 on this machine"),
        ("2-5", "no GPU 4 on this machine"),
        ("GPU-f", "no GPU GPU-f on this machine"),
        ("GPU-", "GPU- begins the UUIDs of several GPUs"),
        ("0,0", "names gpu0 twice"),
        ("0-2,GPU-1aaa", "names gpu1 twice"),
        ("3-1", "the range 3-1 is empty"),
        ("all,0", "'all' names no GPU"),
        ("x", "'x' names no GPU"),
        ("", "--gpus is empty"),
        (" ", "--gpus is empty"),
        ("0,", "'' names no GPU"),
        ("-1", "'-1' names no GPU"),
        ("0;1", "'0;1' names no GPU"),
        ("0-9999999", "'0-9999999' names no GPU"),
    ],
)
def test_a_wrong_gpu_is_refused_with_a_hint(request_, says):
    """Unknown, doubled and unreadable ones are named."""
    assert says in refused(FOUR, request_).message


@pytest.mark.parametrize(
    ("request_", "fix"),
    [
        ("cpu", "leave that option out, or say how many workers: --workers 2"),
        ("none", "--workers 2"),
        ("", "--workers 2"),
        ("cuda:1", "--gpus 1"),
        ("gpu0", "--gpus 0"),
        ("0 1", "put commas between them: --gpus 0,1"),
        ("0;1", "--gpus 0,1"),
        ("9", "it has gpu0 (H100, GPU-0aaa), gpu1"),
        ("0,0", "--per-gpu 2"),
    ],
)
def test_the_hint_says_what_was_probably_meant(request_, fix):
    """Other tools write GPUs in other ways; whoever wants the CPU is told how."""
    assert fix in refused(FOUR, request_).hint


# A driver that does not answer


@pytest.mark.parametrize("request_", ["0", "0,1", "0-3", "GPU-1aaa", "MIG-1"])
def test_named_gpus_are_refused_where_there_are_none(request_):
    """With what there is, and how to take the CPU."""
    error = refused(NO_DRIVER, request_)
    assert error.message == f"--gpus {request_}: this machine has no GPU: no NVIDIA driver here"
    assert "--workers 2" in error.hint
    assert "the NVIDIA driver finds none; to run on the CPU" in refused([], "0").hint


def test_numbers_are_taken_at_their_word_where_something_tells_of_a_gpu():
    """A container without NVIDIA's library, or AMD's; a UUID cannot be looked up there, and a mask holds."""
    taken = choose(DEVICE_FILE, "0-1")
    assert [(gpu.name, gpu.uuid) for gpu in taken] == [("gpu0", "0"), ("gpu1", "1")]
    error = refused(DEVICE_FILE, "GPU-1")
    assert error.message == "GPU GPU-1 cannot be looked up: no NVIDIA driver here (but /dev/nvidia0 is here)"
    assert "hidden by CUDA_VISIBLE_DEVICES=0" in refused(DEVICE_FILE, "0,1", "0").message


def test_a_gpu_that_cannot_be_used_is_refused_with_its_reason():
    """It was asked for by name: leaving it out in silence would be wrong."""
    assert refused(MIXED, "3").message == "gpu3 cannot be used: GPU is lost"


# An inherited CUDA_VISIBLE_DEVICES


@pytest.mark.parametrize(
    ("mask", "left"),
    [
        (None, ["gpu0", "gpu1mig0", "gpu1mig2", "gpu2"]),
        ("2,0", ["gpu0", "gpu2"]),
        ("GPU-0", ["gpu0"]),
        ("MIG-12bbb", ["gpu1mig2"]),
        ("1", ["gpu1mig0", "gpu1mig2"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0,-1,2", ["gpu0"]),
        ("GPU-", []),
        ("7", []),
        ("3", []),
    ],
)
def test_an_inherited_mask_is_read_as_cuda_reads_it(mask, left):
    """Numbers, UUIDs and MIG devices; what follows a name that is none is not visible."""
    assert names(visible(MIXED, mask)) == left


def test_an_inherited_mask_limits_all_and_idle():
    """A Slurm job stays within its share."""
    assert chosen(FOUR, "all", "1,2") == ["gpu1", "gpu2"]
    assert chosen(MIXED, "idle", "0,2") == ["gpu0"]


def test_asking_beyond_the_mask_is_an_error_that_says_so():
    """With what the mask leaves."""
    error = refused(FOUR, "0,3", "0,1")
    assert error.message == "gpu3 is hidden by CUDA_VISIBLE_DEVICES=0,1"
    assert "gpu0 (H100, GPU-0aaa), gpu1" in error.hint
