"""The most memory that a process and all that it started held at once."""

import threading
from contextlib import suppress
from typing import Self

import psutil


class Peak:
    """Looks, as long as its block lasts, at what a process and all below it hold; `bytes` is the most it saw.

    every: seconds between two looks; one look takes about 5 ms for each process.
    """

    def __init__(self, process: int | None = None, *, every: float = 0.2) -> None:
        self.bytes = 0
        self._process, self._every = psutil.Process(process), every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(self._every):
            self._look()

    def _look(self) -> None:
        self.bytes = max(self.bytes, held(self._process))


def held(process: psutil.Process) -> int:
    """Bytes that a process and all below it hold, what several share counted once.

    Where the system does not tell each one's part of what they share (any but Linux), what they share is left out.
    """
    total = 0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):  # it has ended meanwhile
            memory = each.memory_full_info()
            total += getattr(memory, "pss", memory.uss)
    return total
