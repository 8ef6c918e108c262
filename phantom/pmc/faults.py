"""Faults of a network service, drawn from a seed: what the collector has to live with."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal, get_args

Fault = Literal["too_many", "unavailable", "truncated", "corrupted", "slow"]
KINDS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How often an answer goes wrong. A path fails at most `at_most` times, so that a patient caller gets through."""

    seed: int = 0
    too_many: float = 0.0  # probability of 429 with Retry-After
    unavailable: float = 0.0  # of 503
    truncated: float = 0.0  # of a body that ends early
    corrupted: float = 0.0  # of a body with other bytes of the same length
    slow: float = 0.0  # of an answer after slow_seconds
    slow_seconds: float = 0.5
    retry_after: int = 1  # seconds, in the header of a 429
    at_most: int = 2
    # Beside the probabilities: exactly these faults, in order, at the first requests of a path (query left out).
    scripted: Mapping[str, tuple[Fault, ...]] = field(default_factory=dict)


class FaultDraw:
    """Which fault the next request of a path meets; the same for the same seed, path and number of the request."""

    def __init__(self, faults: Faults | None) -> None:
        self.faults = faults or Faults()
        self._asked: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._lock = threading.Lock()

    def draw(self, path: str, query: str = "") -> Fault | None:
        """The fault for one request, or None."""
        address = f"{path}?{query}"
        with self._lock:
            fault = self._scripted(path) or self._at_random(address)
            self._asked[address] += 1
            self._asked[path] += 1
        return fault

    def _scripted(self, path: str) -> Fault | None:
        script = self.faults.scripted.get(path, ())
        return script[self._asked[path]] if self._asked[path] < len(script) else None

    def _at_random(self, address: str) -> Fault | None:
        if self._failed[address] >= self.faults.at_most:
            return None
        key = f"{self.faults.seed}:{address}:{self._asked[address]}".encode()
        chance = int.from_bytes(blake2b(key, digest_size=8).digest()) / 2**64
        for kind in KINDS:
            chance -= getattr(self.faults, kind)
            if chance < 0:
                self._failed[address] += 1
                return kind
        return None
