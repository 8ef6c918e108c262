"""Work on strangers' bytes in a process of its own, within limits of time and memory: it may end with it.

A decoder that crashes, hangs or takes all memory costs the item in hand. Run as `python -m core.apart`, this module is
that process. Asked and answered in pairs of a length, eight bytes, and so many bytes: a JSON object, then raw bytes.
The clock is the kernel's own alarm, which ends the process whatever code it is in; nothing waits for a dead one.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from queue import Empty, LifoQueue
from typing import IO, Any

from core.rejection import RejectionError, UserError

LENGTH = 8  # bytes
LONGEST_MESSAGE = 400  # characters
LOADING = 900.0  # seconds that weights may take
TRIES = (
    2  # of an item whose process ends: the first end may be the fault of others, such as of a machine without memory
)
Json = Mapping[str, Any]
Handler = Callable[[Json, bytes], tuple[Json, bytes]]  # what is asked -> what is answered


class Apart:
    """Processes that each load what `make` makes, and take one item after the other; several threads may ask."""

    def __init__(self, make: str, settings: Json, *, seconds: float, gib: float) -> None:
        """make: "module:function", called there with the settings; its result answers. seconds, gib: for one item."""
        self._begin = {"make": make, "settings": settings, "seconds": seconds, "gib": gib}
        self._seconds, self._gib = seconds, gib
        self._idle: LifoQueue[subprocess.Popen[bytes]] = LifoQueue()

    def ask(self, told: Json, data: bytes = b"") -> tuple[Json, bytes]:
        """The answer; raises RejectionError: of the item itself, or crashed, too_slow, too_much_memory, bug.

        Raises UserError where `make` did so: that costs no item, since none could be read.
        """
        for attempt in range(1, TRIES + 1):
            process = self._taken()
            try:
                answer = _asked(process, told, data)
            except (OSError, EOFError):
                code, message = self._end_of(process)
                if code == "too_slow" or attempt == TRIES:
                    raise RejectionError(code, message) from None
            except BaseException:  # a signal: what the process would still say belongs to nobody
                process.kill()
                raise
            else:
                self._idle.put(process)
                if "refused" in answer[0]:
                    raise UserError(answer[0]["refused"])
                if "error" in answer[0]:
                    raise RejectionError(answer[0]["error"]["code"], answer[0]["error"]["message"])
                return answer
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """End the processes that wait."""
        with contextlib.suppress(Empty):
            while True:
                _ended(self._idle.get_nowait())

    def __del__(self) -> None:
        self.close()

    def _taken(self) -> "subprocess.Popen[bytes]":
        with contextlib.suppress(Empty):
            while True:
                process = self._idle.get_nowait()
                if process.poll() is None:
                    return process
        process = subprocess.Popen(
            [sys.executable, "-m", "core.apart"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        assert process.stdin
        with contextlib.suppress(OSError):  # one that is gone already is found gone as it is asked
            send(process.stdin, json.dumps(self._begin).encode())
        return process

    def _end_of(self, process: "subprocess.Popen[bytes]") -> tuple[str, str]:
        """How a process ended, in words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        number = _ended(process)
        if number == -signal.SIGALRM:
            return "too_slow", f"not read within {self._seconds:g} seconds"
        how = f"signal {signal.Signals(-number).name}" if number < 0 else f"exit {number}"
        return "crashed", f"what read it ended, by {how}, each of {TRIES} times; at most {self._gib:g} GiB are its own"


def _asked(process: "subprocess.Popen[bytes]", told: Json, data: bytes) -> tuple[Json, bytes]:
    assert process.stdin and process.stdout
    send(process.stdin, json.dumps(told).encode())
    send(process.stdin, data)
    return json.loads(received(process.stdout)), received(process.stdout)


def _ended(process: "subprocess.Popen[bytes]") -> int:
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()
    return process.wait()


def environment() -> dict[str, str]:
    """The environment in which another Python finds the packages that this one finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def send(stream: IO[bytes], data: bytes) -> None:
    """Write bytes after their length."""
    stream.write(len(data).to_bytes(LENGTH, "little"))
    stream.write(data)
    stream.flush()


def received(stream: IO[bytes]) -> bytes:
    """What was sent; raises EOFError where the other side has ended."""
    length = stream.read(LENGTH)
    data = stream.read(int.from_bytes(length, "little"))
    if len(length) < LENGTH or len(data) < int.from_bytes(length, "little"):
        raise EOFError
    return data


def _serve(asked: IO[bytes], answered: IO[bytes]) -> None:
    """Answer until nobody asks."""
    begin = json.loads(received(asked))
    signal.setitimer(signal.ITIMER_REAL, LOADING)
    module, _, name = begin["make"].partition(":")
    answer = _made(getattr(import_module(module), name), begin["settings"])
    more = int(begin["gib"] * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (_held() + more, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.setitimer(signal.ITIMER_REAL, 0)
    while True:
        try:
            told, data = json.loads(received(asked)), received(asked)
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, begin["seconds"])
        found, raw = _answered(answer, told, data)
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(answered, json.dumps(found).encode())
        send(answered, raw)


def _made(make: Callable[[Json], Handler], settings: Json) -> Handler:
    try:
        return make(settings)
    except UserError as error:
        refused = {"refused": str(error)}
        return lambda told, data: (refused, b"")


def _answered(answer: Handler, told: Json, data: bytes) -> tuple[Json, bytes]:
    try:
        return answer(told, data)
    except RejectionError as error:
        code, message = error.code, error.message
    except MemoryError:
        code, message = "too_much_memory", "reading it takes more memory than one item may have"
    except Exception as error:  # noqa: BLE001  whatever it is, it costs this item and is told
        code, message = "bug", f"{type(error).__name__}: {error}"
    return {"error": {"code": code, "message": message[:LONGEST_MESSAGE]}}, b""


def _held() -> int:
    """The bytes of data that this process holds already, as the limit counts them."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:  # noqa: PTH123  no file of ours
        for line in file:
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 0


def _main() -> None:
    """Serve on standard input and output, with what libraries print kept out of the answers."""
    answered = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that asks
    with contextlib.suppress(EOFError, BrokenPipeError):
        _serve(sys.stdin.buffer, answered)


if __name__ == "__main__":
    _main()
