"""Whose turn it is at a host: requests so many seconds apart, and none during a pause that the host asked for."""

import asyncio
import threading
import time
from typing import Protocol


class Turns(Protocol):
    """One host's turns, of a process or of a whole cluster."""

    def enter(self, interval: float) -> float:
        """Wait for this request's turn and keep the next one `interval` seconds away; the seconds waited."""

    def close_for(self, seconds: float) -> None:
        """Nobody's turn comes for so long."""


class Slots:
    """The arithmetic of turns, in seconds of one clock that the caller reads."""

    def __init__(self) -> None:
        self._free_at = 0.0

    def left(self, now: float) -> float:
        """Seconds until the next turn; 0 if it is now."""
        return max(0.0, self._free_at - now)

    def take(self, now: float, interval: float) -> None:
        """A turn is taken now, and the next comes `interval` later."""
        self._free_at = now + interval

    def close(self, now: float, seconds: float) -> None:
        """No turn for so long; a longer pause that holds already stays."""
        self._free_at = max(self._free_at, now + seconds)


class ThreadTurns:
    """Turns of the threads of one process."""

    def __init__(self) -> None:
        self._lock, self._slots = threading.Lock(), Slots()

    def enter(self, interval: float) -> float:
        """Wait for this thread's turn; the seconds waited."""
        asked_at = time.monotonic()
        while True:
            with self._lock:
                now = time.monotonic()
                left = self._slots.left(now)
                if not left:
                    self._slots.take(now, interval)
                    return now - asked_at
            time.sleep(left)

    def close_for(self, seconds: float) -> None:
        """Nobody's turn comes for so long."""
        with self._lock:
            self._slots.close(time.monotonic(), seconds)


class QueuedTurns:
    """Turns of whoever calls, first come, first served: an actor whose callers wait without a thread each."""

    def __init__(self) -> None:
        self._queue, self._slots = asyncio.Lock(), Slots()

    async def enter(self, interval: float) -> float:
        """Wait for this caller's turn; the seconds waited."""
        asked_at = time.monotonic()
        async with self._queue:  # one waits for the clock, the others for it: a pause then holds for all
            while left := self._slots.left(time.monotonic()):
                await asyncio.sleep(left)
            now = time.monotonic()
            self._slots.take(now, interval)
            return now - asked_at

    async def close_for(self, seconds: float) -> None:
        """Nobody's turn comes for so long."""
        self._slots.close(time.monotonic(), seconds)
