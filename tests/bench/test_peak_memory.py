"""The memory that is counted is that of all processes, and the most of it."""

import subprocess
import sys
import time

import psutil

from bench.peak_memory import Peak, held

MB = 10**6
HOLD = "taken = b'x' * {}; print(len(taken), flush=True); input()"


def test_what_a_child_takes_and_gives_back_is_seen() -> None:
    before = held(psutil.Process())
    with Peak(every=0.01) as peak:
        command = [sys.executable, "-S", "-c", HOLD.format(100 * MB)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout and child.stdout.readline()
            seen = held(psutil.Process())
            child.communicate(b"\n")
    assert 95 * MB < seen - before < 130 * MB
    assert peak.bytes > seen - 5 * MB
    assert held(psutil.Process()) < before + 20 * MB


def test_what_comes_and_goes_between_two_looks_of_the_caller_is_seen() -> None:
    with Peak(every=0.005) as peak:
        before = peak.bytes
        taken = bytearray(60 * MB)
        taken[::4096] = b"x" * len(taken[::4096])
        give_up_at = time.monotonic() + 20  # one look at a large process takes a while
        while peak.bytes < before + 55 * MB and time.monotonic() < give_up_at:
            time.sleep(0.01)
        del taken
    assert peak.bytes > before + 55 * MB
