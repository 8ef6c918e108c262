"""Who writes into a run: one driver at a time, by a claim that it renews; on disks and in buckets alike.

A claim is a file with a counter that its driver raises each second. Another driver looks at the counter by its own
clock, so that no two clocks need agree: while it moves, or the process is seen to live on this machine, it refuses.
Nothing has to be created exclusively, which not every storage can: two that come at once see each other's claims, and
the one of the lower name goes first.
"""

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.places import Place, StorageError
from core.runs import RunConflict

CLAIMS = "claims"  # folder of a run
BEAT = 1.0  # seconds between two
LEASE = 15.0  # seconds without a beat after which a driver elsewhere is gone
LOOK = 0.25  # seconds between two looks at a counter
_held: dict[str, int] = {}  # runs that this process writes into, and how deep


@contextlib.contextmanager
def leased(run: Place) -> Iterator[None]:
    """Claim a run for as long as the block lasts; raises RunConflict where another driver has it."""
    name = run.uri
    if _held.get(name):
        yield
        return
    claim = _Claim(run)
    claim.take()
    _held[name] = 1
    try:
        yield
    finally:
        del _held[name]
        claim.give_back()


class _Claim:
    def __init__(self, run: Place) -> None:
        self.run, self.name = run, f"{secrets.token_hex(6)}.json"
        self.file = run / CLAIMS / self.name
        self.told: dict[str, Any] = {**_this_process(), "beat": 0, "holds": False}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._renew, daemon=True)

    def take(self) -> None:
        self.file.write_json(self.told)
        try:
            for name in [name for name in (self.run / CLAIMS).files() if name.endswith(".json") and name != self.name]:
                self._settle(name)
        except BaseException:
            self._remove()
            raise
        self.told["holds"] = True
        self.file.write_json(self.told)
        self.thread.start()

    def give_back(self) -> None:
        self.over.set()
        self.thread.join()
        self._remove()

    def _settle(self, name: str) -> None:
        """Refuse where another's claim stands; take away the claim of one that is gone."""
        other = self.run / CLAIMS / name
        first = _read(other)
        until = time.monotonic() + LEASE
        while (found := _read(other)) is not None:
            lives = _lives(found)
            if lives is False or time.monotonic() > until:
                with contextlib.suppress(OSError, StorageError):
                    other.delete_file()
                return
            moved = first is not None and found["beat"] != first["beat"]
            if found["holds"] and (lives or moved):
                raise RunConflict(
                    f"{self.run} is being written to by process {found['pid']} on {found['host']}; wait until it has "
                    "ended, or name another run"
                )
            if not found["holds"] and lives and name > self.name:
                return  # it has come as late, and gives way
            time.sleep(LOOK)

    def _renew(self) -> None:
        while not self.over.wait(BEAT):
            self.told["beat"] += 1
            with contextlib.suppress(OSError, StorageError):  # a storage that fails for a while is no end of the lease
                self.file.write_json(self.told)

    def _remove(self) -> None:
        with contextlib.suppress(OSError, StorageError):
            self.file.delete_file()
            if self.run.is_local:
                Path(self.run.path, CLAIMS).rmdir()  # where nobody else has a claim
                Path(self.run.path).rmdir()  # where nothing was made


def _read(file: Place) -> dict[str, Any] | None:
    """What another's claim says; None where it is gone, or cannot be read as one."""
    try:
        found = json.loads(file.read_bytes())
        return {name: found[name] for name in ("host", "boot", "pid", "begun", "beat", "holds")}
    except (OSError, StorageError):
        return None
    except (ValueError, KeyError, TypeError):
        return {"host": "?", "boot": "", "pid": 0, "begun": "", "beat": 0, "holds": False}


def _this_process() -> dict[str, Any]:
    return {"host": socket.gethostname(), "boot": _boot(), "pid": os.getpid(), "begun": _begun(os.getpid())}


def _lives(told: dict[str, Any]) -> bool | None:
    """Whether the process of a claim lives; None where that cannot be seen from here."""
    if (told["host"], told["boot"]) != (socket.gethostname(), _boot()) or not told["boot"]:
        return None
    return bool(_begun(int(told["pid"])) == told["begun"] != "")


def _boot() -> str:
    """This start of this machine, or of this container."""
    with contextlib.suppress(OSError):
        here = Path("/proc/self/ns/pid").readlink()
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + str(here)
    return ""


def _begun(pid: int) -> str:
    """When a process of this machine began, in the kernel's ticks; "" where there is none."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""
