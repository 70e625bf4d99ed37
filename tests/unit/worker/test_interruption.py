"""An exception that a signal brings to the main thread, in a process of the test's own."""

from __future__ import annotations

import subprocess
import sys

MEET = """
import random, threading, time
from sweeper.worker.interruption import Interrupted, arm, interrupt

random.seed(1)
slowest = 0.0
for _ in range(1500):
    asleep, done = threading.Event(), threading.Event()

    def send(asleep=asleep, done=done):
        asleep.wait()
        for _ in range(random.randrange(60)):  # the way into the system call takes a few microseconds
            pass
        interrupt(done)

    thread = threading.Thread(target=send)
    thread.start()
    arm()
    began = time.monotonic()
    try:
        asleep.set()
        time.sleep(20)
        raise AssertionError("nobody was heard")
    except Interrupted:
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.0)  # what it still does is not interrupted again
    done.set()
    thread.join()
print(slowest)
"""


def test_no_sleep_is_slept_to_its_end_however_the_signal_meets_it():
    """1,500 signals at the moment at which the main thread goes to sleep; one of them is often too early by itself."""
    done = subprocess.run([sys.executable, "-c", MEET], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 10


RESTORED = """
import signal, threading, time
from sweeper.worker.interruption import Interrupted, arm, interrupt

done = threading.Event()
arm()
found = signal.getsignal(signal.SIGUSR2)
thread = threading.Thread(target=interrupt, args=(done,))
try:
    thread.start()
    time.sleep(20)
except Interrupted:
    signal.signal(signal.SIGUSR2, found)
    time.sleep(0.8)  # longer than to the next signals
done.set()
thread.join()
print("ended as it wanted")
"""


def test_a_trainer_that_puts_handlers_back_is_interrupted_once():
    """Lightning restores all that it found at its start; what ends the run behind it is left alone, however long."""
    done = subprocess.run([sys.executable, "-c", RESTORED], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("ended as it wanted", "")


WAKING = """
import os, signal, socket
from sweeper.worker.interruption import waking

here, there = socket.socketpair()
signal.signal(signal.SIGTERM, lambda *_: None)
with waking(there):
    os.kill(os.getpid(), signal.SIGTERM)
os.kill(os.getpid(), signal.SIGTERM)
print(*here.recv(64))
"""


def test_a_socket_tells_of_each_signal_for_as_long_as_it_is_asked_to():
    """By its number, at the moment it comes."""
    done = subprocess.run([sys.executable, "-c", WAKING], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["15"], done.stderr
