"""What a model makes of radiographs, encoded once for every probe and command: kept beside it by a digest of both."""

from collections.abc import Callable, Sequence
from pathlib import Path

from safetensors.numpy import load, save

from core.places import Place
from core.records import Radiograph
from core.runs import digest
from core.tables import rows_of
from trainers.batch import SMALL
from trainers.checkpoint import load_model
from trainers.evaluation.radiographs import Features, Row, encode_films
from trainers.kept_states import digest_of

Encode = Callable[[Sequence[str]], Features]  # of files of a radiographs table
WITHOUT = ("image", SMALL, "regions")  # columns that are no part of Features.rows


class KeptFilms:
    """Radiographs as the model of a folder sees them; see encode_films().

    keep: where what was encoded stays, a file for each set of files. on_ray: encodes a large set, see on_ray.OnRay;
    None where there is no Ray.
    """

    def __init__(
        self, folder: str | Path, *, keep: Place, batch_size: int, device: str = "cpu", on_ray: Encode | None = None
    ) -> None:
        self.keep, self.batch_size, self.device, self.on_ray = keep, batch_size, device, on_ray
        self.model, _ = load_model(folder)
        self.weights = digest_of(self.model)

    def __call__(self, files: Sequence[str]) -> Features:
        rows = read_rows(files)
        ids = [f"{row['image_id']} {row['md5']} {row['width']}x{row['height']}" for row in rows]
        read = [SMALL] if SMALL in rows_of(files, Radiograph).schema.names else []
        key = digest([self.weights, *read, *ids])
        file = self.keep / f"films-{key[:16]}.safetensors"
        if rows and file.exists():
            found = load(file.read_bytes())
            return Features(embeddings=found["embeddings"], states=found["states"], rows=rows)
        made = self.on_ray or self._here
        features = made(files)
        file.write_bytes(save({"embeddings": features.embeddings, "states": features.states}))
        return features

    def _here(self, files: Sequence[str]) -> Features:
        return encode_films(self.model, files, batch_size=self.batch_size, device=self.device)


def read_rows(files: Sequence[str]) -> list[Row]:
    """What is known of the radiographs of files, in order, without their pixels."""
    table = rows_of(files, Radiograph)
    rows: list[Row] = table.to_table(columns=[name for name in table.schema.names if name not in WITHOUT]).to_pylist()
    return rows
