"""Where a model sees the phrases of a list beside the boxes that people drew for them, as MS-CXR is reported.

MS-CXR and its measures: BioViL (Boecking et al., 2022, section 4); P@1 as in the pointing game.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from core.config import UserError
from core.csv_rows import open_csv
from trainers.checkpoint import load_model
from trainers.evaluation.masks import Mask, letterbox
from trainers.evaluation.radiographs import Row, films, refuse_seen
from trainers.evaluation.sentence_maps import (
    Asked,
    Hits,
    iou_over_thresholds,
    mlip_of,
    on_grid,
    pointing,
    sentence_vectors,
    unit_patches,
)

COLUMNS = ("dicom_id", "category_name", "label_text", "x", "y", "w", "h", "image_width", "image_height")  # MS-CXR's
Sides = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the image's width and height


class Phrase(NamedTuple):
    """A phrase about one image, and where what it says is."""

    image_id: str
    category: str
    text: str
    boxes: tuple[Sides, ...]


@dataclass(frozen=True)
class Grounded(Asked):
    """One phrase about one radiograph; `finding` is its category."""

    phrase: str = ""


@dataclass(frozen=True)
class Grounding:
    """Hits (P@1) and IoU of a model over phrases."""

    overall: Hits  # each phrase counts alike
    by_finding: dict[str, Hits]  # by category
    of_categories: dict[str, float]  # mean over categories of P@1 and of the mean IoU, as papers on MS-CXR print them
    asked: Sequence[Asked]
    elsewhere: int  # phrases of the list about images that are not asked


def read_phrases(file: Path) -> list[Phrase]:
    """The phrases of a CSV with the columns of MS-CXR, several boxes of one phrase about one image together.

    Raises UserError, naming the row, where a box is no box in its image.
    """
    boxes: dict[tuple[str, str, str], list[Sides]] = defaultdict(list)
    for number, row in enumerate(open_csv(file, COLUMNS).rows(), 1):
        said = f"{file}, row {number}"
        if not row["dicom_id"] or not row["label_text"]:
            raise UserError(f"{said}: dicom_id and label_text are needed")
        boxes[row["dicom_id"], row["category_name"], row["label_text"]].append(_sides(row, said))
    if not boxes:
        raise UserError(f"{file} has no phrase")
    return [Phrase(*key, tuple(each)) for key, each in boxes.items()]


def _sides(row: dict[str, str], said: str) -> Sides:
    """A row's box, what lies beyond the image cut off."""
    try:
        left, top, width, height, across, down = (float(row[name]) for name in COLUMNS[3:])
    except ValueError as error:
        raise UserError(f"{said}: {error}") from error
    if across <= 0 or down <= 0:
        raise UserError(f"{said}: an image of {across:g} x {down:g} pixels")
    ends = np.clip([left / across, top / down, (left + width) / across, (top + height) / down], 0, 1).tolist()
    if not (ends[0] < ends[2] and ends[1] < ends[3]):
        raise UserError(f"{said}: no part of the box is in the image")
    return (ends[0], ends[1], ends[2], ends[3])


def ground(
    folder: str | Path,
    *,
    files: Sequence[str],
    phrases: Sequence[Phrase],
    batch_size: int,
    resamples: int,
    seed: int,
    device: str = "cpu",
) -> Grounding:
    """What ground_by() finds of the model in a folder, by the cosines of its patches and each phrase.

    Raises LeakError if the model was trained on a patient of the files, UserError as of mlip_of(), sentence_vectors()
    and ground_by().
    """
    refuse_seen(folder, files)
    read, tokenizer = load_model(folder)
    model = mlip_of(read).to(device)
    texts = list(dict.fromkeys(each.text for each in phrases))
    parts = [texts[first : first + batch_size] for first in range(0, len(texts), batch_size)]
    vectors = torch.cat([sentence_vectors(model, tokenizer, part) for part in parts])  # (K, E)
    number = {text: place for place, text in enumerate(texts)}

    def maps(images: Tensor, asked: Sequence[Phrase]) -> Tensor:
        of = vectors[[number[each.text] for each in asked]]
        return on_grid(torch.einsum("npe,ne->np", unit_patches(model, images), of))

    return ground_by(
        maps,
        phrases,
        size=model.settings.image_size,
        files=files,
        batch_size=batch_size,
        resamples=resamples,
        seed=seed,
        device=device,
    )


def ground_by(
    maps: Callable[[Tensor, Sequence[Phrase]], Tensor],
    phrases: Sequence[Phrase],
    *,
    size: int,
    files: Sequence[str],
    batch_size: int,
    resamples: int,
    seed: int,
    device: str = "cpu",
) -> Grounding:
    """Each phrase about a radiograph of the files is asked for.

    maps: images (N, 3, size, size) and a phrase for each -> (N, h, w). A map is drawn out to the pixels of the image
    as the model sees it, the margins of the letterbox left out. Raises UserError if no phrase is about the files.
    """
    of_image: dict[str, list[Phrase]] = defaultdict(list)
    for phrase in phrases:
        of_image[phrase.image_id].append(phrase)
    asked = list[Asked]()
    for batch in films(files, size=size, batch_size=batch_size, device=device):
        wanted = [(place, each) for place, row in enumerate(batch.rows) for each in of_image.get(row["image_id"], [])]
        for first in range(0, len(wanted), batch_size):
            part = wanted[first : first + batch_size]
            heat = maps(batch.images[[place for place, _ in part]], [each for _, each in part])
            drawn = interpolate(heat[:, None].float().cpu(), size=(size, size), mode="bilinear")[:, 0]
            asked += [_ask(batch.rows[place], each, drawn[at], size) for at, (place, each) in enumerate(part)]
    if not asked:
        raise UserError(
            f"none of the {len(phrases):,} phrases is about a radiograph of the test split, such as "
            f"{phrases[0].image_id if phrases else 'none'}"
        )
    found = pointing(asked, [], resamples=resamples, seed=seed)
    each = list(found.by_finding.values())
    means = {name: float(np.mean([getattr(hits, name) for hits in each])) for name in ("hit_rate", "mean_iou")}
    return Grounding(found.overall, found.by_finding, means, asked, len(phrases) - len(asked))


def _ask(row: Row, phrase: Phrase, heat: Tensor, size: int) -> Grounded:
    """heat: (size, size)."""
    content = letterbox(np.ones((row["height"], row["width"]), dtype=bool), size)
    inside = letterbox(_in_boxes(phrase.boxes, row["width"], row["height"]), size)[content]
    values: NDArray[np.float64] = heat.double().numpy()[content]
    return Grounded(
        image_id=row["image_id"],
        patient_id=row["patient_id"],
        finding=phrase.category,
        hit=bool(inside[int(values.argmax())]),
        chance=float(inside.mean()),
        iou=iou_over_thresholds(values, inside),
        phrase=phrase.text,
    )


def _in_boxes(boxes: Iterable[Sides], width: int, height: int) -> Mask:
    """(height, width): what lies in any of the boxes, a pixel at least of each."""
    inside = np.zeros((height, width), dtype=bool)
    for left, top, right, bottom in boxes:
        x, y = min(int(left * width), width - 1), min(int(top * height), height - 1)
        inside[y : max(y + 1, round(bottom * height)), x : max(x + 1, round(right * width))] = True
    return inside
