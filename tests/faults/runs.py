"""Faults of run folders: files that are damaged or hostile, disks, drivers that come together, checkpoints, secrets."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from app.session import in_one_line
from app.steps import opened
from core.checksums import refuse_damaged, seal
from core.config import load
from core.lease import CLAIMS, leased
from core.places import Place
from core.records import Reject, to_table
from core.runs import Table, refuse_missing
from core.verify import verify
from pipelines.sources.articles import folder_list
from tests.core.test_tables import hostile
from tests.faults.fault import Fault, end_of
from trainers.restarts import newest_whole

ROW = Reject(item_id="i", article_id="PMC1.1", stage="s", code="c", message="m")
HOLDS = """
import sys, time
from core.lease import leased
from core.places import Place
with leased(Place.at(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def table_of(folder: Path) -> Table:
    table = Table(Place.at(folder / "figures"), Reject)
    table.commit(0, tables={"": to_table([ROW] * 50, Reject)}, rejects=[ROW], inputs="x", counts={}, taken=51)
    return table


def read(harm: Callable[[Path], object], file: str, folder: Path) -> str:
    """A table that is harmed, then read whole."""
    table = table_of(folder)
    harm(folder / "figures" / file)
    try:
        return end_of(lambda: table.read().num_rows)
    except OSError as error:
        return f"refused: {error}"


def part(harm: Callable[[Path], object], file: str, folder: Path) -> str:
    table = table_of(folder)
    harm(folder / "figures" / file)
    return end_of(lambda: table.read_part(0).num_rows)


def looked_through(harm: Callable[[Path], object], file: str, folder: Path) -> str:
    table_of(folder)
    harm(folder / "figures" / file)
    return "; ".join(map(str, verify(Place.at(folder), {"figures": (Reject, "figray collect")}))) or "whole"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"PMC1.1") if b"PMC1.1" in data else len(data) // 2] ^= 1
    path.write_bytes(data)


def attack(path: Path) -> None:
    path.write_bytes(hostile(to_table([ROW], Reject), "message", path.parent / "marker"))


def attacked(folder: Path) -> str:
    told = read(attack, "part-00000.parquet", folder)
    return "a command ran" if (folder / "figures" / "marker").exists() else told


def reads_list(text: str, folder: Path) -> str:
    (folder / "articles.json").write_text(text)
    return end_of(lambda: folder_list(Place.at(folder / "articles.json")))


def writes(make: Callable[[Path], Path], folder: Path) -> str:
    """A file written to a place where that cannot be, as the terminal tells it."""
    try:
        Place.at(make(folder)).write_bytes(b"x" * 100_000)
    except Exception as error:  # noqa: BLE001  whatever it is, the terminal has to tell it
        left = [path.name for path in folder.rglob("*.tmp")]
        return str(in_one_line(error)) + (f"; left: {left}" if left else "")
    return "written"


def below_a_file(folder: Path) -> Path:
    (folder / "run").write_text("a file")
    return folder / "run" / "figures" / "part.json"


def without_room(folder: Path) -> str:
    """A process whose files may have 4 KB, as on a disk that is full."""
    script = (
        "import signal, sys\nfrom core.places import Place\nfrom app.session import in_one_line\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try:\n    Place.at(sys.argv[1]).write_bytes(bytes(100000))\n"
        "except OSError as error:\n    print(in_one_line(error))\n"
    )
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # noqa: E731
    command = [sys.executable, "-c", script, str(folder / "x.json")]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, env=_environment())
    return done.stdout.strip() + ("" if not list(folder.iterdir()) else f"; left: {os.listdir(folder)}")  # noqa: PTH208


def read_only(folder: Path) -> str:
    return writes(lambda _: Path("/proc/figray/part.json"), folder)


def two_drivers(folder: Path) -> str:
    process = _holding(folder)
    try:
        return end_of(lambda: leased(Place.at(folder)).__enter__())
    finally:
        process.kill()
        process.wait()


def after_a_killed_driver(folder: Path) -> str:
    process = _holding(folder)
    process.kill()
    process.wait()

    def take() -> str:
        with leased(Place.at(folder)):
            return f"{len(list((folder / CLAIMS).iterdir()))} claim"

    return end_of(take)


def _holding(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HOLDS, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment())
    assert process.stdout and process.stdout.readline() == "held\n"
    return process


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def mistyped(folder: Path) -> str:
    told = end_of(lambda: refuse_missing(Place.at(folder / "rnu")))
    return f"a folder is there: {told}" if (folder / "rnu").exists() else told


def run_of_a_stranger(folder: Path) -> str:
    (folder / "config.yaml").write_text("cluster: {address: 'ray://203.0.113.7:10001'}")

    def open_it() -> None:
        with opened(Place.at(folder), None, []):
            pass

    return end_of(open_it)


