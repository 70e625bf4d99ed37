"""What facts make of GPUs and PyTorch: every check, at its best and at its worst."""

from __future__ import annotations

import pytest

from sweeper.doctor import gpu_checks as checks
from sweeper.doctor.gpu_checks import Torch
from sweeper.launch.gpus import NO_DRIVER, Found, Gpu, GpuProcess


def gpu(**more) -> Gpu:
    return Gpu(**{"name": "gpu0", "index": 0, "model": "H100", "memory_mib": 81920, "capability": (9, 0), **more})


def torch(**more) -> Torch:
    return Torch(**{"version": "2.15.0", "cuda": "13.2", "available": True, "arches": ("sm_80", "sm_90"), **more})


DRIVER = Found(gpus=(gpu(),), driver="580.95", cuda=(13, 2))
OLD_DRIVER = Found(gpus=(gpu(),), driver="535.1", cuda=(12, 2))
NONE = Found(trouble=NO_DRIVER)
MISMATCH = Found(trouble="the NVIDIA driver's library and kernel module have different versions")
MIG = gpu(mig=(gpu(name="gpu0mig0"), gpu(name="gpu0mig1", used_mib=900)))


CASES = [
    (checks.judge_driver(DRIVER, 1), "ok", "NVIDIA 580.95, up to CUDA 13.2: 1 GPUs"),
    (checks.judge_driver(NONE, 0), "ok", "train on the CPU"),
    (checks.judge_driver(NONE, 2), "warn", "cards on the bus: 2"),
    (checks.judge_driver(MISMATCH, 0), "warn", "different versions"),
    (checks.judge_driver(MISMATCH, 2), "fail", "different versions"),
    (checks.judge_gpu(gpu()), "ok", "H100 80 GiB, idle"),
    (checks.judge_gpu(gpu(used_mib=900, processes=(GpuProcess(7, 800),))), "ok", "pid 7 (800 MiB)"),
    (checks.judge_gpu(MIG), "ok", "2 MIG devices, 1 of them idle"),
    (checks.judge_gpu(gpu(mig=(), trouble="no MIG devices")), "warn", "no MIG devices"),
    (checks.judge_gpu(gpu(ecc_errors=3)), "warn", "3 memory errors"),
    (checks.judge_gpu(gpu(remap="pending")), "warn", "memory"),
    (checks.judge_gpu(gpu(remap="failed")), "fail", "worn out"),
    (checks.judge_gpu(gpu(trouble="GPU is lost")), "fail", "GPU is lost"),
    (checks.judge_torch(torch(), DRIVER), "ok", "2.15.0 for CUDA 13.2"),
    (checks.judge_torch(torch(available=False), NONE), "ok", "no GPU"),
    (checks.judge_torch(torch(cuda=None, hip="6.4"), NONE), "ok", "ROCm 6.4, GPUs available"),
    (checks.judge_torch(torch(arches=("sm_80", "compute_80")), DRIVER), "ok", "2.15.0"),
    (checks.judge_torch(torch(arches=("sm_90a",)), DRIVER), "ok", "2.15.0"),
    (checks.judge_torch(Torch(trouble="ImportError: libcudart"), NONE), "fail", "ImportError: libcudart"),
    (checks.judge_torch(Torch(), DRIVER), "warn", "not installed"),
    (checks.judge_torch(torch(cuda=None), DRIVER), "fail", "for the CPU, but there are NVIDIA GPUs"),
    (checks.judge_torch(torch(available=False), OLD_DRIVER), "fail", "driver 535.1 goes up to CUDA 12.2"),
    (
        checks.judge_torch(torch(available=False, trouble="initialization"), DRIVER),
        "fail",
        "no GPU: initialization",
    ),
    (checks.judge_torch(torch(arches=("sm_80", "sm_100", "compute_100")), DRIVER), "fail", "without code for gpu0"),
]


@pytest.mark.parametrize(("finding", "verdict", "says"), CASES, ids=[f"{f.check}-{v}-{s}" for f, v, s in CASES])
def test_a_gpu_has_its_verdict(finding, verdict, says):
    """Each says what was found; what is not well has a fix, and what is well needs none."""
    assert (finding.verdict, says in finding.found) == (verdict, True), finding
    assert bool(finding.fix) is (verdict != "ok")


def test_errors_of_programs_are_no_errors_of_hardware():
    """Xid 31 is an illegal address of somebody's kernel; 79 is a GPU that fell off the bus, told once."""
    assert list(checks.judge_xids([("0000:41:00", 31)])) == []
    (finding,) = checks.judge_xids([("0000:41:00", 79), ("0000:41:00", 31), ("0000:41:00", 79)])
    assert finding.verdict == "warn"
    assert "Xid 79 on 0000:41:00" in finding.found
    assert finding.found.count("79") == 1
