"""Which slots a launch has."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.errors import NoGpuError, UsageError
from sweeper.launch.claims import Claim
from sweeper.launch.cores import usable_cores
from sweeper.launch.gpus import Found
from sweeper.launch.plan import Machine, SlotRequest, plan_slots, this_machine
from sweeper.settings import Settings
from tests.unit.launch.conftest import BUSY, DEVICE_FILE, FOUR, LOST, MIXED, NO_DRIVER, gpu, mig


def plan(machine=FOUR, *, found=None, mask=None, cores=8, others=(), **asked):
    there = Machine(found=found or Found(gpus=tuple(machine)), mask=mask, cores=cores)
    return plan_slots(there, SlotRequest(**asked), others)


def slots(*args, **options) -> list[tuple[str, str, int]]:
    return [(slot.name, slot.device, slot.threads) for slot in plan(*args, **options).slots]


# Which GPUs


def test_every_gpu_is_a_slot_by_default():
    """Four GPUs, four slots, each pinned by UUID, without a word about it."""
    assert slots() == [(f"gpu{index}", f"GPU-{index}aaa", 2) for index in range(4)]
    assert plan().notes == ()
    assert slots(gpus="all") == slots(gpus="ALL ") == slots()


def test_a_gpu_in_mig_mode_stands_for_its_mig_devices():
    """It cannot be used whole; a MIG device can be named alone."""
    assert [slot.name for slot in plan(MIXED, gpus="0-1").slots] == ["gpu0", "gpu1mig0", "gpu1mig2"]
    assert [slot.name for slot in plan(MIXED, gpus="GPU-1aaa").slots] == ["gpu1mig0", "gpu1mig2"]
    assert slots(MIXED, gpus="MIG-12") == [("gpu1mig2", "MIG-12bbb", 8)]


def test_all_leaves_out_what_cannot_be_used_and_says_so():
    """A lost GPU costs its own slot only; a busy one is taken, with a warning that names who is there."""
    made = plan(MIXED)
    assert [slot.name for slot in made.slots] == ["gpu0", "gpu1mig0", "gpu1mig2", "gpu2"]
    lost, busy = made.notes
    assert lost == "gpu3 is left out: GPU is lost"
    assert busy == "gpu2 is busy: 70000 of 81559 MiB in use by pid 4242 (69000 MiB)"
    assert plan(MIXED, gpus="0").notes == plan((gpu(0), BUSY), gpus="idle").notes == ()


# An inherited CUDA_VISIBLE_DEVICES


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


def test_numbers_that_nobody_can_check_come_with_a_word():
    """A device file tells of a GPU, and NVML does not answer: each is named."""
    says = "no NVIDIA driver here, but /dev/nvidia0 is here: these numbers are unchecked, and runs may train on the CPU"
    assert plan(found=DEVICE_FILE, gpus="0-1").notes == (says,)
    why = "no NVIDIA driver here (but /dev/nvidia0 is here: --gpus 0 takes one unchecked): running on the CPU"
    assert plan(found=DEVICE_FILE).notes == (why,)


@pytest.mark.parametrize(
    "asked", [{"gpus": "0,1"}, {"gpus": "idle"}, {"gpus": "all"}, {"per_gpu": 2}, {"gpus_per_run": 2}]
)
def test_asking_for_gpus_where_there_are_none_is_an_error(asked):
    """The CPU is no answer to a question about GPUs."""
    for machine in (NO_DRIVER, Found()):
        with pytest.raises(NoGpuError, match=r"no NVIDIA driver|driver finds no GPU|no GPU 0") as caught:
            plan(found=machine, **asked)
        assert "--workers 2" in caught.value.hint


# Other launches


def held(*slots_: tuple[str, str], pid: int = 42) -> Claim:
    return Claim(pid, "e/p/s", dict(slots_))


ON_CPU = held(("cpu0", ""), ("cpu1", ""))
ON_GPU = held(("gpu0", "GPU-0aaa"), ("gpu2-3", "GPU-2aaa,GPU-3aaa"))


def test_cpu_slots_of_two_launches_have_different_names_and_share_the_cores():
    """Who is there is said, and that too many workers slow each other down."""
    assert slots((), others=[ON_CPU]) == [("cpu2", "", 2), ("cpu3", "", 2)]
    assert slots(workers=1, others=[held(("cpu1", ""))]) == [("cpu0", "", 4)]
    assert plan(workers=2, others=[ON_CPU]).notes == (
        "process 42 (sweep e/p/s) works on cpu0, cpu1: this launch takes cpu2, cpu3",
    )
    assert plan(workers=9).notes == ("9 workers share 8 CPU cores: they slow each other down",)
    assert plan(workers=2, others=[ON_CPU], cores=1).notes[1] == "4 workers share 1 CPU core: they slow each other down"


def test_a_launch_takes_the_gpus_that_no_other_holds():
    """By default and of the idle ones, with a word about the rest; one in a group of several is held, too."""
    made = plan(others=[ON_GPU])
    assert [(slot.name, slot.threads) for slot in made.slots] == [("gpu1", 2)]
    assert made.notes[0] == "gpu0 is left out: it is held by process 42 (sweep e/p/s)"
    assert slots(gpus="idle", others=[ON_GPU]) == slots(others=[ON_GPU])
    assert plan(others=[held(("gpu7", "GPU-7"))]).notes == ()


@pytest.mark.parametrize("asked", [{"gpus": "0"}, {"gpus": "1,GPU-2aaa"}, {"gpus": "3", "per_gpu": 2}])
def test_a_gpu_that_was_named_and_is_held_is_refused(asked):
    """Whoever named it is told who holds it, and how to share it on purpose."""
    with pytest.raises(
        NoGpuError, match=r"another launch of this machine holds gpu\d by process 42 \(sweep e/p/s\)"
    ) as caught:
        plan(others=[ON_GPU], **asked)
    assert "--share" in caught.value.hint


def test_where_all_gpus_are_held_the_cpu_is_no_silent_answer():
    """Not even by default: somebody with GPUs does not expect it."""
    for asked in ({}, {"gpus": "all"}, {"gpus": "idle"}):
        with pytest.raises(NoGpuError, match="holds gpu0 by process 42"):
            plan(FOUR[:1], others=[ON_GPU], **asked)


def test_gpus_are_shared_on_purpose():
    """With another name than the slot that is there already."""
    made = plan(gpus="0,1", share=True, others=[ON_GPU])
    assert [(slot.name, slot.device) for slot in made.slots] == [("gpu0.1", "GPU-0aaa"), ("gpu1", "GPU-1aaa")]
    assert made.notes == ("gpu0 is shared with process 42 (sweep e/p/s)",)
    both = [ON_GPU, held(("gpu0.1", "GPU-0aaa"))]
    assert [one[0] for one in slots(gpus="0", per_gpu=2, share=True, others=both)] == ["gpu0.2", "gpu0.3"]


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
        {"share": True, "workers": 2},
        {"per_gpu": 2, "gpus_per_run": 2},
    ],
)
def test_options_that_exclude_each_other_are_refused(asked):
    """Asking for both is an error, not a guess."""
    with pytest.raises(UsageError, match="exclude each other"):
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
    plan = plan_slots(this_machine(Settings(home=tmp_path)), SlotRequest(workers=3))
    assert [slot.name for slot in plan.slots] == ["cpu0", "cpu1", "cpu2"]
    assert {slot.threads for slot in plan.slots} == {max(1, usable_cores() // 3)}
