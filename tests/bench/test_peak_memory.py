"""The memory that is counted is that of all processes, and the most of it."""

import mmap
import subprocess
import sys
import time

import psutil

from bench.peak_memory import Peak, held

MB = 10**6
HOLD = "taken = b'x' * {}; print(len(taken), flush=True); input()"


def wait_for(peak: Peak, least: int) -> None:
    """Until a look has found so much, or none will: one look at a large process takes a while."""
    give_up_at = time.monotonic() + 20
    while peak.bytes < least and time.monotonic() < give_up_at:
        time.sleep(0.01)


def test_what_a_child_takes_and_gives_back_is_seen() -> None:
    before = held(psutil.Process())
    with Peak(every=0.01) as peak:
        command = [sys.executable, "-S", "-c", HOLD.format(100 * MB)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout and child.stdout.readline()
            seen = held(psutil.Process())
            wait_for(peak, seen - 5 * MB)
            child.communicate(b"\n")
    assert 95 * MB < seen - before < 130 * MB
    assert peak.bytes > seen - 5 * MB
    # By less than it took: what this process shares with others becomes more its own as soon as one of them ends.
    assert held(psutil.Process()) < seen - 60 * MB


def test_what_comes_and_goes_between_two_looks_of_the_caller_is_seen() -> None:
    with Peak(every=0.005) as peak:
        before = peak.bytes
        # Pages of its own: a heap may have as many to give that earlier tests have left there, and that count already.
        with mmap.mmap(-1, 60 * MB) as taken:
            for start in range(0, 60 * MB, MB):
                taken[start : start + MB] = b"x" * MB
            wait_for(peak, before + 55 * MB)
    assert peak.bytes > before + 55 * MB
