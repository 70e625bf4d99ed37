"""A Slurm of our own on this machine: munge, a controller and some nodes with pretended GPUs, all on 127.0.0.1.

It needs root (GPUs are device files) and Debian's slurm-wlm and munge, but no systemd, control groups or database.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

TOOLS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "srun", "sinfo")
CORES = 8
"""Pretended, of each node."""
CONFIG = """\
ClusterName=sweepertest
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# less than the two minutes that a requeued job waits by default; less than 5 is not heeded
AuthInfo=socket={folder}/run/munge.sock,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=6
KillWait=20
MinJobAge=300
MaxArraySize={max_array_size}
OverTimeLimit=0
JobRequeue=1
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmdParameters=config_overrides
"""


def missing() -> str:
    """Say what this machine lacks for it; empty if nothing."""
    if os.geteuid():
        return "root (the pretended GPUs are device files)"
    found = os.environ["PATH"] + os.pathsep + "/usr/sbin"
    return ", ".join(tool for tool in TOOLS if shutil.which(tool, path=found) is None)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class SlurmCluster:
    """A Slurm that is up until `down`.

    Attributes:
        folder: Of its state and its logs.
        nodes: How many it has, `n0`, `n1`, ...
        gpus: Of each node.
        max_array_size: One more than an array job's highest index.
    """

    folder: Path
    nodes: int = 2
    gpus: int = 2
    max_array_size: int = 1001
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """What its commands need in their environment."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": f"{os.environ['PATH']}:/usr/sbin"}

    def up(self) -> None:
        """Start it, and wait until every node is idle."""
        for name in ("munge", "state", "log", "run", "spool", "dev"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "munge").chmod(0o700)
        key = self.folder / "munge" / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self._configure()
        run, log = self.folder / "run", self.folder / "log"
        options = [f"--key-file={key}", f"--socket={run}/munge.sock", f"--pid-file={run}/munged.pid"]
        options += [f"--log-file={log}/munged.log", f"--seed-file={self.folder}/munge/seed", "--num-threads=2"]
        self._start("munged", "munged", "--foreground", "--force", *options)
        self._wait((run / "munge.sock").exists)
        self._start("slurmctld", "slurmctld", "-D", "-c")
        for number in range(self.nodes):
            self.start_node(f"n{number}")
        self._wait(lambda: self.ask("sinfo", "-h", "-o", "%T %D") == f"idle {self.nodes}")

    def _configure(self) -> None:
        # a character device, or CUDA_VISIBLE_DEVICES would be empty without a word: this one is /dev/null
        for number in range(self.gpus):
            os.mknod(self.folder / "dev" / f"nvidia{number}", 0o600 | 0o020000, os.makedev(1, 3))
        files = f"{self.folder}/dev/nvidia[0-{self.gpus - 1}]"
        gres = [f"NodeName=n{number} Name=gpu File={files}" for number in range(self.nodes)]
        (self.folder / "gres.conf").write_text("AutoDetect=off\n" + "\n".join(gres) + "\n")
        host = socket.gethostname().split(".")[0]  # it must be the real one; addresses are loopback's
        text = CONFIG.format(host=host, port=free_port(), folder=self.folder, max_array_size=self.max_array_size)
        for number in range(self.nodes):
            text += f"NodeName=n{number} NodeHostname={host} NodeAddr=127.0.0.1 Port={free_port()} CPUs={CORES} "
            text += f"RealMemory=2000 Gres=gpu:{self.gpus} State=UNKNOWN\n"
        text += f"PartitionName=gpu Nodes=n[0-{self.nodes - 1}] Default=YES MaxTime=INFINITE State=UP\n"
        (self.folder / "slurm.conf").write_text(text)

    def start_node(self, name: str, *, without: Path | None = None) -> None:
        """Start the daemon of a node.

        Args:
            name: The node's.
            without: A folder that is another, empty one there.
        """
        daemon = ("slurmd", "-D", "-N", name)
        if without is not None:
            hidden = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$1"; shift; exec "$@"', "sh")
            daemon = (*hidden, str(without), *daemon)
        self._start(name, *daemon)

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / "log" / f"{name}.out").open("ab") as out:
            self.processes[name] = subprocess.Popen(
                command,
                env={**os.environ, **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def ask(self, *command: str, check: bool = False) -> str:
        """Run one of its commands; give what it prints, errors too."""
        done = subprocess.run(command, env={**os.environ, **self.environ}, capture_output=True, text=True, check=False)
        assert not (check and done.returncode), f"{command}: {done.stdout}{done.stderr} {self.jobs()}"
        return (done.stdout + done.stderr).strip()

    def jobs(self) -> list[str]:
        """List what is in the queue, a line for every task."""
        return self.ask("squeue", "-h", "-r", "-o", "%i %T %N %r").splitlines()

    def processes_of(self, node: str = "") -> list[psutil.Process]:
        """List what its jobs have started, on a node or on all."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                environ = process.environ()
                ours = environ.get("SLURM_CONF") == self.environ["SLURM_CONF"] and "SLURM_JOB_ID" in environ
                if ours and node in {"", environ.get("SLURMD_NODENAME")}:
                    found.append(process)
        return found

    def kill_node(self, name: str) -> None:
        """Kill a node as a power cut does: its daemon, and all that it runs."""
        daemon = self.processes.pop(name)
        daemon.kill()
        doomed = self.processes_of(name)
        parents = {parent for process in doomed if (parent := process.parent()) and parent.name() == "slurmstepd"}
        for process in [*parents, *doomed]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        daemon.wait()

    def down(self) -> None:
        """End everything that it started."""
        self.ask("scancel", "--user=root")
        for process in self.processes_of(""):  # a stand-in that is deaf to it would be waited for
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._wait(lambda: not self.jobs(), 10.0, must=False)
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=8)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for process in psutil.process_iter():  # which a job that was killed in the middle leaves
            with contextlib.suppress(psutil.Error):
                if process.environ().get("SLURM_CONF") == self.environ["SLURM_CONF"] and process.pid != os.getpid():
                    process.kill()

    def _wait(self, condition: Callable[[], object], timeout_s: float = 30.0, *, must: bool = True) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                assert not must, f"{self.ask('sinfo')}\n{self.ask('squeue')}"
                return
            time.sleep(0.1)