def newer(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))


def checkpoint(folder: Path, harm: Callable[[Path], object], file: str) -> Path:
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "progress.pt"):
        (folder / name).write_bytes(name.encode() * 50)
    seal(folder)
    harm(folder / file)
    return folder


def loaded(harm: Callable[[Path], object], file: str, folder: Path) -> str:
    return end_of(lambda: refuse_damaged(Place.at(checkpoint(folder / "model", harm, file))))


def gone_on(harm: Callable[[Path], object], file: str, folder: Path) -> str:
    """The newest checkpoint harmed: which is taken."""
    start = folder / "restarts" / "blip-1"
    checkpoint(start / "step-00000003", lambda path: None, "config.json")
    checkpoint(start / "step-00000006", harm, file)
    found = newest_whole(Place.at(folder), "blip-1")
    return f"step {found.step}; {found.damaged[0] if found.damaged else ''}"


def said(folder: Path, overrides: list[str]) -> str:
    told = end_of(lambda: load(None, overrides))
    return f"the secret is shown: {told}" if "s3cr3t" in told else told


FLAWS = "part-00000.parquet", "part-00000.json"
SECRETS = (
    ("source.bucket_url", "https://me:s3cr3t@host/bucket"), ("source.esearch_url", "https://host/?api_key=s3cr3t"),
    ("source.origin", "bucket:https://me:s3cr3t@host"), ("separate.weights", "s3://KEY:s3cr3t@bucket/w"),
    ("cluster.address", "ray://me:s3cr3t@host:10001"),
)  # fmt: skip
FAULTS = [
    Fault("a table with a column of pickled objects", "extension type", attacked),
    Fault("a file of a table is gone", "is missing, and a manifest names it", partial(read, Path.unlink, FLAWS[0])),
    Fault("a file of a table is cut", "is damaged, or no Parquet file", partial(read, cut, FLAWS[0])),
    Fault("a bit of a table is flipped, and all is read", "CRC", partial(read, flip, FLAWS[0])),
    Fault("a bit of a part is flipped, and the next station reads it", "is not the file its manifest names",
          partial(part, flip, FLAWS[0])),
    Fault("a manifest is cut", "is damaged", partial(part, cut, FLAWS[1])),
    Fault("a manifest of a newer figray", "was written by a newer figray", partial(part, newer, FLAWS[1])),
    Fault("verify: a file is gone", "missing; delete", partial(looked_through, Path.unlink, FLAWS[0])),
    Fault("verify: a bit is flipped", "other bytes than its manifest says", partial(looked_through, flip, FLAWS[0])),
    Fault("verify: a manifest is cut", "no manifest", partial(looked_through, cut, FLAWS[1])),
    Fault("verify: what was left out is gone", "rejects-00000.parquet: missing",
          partial(looked_through, Path.unlink, "rejects-00000.parquet")),
    Fault("the list of articles is cut", "is damaged", partial(reads_list, '["PMC1"')),
    Fault("the list of articles is no list", "is damaged", partial(reads_list, '{"a": 1}')),
    Fault("a run whose path is a file", "is a file and no folder", partial(writes, below_a_file)),
    Fault("a disk without room", "larger than the disk or your limit allows", without_room),
    Fault("a place that may not be written to", "name another place", read_only),
    Fault("a mistyped run", "is no run", mistyped),
    Fault("two drivers on one run", "is being written to by process", two_drivers),
    Fault("a driver after one that was killed", "read: '1 claim'", after_a_killed_driver),
    Fault("a run whose settings name a cluster of a stranger's", "which only you may do", run_of_a_stranger),
    Fault("a model with a flipped bit", "model.safetensors is damaged", partial(loaded, flip, "model.safetensors")),
    Fault("a model that is cut", "model.safetensors is damaged", partial(loaded, cut, "model.safetensors")),
    Fault("a model without one of its files", "is missing", partial(loaded, Path.unlink, "config.json")),
    Fault("a model whose checksums are damaged", "sha256.json is damaged", partial(loaded, cut, "sha256.json")),
    *(
        Fault(f"the newest checkpoint of a training: {file} {how}", "step 3; ", partial(gone_on, harm, file))
        for file in ("model.safetensors", "progress.pt")
        for how, harm in (("flipped", flip), ("cut", cut), ("gone", Path.unlink))
    ),
    *(
        Fault(f"a secret in {name}", f"{name}: ", partial(said, overrides=[f"{name}={value}"]))
        for name, value in SECRETS
    ),
    Fault("a key typed without its equals sign", "--set source.api_key: ",
          partial(said, overrides=["source.api_key s3cr3t"])),
]  # fmt: skip
