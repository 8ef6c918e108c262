"""GDCM in a process of its own: on some damaged files it ends the process that calls it, and with it a part of a table.

Run as a file, this module is that process. Asked and answered by the messages of core/apart.py: the DICOM file; then a
JSON object, and the values of the first frame.
"""

import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from threading import Lock, Timer
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from core.apart import environment, received, send

PATIENCE = 120.0  # seconds for one file; the largest that are read take some ten
DAMAGED = b"Corrupt JPEG data"  # what GDCM's decoder of JPEG says, and goes on with whatever it has
LOCK = Lock()


def decoded_apart(data: bytes, notes: list[str]) -> NDArray[Any]:
    """The values of a DICOM file's first frame as GDCM decodes them; RuntimeError, if only that GDCM ended its process.

    What pydicom warns of is added to the notes.
    """
    with LOCK:
        process = _process(os.getpid())
        timer = Timer(PATIENCE, process.kill)
        timer.start()
        try:
            assert process.stdin and process.stdout
            send(process.stdin, data)
            told = json.loads(received(process.stdout))
            values = received(process.stdout)
        except (OSError, EOFError) as error:
            _process.cache_clear()
            process.kill()
            raise RuntimeError("GDCM gave up on these pixels, and ended") from error
        finally:
            timer.cancel()
    if "error" in told:
        raise RuntimeError(told["error"])
    notes += told["notes"]
    return np.frombuffer(values, dtype=told["dtype"]).reshape(told["shape"])


@lru_cache(maxsize=1)
def _process(parent: int) -> subprocess.Popen[bytes]:
    """The process, begun once in each that asks; it ends with it, when its input does."""
    return subprocess.Popen(
        [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    )


def _serve(asked: IO[bytes], answered: IO[bytes], said: Callable[[], bytes]) -> None:
    """Answer until nobody asks. said: what GDCM has printed since the last call."""
    import pydicom
    from pydicom.pixels import pixel_array

    while True:
        try:
            data = received(asked)
        except EOFError:
            return
        values = b""
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                header = pydicom.dcmread(BytesIO(data), force=True)
                caught.clear()  # the caller has read the header too
                found = pixel_array(header, index=0, decoding_plugin="gdcm")
            if DAMAGED in said():
                raise RuntimeError("damaged in the midst of the compressed pixels")
            notes = [str(each.message)[:200] for each in caught if issubclass(each.category, UserWarning)]
            told, values = {"dtype": found.dtype.str, "shape": found.shape, "notes": notes}, found.tobytes()
        except Exception as error:  # noqa: BLE001  whatever it is, the caller is told
            told = {"error": _in_words(error)}
        send(answered, json.dumps(told).encode())
        send(answered, values)


def _in_words(error: Exception) -> str:
    """The last line of an error; pydicom's plugin asks for the text of nothing where GDCM gives nothing."""
    last = (str(error).splitlines() or [type(error).__name__])[-1].strip()
    return "GDCM could not decode the pixels" if "'NoneType' object" in last else last[:300]


def _main() -> None:
    """Serve on standard input and output, with what C libraries print kept out of both."""
    answered = os.fdopen(os.dup(1), "wb")
    with tempfile.TemporaryFile() as printed:
        for stream in (1, 2):
            os.dup2(printed.fileno(), stream)

        def said() -> bytes:
            printed.seek(0)
            text = printed.read()
            printed.seek(0)
            printed.truncate()
            return text

        _serve(sys.stdin.buffer, answered, said)


if __name__ == "__main__":
    _main()
