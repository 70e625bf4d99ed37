"""Which slots a launch has."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.errors import LaunchError, NoGpuError
from sweeper.launch.cores import usable_cores
from sweeper.launch.gpus import Found, Gpu, GpuProcess
from sweeper.launch.plan import SlotRequest, choose, plan_machine, plan_slots, visible
from sweeper.settings import Settings


def gpu(index: int, **more) -> Gpu:
    name = f"gpu{index}"
    return Gpu(name=name, index=index, model="H100", uuid=f"GPU-{index}aaa", memory_mib=81559, used_mib=4, **more)


def mig(index: int, number: int) -> Gpu:
    uuid = f"MIG-{index}{number}bbb"
    return Gpu(name=f"gpu{index}mig{number}", index=index, model="MIG 1g.10gb", uuid=uuid, memory_mib=9856)


FOUR = tuple(gpu(index) for index in range(4))
CUT = gpu(1, mig=(mig(1, 0), mig(1, 2)))
BUSY = replace(gpu(2), used_mib=70000, processes=(GpuProcess(4242, 69000),))
LOST = gpu(3, trouble="GPU is lost")
MIXED = (gpu(0), CUT, BUSY, LOST)
NO_DRIVER = Found(trouble="no NVIDIA driver here")


def plan(machine=FOUR, *, found=None, mask=None, cores=8, **asked):
    return plan_slots(found or Found(gpus=tuple(machine)), SlotRequest(**asked), mask=mask, cores=cores)


def slots(*args, **options) -> list[tuple[str, str, int]]:
    return [(slot.name, slot.device, slot.threads) for slot in plan(*args, **options).slots]


def names(gpus) -> list[str]:
    return [one.name for one in gpus]


def refused(gpus, request, mask=None) -> NoGpuError:
    with pytest.raises(NoGpuError) as caught:
        choose(gpus, request, mask)
    assert caught.value.hint
    return caught.value


# Which GPUs


def test_every_gpu_is_a_slot_by_default():
    """Four GPUs, four slots, each pinned by UUID, without a word about it."""
    assert slots() == [(f"gpu{index}", f"GPU-{index}aaa", 2) for index in range(4)]
    assert plan().notes == ()
    assert slots(gpus="all") == slots()


@pytest.mark.parametrize(
    ("request_", "chosen"),
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
def test_gpus_are_named_by_number_range_and_uuid(request_, chosen):
    """Mixed as one likes, in the order asked for; the beginning of a UUID is enough."""
    assert names(choose(FOUR, request_)) == chosen


def test_a_gpu_in_mig_mode_stands_for_its_mig_devices():
    """It cannot be used whole; a MIG device can be named alone."""
    assert names(choose(MIXED, "0-1")) == ["gpu0", "gpu1mig0", "gpu1mig2"]
    assert names(choose(MIXED, "GPU-1aaa")) == ["gpu1mig0", "gpu1mig2"]
    assert slots(MIXED, gpus="MIG-12") == [("gpu1mig2", "MIG-12bbb", 8)]


def test_all_leaves_out_what_cannot_be_used_and_says_so():
    """A lost GPU costs its own slot only; a busy one is taken, with a warning that names who is there."""
    made = plan(MIXED)
    assert [slot.name for slot in made.slots] == ["gpu0", "gpu1mig0", "gpu1mig2", "gpu2"]
    lost, busy = made.notes
    assert lost == "gpu3 is left out: GPU is lost"
    assert busy == "gpu2 is busy: 70000 of 81559 MiB in use by pid 4242 (69000 MiB)"
    assert plan(MIXED, gpus="0").notes == ()


def test_idle_gpus_are_those_without_work():
    """Others' GPUs are left alone, without a word."""
    assert names(choose(MIXED, "idle")) == ["gpu0", "gpu1mig0", "gpu1mig2"]
    assert plan((gpu(0), BUSY), gpus="idle").notes == ()


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
        ("", "'' names no GPU"),
        ("-1", "'-1' names no GPU"),
        ("0;1", "'0;1' names no GPU"),
        ("0-9999999", "'0-9999999' names no GPU"),
    ],
)
def test_a_wrong_gpu_is_refused_with_a_hint(request_, says):
    """Unknown, doubled and unreadable ones are named."""
    assert says in refused(FOUR, request_).message
    with pytest.raises(NoGpuError):
        plan(gpus=request_)


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
    assert names(choose(FOUR, "all", "1,2")) == ["gpu1", "gpu2"]
    assert names(choose(MIXED, "idle", "0,2")) == ["gpu0"]


def test_asking_beyond_the_mask_is_an_error_that_says_so():
    """With what the mask leaves."""
    error = refused(FOUR, "0,3", "0,1")
    assert error.message == "gpu3 is hidden by CUDA_VISIBLE_DEVICES=0,1"
    assert "gpu0 (H100, GPU-0aaa), gpu1" in error.hint


def test_a_mask_that_hides_all_gpus_leaves_the_cpu():
    """Said in one line, with what is hidden."""
    made = plan(mask="")
    assert [slot.name for slot in made.slots] == ["cpu0", "cpu1"]
    assert made.notes[0].startswith("CUDA_VISIBLE_DEVICES= hides every GPU (gpu0 (H100, GPU-0aaa)")


# The CPU


def test_without_a_gpu_there_are_two_cpu_slots_that_share_the_cores():
    """No GPU is visible to them, and one line says why."""
    assert slots(found=NO_DRIVER) == [("cpu0", "", 4), ("cpu1", "", 4)]
    assert plan(found=NO_DRIVER).notes == ("no NVIDIA driver here: running on the CPU",)
    assert plan(()).notes == ("the NVIDIA driver finds no GPU: running on the CPU",)
    assert plan((LOST,)).notes == ("gpu3 cannot be used: GPU is lost: running on the CPU",)


