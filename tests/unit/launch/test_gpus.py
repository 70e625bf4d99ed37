"""What the real nvidia-ml-py makes of what a driver says; the driver is a test double built from C."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

H100 = "gpu|GPU-1111aaaa|NVIDIA H100|81559|4|-|-|0"
BUSY = "gpu|GPU-1111bbbb|NVIDIA H100|81559|70000|4242:69000,77:100|-|0"

ASK = """
import dataclasses, json
from sweeper.launch.gpus import find_gpus
found = find_gpus()
more = [{"idle": gpu.idle, "occupation": gpu.occupation} for gpu in found.devices]
print(json.dumps({**dataclasses.asdict(found), "devices": [d.name for d in found.devices], "more": more}))
"""


def find(environ: dict[str, str]) -> dict[str, Any]:
    """Ask in a process of its own: a library is loaded once."""
    done = subprocess.run([sys.executable, "-c", ASK], env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_gpus_are_listed_as_nvidia_smi_lists_them(nvml):
    """Number, model, UUID, memory, and the processes on each."""
    found = find(nvml.set("driver|570.86|12080", H100, BUSY))
    assert (found["driver"], found["cuda"], found["trouble"]) == ("570.86", [12, 8], "")
    first, second = found["gpus"]
    assert (first["name"], first["uuid"], first["model"]) == ("gpu0", "GPU-1111aaaa", "NVIDIA H100")
    assert (first["memory_mib"], first["used_mib"], first["processes"]) == (81559, 4, [])
    assert second["processes"] == [{"pid": 4242, "memory_mib": 69000}, {"pid": 77, "memory_mib": 100}]
    assert [gpu["idle"] for gpu in found["more"]] == [True, False]
    assert found["more"][1]["occupation"] == "70000 of 81559 MiB in use by pid 4242 (69000 MiB), pid 77 (100 MiB)"


def test_memory_without_a_process_is_no_idle_gpu(nvml):
    """Another container's processes are not seen, but what they hold is; and one that holds little computes, too."""
    used = ["600|-", "255|-", "100|7:90"]
    found = find(nvml.set(*(f"gpu|GPU-{number}|H100|81559|{text}|-|0" for number, text in enumerate(used))))
    assert [gpu["idle"] for gpu in found["more"]] == [False, True, False]
    assert "no process that is visible here" in found["more"][0]["occupation"]


def test_a_gpu_in_mig_mode_is_its_mig_devices(nvml):
    """It cannot be used whole; NVML numbers its devices with holes."""
    migs = ["mig|MIG-aa|H100 MIG 1g.10gb|9856|12|-", "mig|MIG-bb|H100 MIG 1g.10gb|9856|1200|99:1100"]
    found = find(nvml.set(H100, "gpu|GPU-2|H100|81559|87|-|mig|0", *migs))
    assert found["devices"] == ["gpu0", "gpu1mig0", "gpu1mig2"]
    assert [device["uuid"] for device in found["gpus"][1]["mig"]] == ["MIG-aa", "MIG-bb"]
    assert [gpu["idle"] for gpu in found["more"]] == [True, True, False]


def test_a_gpu_in_mig_mode_without_devices_is_of_no_use(nvml):
    """The reason is told."""
    found = find(nvml.set("gpu|GPU-2|H100|81559|87|-|mig|0"))
    assert found["devices"] == []
    assert "no MIG devices" in found["gpus"][0]["trouble"]


def test_a_lost_gpu_does_not_hide_the_others(nvml):
    """One fell off the bus: the others keep their numbers."""
    found = find(nvml.set(H100, "gpu|GPU-2|H100|81559|4|-|lost|0", BUSY))
    assert found["devices"] == ["gpu0", "gpu2"]
    assert "GPU is lost" in found["gpus"][1]["trouble"]


def test_bad_memory_is_seen(nvml):
    """ECC errors and row remapping are part of a GPU's health."""
    found = find(nvml.set("gpu|GPU-1|H100|81559|4|-|pending|3", "gpu|GPU-2|H100|81559|4|-|pending,failed|0"))
    assert [(gpu["ecc_errors"], gpu["remap"]) for gpu in found["gpus"]] == [(3, "pending"), (0, "failed")]


@pytest.mark.parametrize(("flag", "memory_mib"), [("old", 24576), ("bare", 0)])
def test_what_a_driver_or_chip_does_not_answer_is_left_open(nvml, flag, memory_mib):
    """Drivers before 510 know no memory v2; chips that share the CPU's memory tell of none."""
    (gpu,) = find(nvml.set(f"gpu|GPU-1|GB10|24576|4|-|{flag}|0"))["gpus"]
    assert (gpu["memory_mib"], gpu["trouble"]) == (memory_mib, "")


@pytest.mark.parametrize(
    ("code", "says"),
    [(9, "not loaded"), (4, "refuses this user"), (18, "different versions"), (999, "Unknown Error")],
)
def test_a_driver_that_does_not_start_says_why(nvml, code, says):
    """Not loaded, forbidden, half updated: each has its own sentence."""
    found = find(nvml.set(f"init|{code}", H100))
    assert says in found["trouble"]
    assert found["gpus"] == []


def test_a_driver_without_gpus_is_no_trouble(nvml):
    """It answers; there is nothing to list."""
    found = find(nvml.set("driver|570.86|12080"))
    assert (found["trouble"], found["gpus"]) == ("", [])


def test_no_library_is_no_driver(tmp_path):
    """On a machine that has none."""
    trouble = find({"LD_LIBRARY_PATH": str(tmp_path)})["trouble"]
    if not trouble:
        pytest.skip("this machine has an NVIDIA driver")
    assert "no NVIDIA driver" in trouble


def test_what_tells_of_a_gpu_is_named_where_nvml_does_not_answer(nvml, tmp_path):
    """Device files of NVIDIA, AMD and WSL, and nvidia-smi on the path."""
    signs = f"""
from pathlib import Path
from sweeper.launch.gpus import find_gpus
print(find_gpus(Path({str(tmp_path)!r}), {str(tmp_path)!r}).signs)
"""

    def told(*lines: str) -> str:
        command = [sys.executable, "-c", signs]
        return subprocess.run(command, env=nvml.set(*lines), capture_output=True, text=True, timeout=60).stdout.strip()

    assert told("init|12") == ""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidiactl").touch()  # of the driver, not of a GPU
    assert told("init|12") == ""
    for name in ("nvidia1", "nvidia0", "kfd"):
        (tmp_path / "dev" / name).touch()
    assert told("init|12") == "/dev/nvidia0 and /dev/kfd are"
    (tmp_path / "nvidia-smi").touch(mode=0o755)
    assert told("init|12") == f"/dev/nvidia0 and /dev/kfd and {tmp_path}/nvidia-smi are"
    assert told(H100) == ""
