"""Segmentation from few labels on a frozen encoder (MLIP, section 3.3 and Table 3), by UPerNet as MRM does it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.config import UserError
from core.records import Radiograph
from core.tables import rows_of
from trainers.checkpoint import load_model
from trainers.evaluation.bootstrap import bounds, resampled_means
from trainers.evaluation.masks import Row, drawn_mask, is_masked, letterbox
from trainers.evaluation.radiographs import films, refuse_seen, refuse_shared_patients
from trainers.evaluation.upernet import Segmenter, dice_at, fit_segmenter, states_at
from trainers.texts import number
from trainers.towers import Towers

CHANNELS = 32  # inside the head, for two cores; 768 in MRM
THRESHOLDS = (*(step / 20 for step in range(1, 20)), 0.98, 0.99)
KINDS = ("dice", "dice_positive")  # of Dice, each with its own threshold


@dataclass(frozen=True)
class Segmentation:
    """How well a target is outlined in radiographs of patients that neither encoder nor head has learnt from.

    metrics: `dice`, mean over radiographs, where one without the target scores 1 if nothing is marked, else 0 (MRM's
    and MGCA's convention); `dice_all_empty`, what marking nothing anywhere would score so, which is the share of
    radiographs without the target; `dice_positive`, of those with the target alone, at a threshold of its own: the best
    one for `dice` hardly marks anything where most radiographs are without.
    """

    target: str
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]  # 95 %, of the same, by resampling patients; empty without resamples
    thresholds: dict[str, float]  # of `dice` and `dice_positive`, above which a pixel is marked: the best on validation
    labelled_patients: int  # whose radiographs the head has learnt from
    labelled: int  # radiographs of theirs
    n: int  # radiographs tested
    positives: int  # of them with the target
    images: list[str]  # of those tested, by id
    patients: list[str]  # of the same, what `bootstrap.difference` resamples
    found: dict[str, list[float]]  # of the same: `dice`, `dice_positive`, and `positive`, 1 with the target


class Seen(NamedTuple):
    """N radiographs as the encoder reads them, and where the target is."""

    states: Tensor  # (N, D, W, h, w), of D depths
    masks: Tensor  # (N, S, S) bool
    rows: list[Row]


@dataclass(frozen=True, kw_only=True)
class SegmentationPlan:
    """What is outlined, from how many labels, by what head."""

    target: str
    share: float  # of the patients for whom a mask is known or the target's absence, see draw_patients()
    steps: int
    batch_size: int  # radiographs read at once
    resamples: int  # of the patients, for intervals
    seed: int
    channels: int = CHANNELS


def segment(
    folder: str | Path,
    *,
    train_files: Sequence[str],
    val_files: Sequence[str],
    test_files: Sequence[str],
    plan: SegmentationPlan,
    device: str = "cpu",
) -> Segmentation:
    """What segment_with() finds of the model in a folder; LeakError if it was trained on a patient of val or test."""
    refuse_seen(folder, [*val_files, *test_files])
    return segment_with(
        load_model(folder)[0],
        train_files=train_files,
        val_files=val_files,
        test_files=test_files,
        plan=plan,
        device=device,
    )


def segment_with(
    model: Towers,
    *,
    train_files: Sequence[str],
    val_files: Sequence[str],
    test_files: Sequence[str],
    plan: SegmentationPlan,
    device: str = "cpu",
) -> Segmentation:
    """Fit a head to a share of the training patients, choose its threshold on validation, and test it.

    The encoder is frozen as in MGCA, so that it is compared as it was pre-trained; MRM, whose setting MLIP follows,
    fine-tunes it too, at 512 pixels and with flips, where here the model's own size is read once. files: of the
    radiographs table. Raises UserError where a split has no mask of the target, LeakError where two
    share a patient.
    """
    splits = {"train": train_files, "val": val_files, "test": test_files}
    refuse_shared_patients(**splits)
    for name, files in splits.items():
        refuse_without_masks(files, plan.target, split=name)
    model = model.to(device).eval()
    read = partial(read_masked, model, target=plan.target, batch_size=plan.batch_size, device=device)
    chosen = draw_patients(train_files, plan.target, share=plan.share, seed=plan.seed)
    labelled = gather(read(train_files, patients=chosen))
    segmenter = fitted(model, labelled, channels=plan.channels, steps=plan.steps, seed=plan.seed)
    thresholds = best_thresholds(*_tried(segmenter, read(val_files), THRESHOLDS)[:2])
    dice, positive, rows = _tried(segmenter, read(test_files), thresholds)
    patients = [row["patient_id"] for row in rows]
    metrics, intervals = summarise(dice, positive, patients, resamples=plan.resamples, seed=plan.seed)
    return Segmentation(
        target=plan.target,
        metrics=metrics,
        intervals=intervals,
        thresholds=dict(zip(KINDS, thresholds, strict=True)),
        labelled_patients=len(chosen),
        labelled=len(labelled.rows),
        n=len(rows),
        positives=int(positive.sum()),
        images=[row["image_id"] for row in rows],
        patients=patients,
        found=dict(zip((*KINDS, "positive"), [*dice.round(4).tolist(), positive.astype(float).tolist()], strict=True)),
    )


def fitted(model: Towers, labelled: Seen, *, channels: int, steps: int, seed: int) -> Segmenter:
    """A segmenter for the states of a model, fitted to what is labelled; the same seed gives the same one."""
    width, blocks = model.settings.image_width, len(model.image_encoder.blocks)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        segmenter = Segmenter(width=width, channels=channels, blocks=blocks)
    segmenter.to(next(model.parameters()).device)
    generator = torch.Generator().manual_seed(seed)
    fit_segmenter(segmenter, labelled.states, labelled.masks, steps=steps, generator=generator)
    return segmenter


def _tried(
    segmenter: Segmenter, batches: Iterable[Seen], thresholds: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[Row]]:
    """(K, N), the Dice of N radiographs at each of K thresholds; (N,), whether they have the target; their rows."""
    dice, positive, rows = [], [], list[Row]()
    for seen in batches:
        dice.append(dice_at(segmenter, seen.states, seen.masks, thresholds))
        positive.append(seen.masks.flatten(1).any(dim=1).cpu().numpy())
        rows += seen.rows
    return np.concatenate(dice, axis=1), np.concatenate(positive), rows


def best_thresholds(dice: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Those of THRESHOLDS with the best mean Dice of all radiographs, and of those with the target.

    dice: (K, N), at each of them. positive: (N,). Of equally good ones the nearest to a half is taken.
    """
    closest = sorted(range(len(THRESHOLDS)), key=lambda place: abs(THRESHOLDS[place] - 0.5))
    best = (max(closest, key=means.__getitem__) for means in (dice.mean(axis=1), dice[:, positive].mean(axis=1)))
    of_all, of_positive = (THRESHOLDS[place] for place in best)
    return of_all, of_positive


def read_masked(
    model: Towers,
    files: Sequence[str],
    *,
    target: str,
    batch_size: int,
    device: str,
    patients: Collection[str] | None = None,
) -> Iterator[Seen]:
    """The radiographs of which is_masked() knows, as a model reads them; of some patients, or of all."""
    size = model.settings.image_size
    for batch in films(files, size=size, batch_size=batch_size, device=device):
        masks = {
            place: letterbox(mask, size)
            for place, row in enumerate(batch.rows)
            if (patients is None or row["patient_id"] in patients) and (mask := drawn_mask(row, target)) is not None
        }
        if masks:
            yield Seen(
                states=states_at(model, batch.images[list(masks)]),
                masks=torch.from_numpy(np.stack(list(masks.values()))).to(device),
                rows=[batch.rows[place] for place in masks],
            )


def gather(batches: Iterator[Seen]) -> Seen:
    """All in one, kept for as long as the head is fitted: on the CPU, in half precision."""
    parts = [(seen.states.half().cpu(), seen.masks.cpu(), seen.rows) for seen in batches]
    states, masks, rows = zip(*parts, strict=True)
    return Seen(states=torch.cat(states), masks=torch.cat(masks), rows=[row for part in rows for row in part])


def draw_patients(files: Sequence[str], target: str, *, share: float, seed: int) -> list[str]:
    """A share of the patients of whom is_masked() knows: of those with the target the same share, and at least one.

    The same seed draws the same patients, and a greater share all of a smaller one.
    """
    has: dict[str, bool] = {}
    for row in _read_marks(files):
        masked = is_masked(row, target)
        if masked is not None:
            has[row["patient_id"]] = has.get(row["patient_id"], False) or masked
    chosen: list[str] = []
    for kind in (True, False):
        of_kind = [patient for patient, with_it in has.items() if with_it is kind]
        drawn = sorted(of_kind, key=lambda patient: number(f"{seed}:{patient}"))
        chosen += drawn[: max(1, round(share * len(drawn)))]
    return sorted(chosen)


def refuse_without_masks(files: Sequence[str], target: str, *, split: str) -> None:
    """Raise UserError if no radiograph of the files has a mask of the target."""
    rows = _read_marks(files)
    if any(is_masked(row, target) for row in rows):
        return
    masked = sorted({region["target"] for row in rows for region in row["regions"] if region["mask"]})
    others = ", ".join(masked) or "nothing"
    raise UserError(f"split {split} has no radiograph with a mask of “{target}”; masks there are of {others}")


def summarise(
    dice: NDArray[np.float64], positive: NDArray[np.bool_], patients: Sequence[str], *, resamples: int, seed: int
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Metrics and intervals of Segmentation. dice: (2, N), as KINDS. positive: (N,), with these patients."""
    columns = np.column_stack([dice[0], dice[1] * positive, positive, ~positive])
    names = (*KINDS, "dice_all_empty")
    metrics = dict(zip(names, _metrics(columns.mean(axis=0)[None])[0].tolist(), strict=True))
    if not resamples:
        return metrics, {}
    resampled = _metrics(resampled_means(columns, patients, resamples=resamples, seed=seed))
    return metrics, {name: bounds(column) for name, column in zip(names, resampled.T, strict=True)}


def _metrics(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """(R, 3) of (R, 4). A resample without the target has no Dice of it: nan, which bounds() leaves out."""
    with np.errstate(invalid="ignore"):
        return np.column_stack([means[:, 0], means[:, 1] / means[:, 2], means[:, 3]])


def _read_marks(files: Sequence[str]) -> list[Row]:
    columns = ["patient_id", "targets", "regions"]
    rows: list[Row] = rows_of(files, Radiograph).to_table(columns=columns).to_pylist()
    return rows