def test_workers_are_cpu_slots():
    """--workers 3 hides the GPUs; a slot has at least one thread."""
    assert slots(workers=3, cores=2) == [("cpu0", "", 1), ("cpu1", "", 1), ("cpu2", "", 1)]


def test_numbers_are_taken_at_their_word_where_nvml_does_not_answer():
    """No driver library is no proof of no GPU (ROCm); a UUID is NVIDIA's, and a mask holds all the same."""
    made = plan(found=NO_DRIVER, gpus="0-1")
    assert [(slot.name, slot.device) for slot in made.slots] == [("gpu0", "0"), ("gpu1", "1")]
    assert made.notes == ("no NVIDIA driver here: runs are pinned to these GPUs, but may train on the CPU",)
    with pytest.raises(NoGpuError, match="no GPU GPU-1 on"):
        plan(found=NO_DRIVER, gpus="GPU-1")
    with pytest.raises(NoGpuError, match="hidden by CUDA_VISIBLE_DEVICES=0"):
        plan(found=NO_DRIVER, gpus="0,1", mask="0")


@pytest.mark.parametrize("asked", [{"gpus": "idle"}, {"per_gpu": 2}, {"gpus_per_run": 2}])
def test_asking_for_gpus_where_there_are_none_is_an_error(asked):
    """The CPU is no answer to a question about GPUs."""
    with pytest.raises(NoGpuError, match="no NVIDIA driver"):
        plan(found=NO_DRIVER, **asked)


# Sharing and joining


def test_several_slots_share_a_gpu():
    """--per-gpu 2: two slots of one device, and the cores shared among all."""
    shared = [
        ("gpu0.0", "GPU-0aaa", 2),
        ("gpu0.1", "GPU-0aaa", 2),
        ("gpu1.0", "GPU-1aaa", 2),
        ("gpu1.1", "GPU-1aaa", 2),
    ]
    assert slots(gpus="0,1", per_gpu=2) == shared


def test_a_run_may_have_several_gpus():
    """--gpus-per-run 2: each slot sees two, as they were named."""
    assert slots(gpus="0,2,1,3", gpus_per_run=2) == [
        ("gpu0+2", "GPU-0aaa,GPU-2aaa", 4),
        ("gpu1+3", "GPU-1aaa,GPU-3aaa", 4),
    ]
    assert slots(gpus_per_run=4) == [("gpu0-3", "GPU-0aaa,GPU-1aaa,GPU-2aaa,GPU-3aaa", 8)]


def test_gpus_that_make_no_whole_group_are_left_over():
    """Said of `all`; refused where they were named."""
    made = plan(FOUR[:3], gpus_per_run=2)
    assert [slot.name for slot in made.slots] == ["gpu0-1"]
    assert made.notes == ("gpu2 is left over by --gpus-per-run 2",)
    for options in ({"gpus": "0-2", "gpus_per_run": 2}, {"gpus_per_run": 5}):
        with pytest.raises(NoGpuError, match="does not divide"):
            plan(**options)


def test_a_run_cannot_have_several_mig_devices():
    """CUDA would show it the first one only."""
    with pytest.raises(NoGpuError, match="several MIG devices"):
        plan(MIXED, gpus="1", gpus_per_run=2)


@pytest.mark.parametrize(
    "asked",
    [
        {"gpus": "0", "workers": 2},
        {"per_gpu": 2, "workers": 2},
        {"gpus_per_run": 2, "workers": 2},
        {"per_gpu": 2, "gpus_per_run": 2},
    ],
)
def test_options_that_exclude_each_other_are_refused(asked):
    """Asking for both is an error, not a guess."""
    with pytest.raises(LaunchError, match="exclude each other"):
        plan(**asked)


MACHINES = st.lists(st.integers(0, 3), min_size=1, max_size=8).map(
    lambda kinds: tuple(
        gpu(index, mig=tuple(mig(index, number) for number in range(kind)) if kind else None)
        for index, kind in enumerate(kinds)
    )
)


@given(MACHINES, st.integers(1, 4), st.integers(1, 64), st.data())
def test_no_gpu_has_more_slots_than_asked_for(machine, per_gpu, cores, data):
    """Whatever is named: each device has exactly --per-gpu slots, names differ, and threads do not exceed the cores."""
    asked = data.draw(st.lists(st.sampled_from(machine), min_size=1, unique=True))
    request = ",".join(data.draw(st.sampled_from([str(one.index), one.uuid])) for one in asked)
    made = plan(machine, gpus=request, per_gpu=per_gpu, cores=cores).slots
    assert Counter(slot.device for slot in made) == {device.uuid: per_gpu for one in asked for device in one.devices}
    assert len({slot.name for slot in made}) == len(made)
    assert sum(slot.threads for slot in made) <= max(cores, len(made))


@given(st.integers(1, 16), st.integers(1, 8))
def test_groups_never_share_a_gpu(number, size):
    """Every GPU is in one slot, or left over; only whole groups are slots."""
    machine = [gpu(index) for index in range(number)]
    if size > number:
        return
    made = plan(machine, gpus_per_run=size)
    used = [uuid for slot in made.slots for uuid in slot.device.split(",")]
    assert len(set(used)) == len(used) == number // size * size
    assert len(made.notes) == number % size


def test_this_machines_slots_share_the_cores_it_may_use(tmp_path):
    """What is asked for decides where no GPU is wanted."""
    plan = plan_machine(Settings(home=tmp_path), SlotRequest(workers=3))
    assert [slot.name for slot in plan.slots] == ["cpu0", "cpu1", "cpu2"]
    assert {slot.threads for slot in plan.slots} == {max(1, usable_cores() // 3)}
