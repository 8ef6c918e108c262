"""figray clean: what a run holds on disk, and which of it can be made again."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.fs as fs

from core.places import Place
from core.records import TABLES
from core.runs import INDEX
from pipelines.dealing import SCRATCH

# Below a model that is trained; the model itself, what it has seen and its results stay.
OF_MODELS = {
    "restarts": "checkpoints on the way, of a training that has ended",
    "start": "the model as training began it, of a training that has ended",
    "index": "images as the model sees them; `figray search` and `figray serve` make them again",
    "films": "radiographs as the model sees them; `figray evaluate` makes them again",
}
OF_RUNS = {
    "contact_sheet.html": "`figray pair` makes it again",
    "report.html": "`figray report` makes it again",
    "search.html": "`figray search` makes it again",
    "compare.html": "`figray compare` makes it again",
    SCRATCH: "rows of a table while they are dealt out, of a command that was killed",
}
DRAWN, TRUTH = "corpus", "accuracy.json"  # what the demo drew, and what tells that it is the demo's


@dataclass(frozen=True, kw_only=True)
class Held:
    """Something on disk."""

    name: str  # below the run
    size: int  # bytes
    why: str  # how it is made again; "" of what is not


def held(run: Place) -> list[Held]:
    """All that a run holds, the largest first; what can be made again is apart from what it belongs to."""
    sizes = sizes_of(run)
    again = removable(run)
    found = [Held(name=name, size=_below(sizes, name), why=why) for name, why in again.items()]
    rest: dict[str, int] = {}
    for path, size in sizes.items():
        if not any(path == name or path.startswith(f"{name}/") for name in again):
            top = "/".join(path.split("/")[: 2 if path.startswith("models/") else 1])
            rest[top] = rest.get(top, 0) + size
    found += [Held(name=name, size=size, why="") for name, size in rest.items()]
    return sorted((each for each in found if each.size), key=lambda each: (-each.size, each.name))


def removable(run: Place) -> dict[str, str]:
    """Name below the run -> how it is made again. Of a model that is still to be trained nothing is."""
    found = {name: why for name, why in OF_RUNS.items() if (run / name).exists()}
    if (run / DRAWN).exists() and (run / TRUTH).exists():
        found[DRAWN] = "`figray demo` draws it again"
    for model in (run / "models").folders():
        folder = run / "models" / model
        if (folder / "checkpoint" / "sha256.json").exists():
            found |= {f"models/{model}/{name}": why for name, why in OF_MODELS.items() if (folder / name).exists()}
    tables = (f"{table}/{INDEX}" for table in TABLES)
    return found | {name: "any command makes it again" for name in tables if (run / name).exists()}


def remove(run: Place, what: Sequence[Held]) -> int:
    """Take away what can be made again; returns the bytes."""
    gone = 0
    for each in what:
        if each.why:
            place = run / each.name
            if place.is_file():
                place.delete_file()
            else:
                place.delete()
            gone += each.size
    return gone


def sizes_of(run: Place) -> dict[str, int]:
    """The bytes of every file of a run, by its path below it."""
    infos = run.filesystem.get_file_info(fs.FileSelector(run.path, recursive=True))
    return {info.path[len(run.path) :].lstrip("/"): info.size for info in infos if info.is_file}


def size_in_words(size: int) -> str:
    """Bytes as people read them, "12.3 MB"."""
    value, units = float(size), ["bytes", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "bytes" else f"{value:.1f} {units[0]}"


def _below(sizes: dict[str, int], name: str) -> int:
    return sum(size for path, size in sizes.items() if path == name or path.startswith(f"{name}/"))
