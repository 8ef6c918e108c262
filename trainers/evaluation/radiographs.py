"""Radiographs as models see them, what is known of each, and the refusal of those a model has learnt from (G 8)."""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.config import UserError
from core.records import Radiograph
from core.tables import rows_of
from trainers.batch import SMALL, prepare
from trainers.checkpoint import training_articles, training_images
from trainers.evaluation.retrieval import LeakError, refuse_leak, refuse_same_images
from trainers.towers import Towers

HEALTHY = {"No Finding", "Normal"}  # how NIH and RSNA name radiographs without findings

Row = dict[str, Any]


@dataclass(frozen=True)
class Films:
    """Some radiographs."""

    images: Tensor  # (N, 3, H, W) float, -1 to 1
    rows: list[Row]  # of the table, without its images


@dataclass(frozen=True)
class Features:
    """N radiographs as a model describes them, and what is known of them."""

    embeddings: NDArray[np.float64]  # (N, E), unit length, in the space of the texts
    states: NDArray[np.float64]  # (N, W), the mean of the states of the patches
    rows: list[Row]  # of the table, without pixels

    @property
    def patients(self) -> list[str]:
        """The patient of each."""
        return [row["patient_id"] for row in self.rows]


class Prediction(NamedTuple):
    """What a probe says of one radiograph."""

    image: str  # by id
    target: str
    score: float  # the higher the rather present


def films(files: Sequence[str], *, size: int, batch_size: int, device: str = "cpu") -> Iterator[Films]:
    """The radiographs of the files, in order, letterboxed to size x size pixels; UserError if one does not open.

    The full images are read, as masks and boxes are of those.
    """
    return _films(files, {SMALL}, size=size, batch_size=batch_size, device=device)


def _films(files: Sequence[str], unread: Set[str], *, size: int, batch_size: int, device: str) -> Iterator[Films]:
    table = rows_of(files, Radiograph)
    columns = [name for name in table.schema.names if name not in unread]
    for part in table.to_batches(columns=columns, batch_size=batch_size):
        rows = part.to_pylist()
        if rows:
            pixels = np.stack([_pixels(row, size=size) for row in rows])
            images = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(device).float() / 127.5 - 1
            yield Films(images=images, rows=rows)


def _pixels(row: Row, *, size: int) -> NDArray[np.uint8]:
    """(size, size, 3) of a radiograph, whose images are taken out of its row."""
    image_id, images = row["image_id"], {name: row.pop(name) for name in ("image", SMALL) if name in row}
    try:
        letterboxed = prepare({"pair_id": image_id, **images}, size)["image"]
    except ValueError as error:
        raise UserError(f"radiograph {image_id}: {error}; build the table anew") from error
    return np.frombuffer(letterboxed, np.uint8).reshape(size, size, 3)


@torch.no_grad()
def encode_films(model: Towers, files: Sequence[str], *, batch_size: int, device: str = "cpu") -> Features:
    """All radiographs of the files, nothing masked and nothing dropped out; UserError if there are none.

    The mean of the patches is taken, not the class token: BLIP and MLIP train them alike, and an encoder that nobody
    trained has them too, so that all are probed in one way (MRM pools the same). Small images are read, as in training.
    """
    model = model.to(device).eval()
    embeddings, states, rows = [], [], []
    for batch in _films(files, set(), size=model.settings.image_size, batch_size=batch_size, device=device):
        of_images, of_patches = model.embed_images(batch.images)  # (N, E), (N, 1 + P, W)
        embeddings.append(of_images.double().cpu())
        states.append(of_patches[:, 1:].double().mean(dim=1).cpu())
        rows += [{name: value for name, value in row.items() if name != "regions"} for row in batch.rows]
    if not rows:
        raise UserError(f"there are no radiographs in {', '.join(map(str, files)) or 'no files'}")
    return Features(embeddings=torch.cat(embeddings).numpy(), states=torch.cat(states).numpy(), rows=rows)


def targets_of(rows: Iterable[Row], name: str) -> NDArray[np.float64]:
    """(N,): 1 where the target is present, 0 where it was looked for in vain, nan where nobody said."""
    known = ({target["name"]: float(target["present"]) for target in row["targets"]} for row in rows)
    return np.array([of_row.get(name, np.nan) for of_row in known])


def finding_names(rows: Iterable[Row]) -> list[str]:
    """The targets that any of the rows was judged for, sorted, without `HEALTHY`: that is no finding to average in."""
    return sorted({target["name"] for row in rows for target in row["targets"]} - HEALTHY)


def refuse_seen(folder: str | Path, files: Sequence[str]) -> None:
    """Raise LeakError if the model of a folder was trained on a patient or an image of the files."""
    rows = _read_ids(files)
    patients, marks = {row["patient_id"] for row in rows}, {row["md5"]: row["patient_id"] for row in rows}
    refuse_leak(training_articles(folder, patients), patients, of="patient")
    refuse_same_images(training_images(folder, marks), marks, of="patient")


def refuse_shared_patients(**splits: Sequence[str]) -> None:
    """Raise LeakError if two splits share a patient or an image; splits: the files of each by its name."""
    seen: dict[str, str] = {}
    for name, files in splits.items():
        marks = {mark: row["patient_id"] for row in _read_ids(files) for mark in (row["patient_id"], row["md5"])}
        shared = sorted(marks.keys() & seen.keys())
        if shared:
            raise LeakError(
                f"{len(shared)} patients or images stand in split {name} and in {seen[shared[0]]}, patient "
                f"{marks[shared[0]]} among them; splits have to part patients"
            )
        seen |= dict.fromkeys(marks, name)


def _read_ids(files: Sequence[str]) -> list[Row]:
    return rows_of(files, Radiograph).to_table(columns=["patient_id", "md5"]).to_pylist()
