"""Damaged copies of the wheels' DICOM files, read one by one: an image or an ImageError may come out, nothing else.

    python -m tests.fuzz_dicom --minutes 30 --seed 0 --found FOLDER

A child process reads them, since a decoder may end the process; what it dies of, what else it raises, and what takes
longer than `SLOW` is written to the folder, and told at the end.
"""

import argparse
import io
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from core.images import ImageError
from tests.dicom_table import files
from trainers.datasets.pixels import open_radiograph

SLOW = 20.0  # seconds for one file, on two shared cores
LARGEST = 300_000  # bytes of a file that is damaged: small ones are read more often
STATED: dict[str, tuple[Any, ...]] = {  # elements and what is written into them
    "Rows": (0, 1, 7, 64, 300, 65_535),
    "Columns": (0, 1, 7, 64, 300, 65_535),
    "BitsAllocated": (1, 8, 12, 16, 32, 64),
    "BitsStored": (0, 1, 7, 8, 12, 16, 32),
    "PixelRepresentation": (0, 1, 2),
    "SamplesPerPixel": (0, 1, 3, 4),
    "PlanarConfiguration": (0, 1, 2),
    "NumberOfFrames": (0, 1, 2, 100_000, -1),
    "PhotometricInterpretation": ("MONOCHROME1", "RGB", "PALETTE COLOR", "YBR_FULL_422", "YBR_RCT", "HSV", ""),
    "RescaleSlope": (0, -1, 1e-300, 1e300, "", 0.5),
    "RescaleIntercept": (0, -1024, 1e300, ""),
    "WindowCenter": (0, [1, 2], 1e300, -1e300, ""),
    "WindowWidth": (0, 1, [100, 2], 1e300, 1e-300, ""),
    "VOILUTFunction": ("SIGMOID", "LINEAR_EXACT", "CUBIC", ""),
    "PixelPaddingValue": (0, 255, 32_768),
    "PixelPaddingRangeLimit": (0, 255, 32_768),
    "VOILUTSequence": ([],),
    "ModalityLUTSequence": ([],),
}
TURNS = 2_000  # files that one child reads
MEMORY = 8 * 2**30  # bytes of a child


def restated(data: bytes, rng: np.random.Generator) -> bytes:
    """A copy whose header says something else of its pixels; the file itself where pydicom cannot write that."""
    header = pydicom.dcmread(io.BytesIO(data), force=True)
    for name in rng.choice(list(STATED), int(rng.integers(1, 4)), replace=False):
        values = STATED[name]
        setattr(header, name, values[int(rng.integers(0, len(values)))])
    if rng.random() < 0.3:
        table = pydicom.Dataset()
        table.LUTDescriptor = [int(each) for each in rng.choice([0, 1, 8, 12, 16, 255, 4096, 40_000], 3)]
        table.LUTData = rng.integers(0, 65_536, int(rng.choice([1, 255, 4096])), dtype=np.uint16).tobytes()
        table["LUTData"].VR = "OW"
        setattr(header, str(rng.choice(["VOILUTSequence", "ModalityLUTSequence"])), [table])
    try:
        file = io.BytesIO()
        header.save_as(file)
    except Exception:  # noqa: BLE001  what pydicom refuses to write nobody has
        return data
    return file.getvalue()


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """A copy with bits turned, bytes replaced, a stretch cut out, doubled or emptied, mostly in the header."""
    if rng.random() < 0.5:
        data = restated(data, rng)
        if rng.random() < 0.7:
            return data
    copy = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        reach = len(copy) if rng.random() < 0.6 else min(len(copy), 2_000)
        at, length = int(rng.integers(0, max(1, reach))), int(rng.integers(1, 64))
        kind = rng.integers(0, 6)
        if kind == 0 and copy:
            copy[at % len(copy)] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            copy[at : at + 4] = rng.integers(0, 256, 4, dtype=np.uint8).tobytes()
        elif kind == 2:
            del copy[at : at + length]
        elif kind == 3:
            copy[at:at] = copy[at : at + length]
        elif kind == 4:
            copy[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\x7f", b"\xfe\xff\x00\xe0"])
        else:
            del copy[int(rng.integers(0, len(copy) + 1)) :]
    return bytes(copy)


def child(seed: int, turns: int, log: Path) -> None:
    """Read damaged files, each noted before it is read."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    whole = [path for path in files() if path.stat().st_size <= LARGEST]
    rng = np.random.default_rng(seed)
    for turn in range(turns):
        path = whole[int(rng.integers(0, len(whole)))]
        data = damaged(path.read_bytes(), rng)
        log.with_suffix(".dcm").write_bytes(data)
        began = time.monotonic()
        try:
            open_radiograph(data)
            said = "read"
        except ImageError as error:
            said = error.code
        except Exception as error:  # noqa: BLE001  this is what is looked for
            said = f"RAISED {type(error).__name__}: {error}"[:120]
        slow = time.monotonic() - began
        with log.open("a") as stream:
            row = {"seed": seed, "turn": turn, "file": path.name, "said": said if slow < SLOW else f"SLOW {slow:.0f} s"}
            stream.write(json.dumps(row) + "\n")
        if said.startswith("RAISED") or slow >= SLOW:
            log.with_name(f"found-{seed}-{turn}.dcm").write_bytes(data)


def main() -> None:
    """Start children until the time is over, and tell what they said."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--found", type=Path, required=True)
    parser.add_argument("--child", type=int, help="turns; for the script itself")
    asked = parser.parse_args()
    asked.found.mkdir(parents=True, exist_ok=True)
    log = asked.found / f"said-{asked.seed}.jsonl"
    if asked.child:
        child(asked.seed, asked.child, log)
        return
    until, seed = time.monotonic() + 60 * asked.minutes, asked.seed
    counts: dict[str, int] = {}
    while (left := until - time.monotonic()) > 0:
        log = asked.found / f"said-{seed}.jsonl"
        command = [sys.executable, "-m", "tests.fuzz_dicom", "--seed", str(seed), "--found", str(asked.found)]
        try:
            done = subprocess.run([*command, "--child", str(TURNS)], timeout=left, capture_output=True)
        except subprocess.TimeoutExpired:
            done = None
        said = [json.loads(line)["said"] for line in log.read_text().splitlines()] if log.exists() else []
        if done and done.returncode:
            dead = log.with_name(f"dead-{seed}-{len(said)}.dcm")
            log.with_suffix(".dcm").rename(dead)
            said.append(f"DIED {done.returncode}: {done.stderr[-300:].decode(errors='replace')}")
        for each in said:
            counts[each] = counts.get(each, 0) + 1
        seed += 1
    for each, count in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"{count:7} {each}")  # noqa: T201


if __name__ == "__main__":
    main()
