"""Where a model of radiographs sees a sentence: its patches beside a prompt (MLIP, section 3.4 and Figure 3)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.settings import ModelSettings
from trainers.batch import Collate
from trainers.checkpoint import load_model
from trainers.evaluation.bootstrap import bounds, ratio, resampled_means
from trainers.evaluation.masks import Mask, Row, at_patches, extent
from trainers.evaluation.radiographs import films, refuse_seen
from trainers.mlip import Mlip
from trainers.towers import Towers

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)  # of a map of cosines (BioViL, MS-CXR)
PromptsOf = Mapping[str, Sequence[str]]  # finding -> sentences that say it is there, or that it is not
Maps = Callable[[Tensor], Tensor]  # images (N, 3, H, W) -> (N, F, P), a map for each of F findings


@dataclass(frozen=True)
class Hits:
    """How often the warmest patch of a prompt's map lies in its finding (the pointing game; Zhang et al., 2016)."""

    hit_rate: float
    random_rate: float  # of a patch drawn from all of the radiograph
    ratio: float  # of the two
    interval: tuple[float, float] | None  # 95 %, of the ratio, by resampling patients; None without resamples
    n: int  # findings that were asked for, each once a radiograph
    too_small: int  # others, that no patch has its middle in
    mean_iou: float = 0.0  # see mean_iou(); the hit rate is what grounding calls P@1
    hit_interval: tuple[float, float] | None = None  # of the hit rate, as `interval`
    iou_interval: tuple[float, float] | None = None  # of the mean IoU


@dataclass(frozen=True)
class Asked:
    """One finding in one radiograph."""

    image_id: str
    patient_id: str
    finding: str
    hit: bool
    chance: float  # share of the patches with their middle in the radiograph that have it in the finding
    iou: float = 0.0  # see mean_iou()


@dataclass(frozen=True)
class Pointing:
    """Hits of a model."""

    overall: Hits
    by_finding: dict[str, Hits]  # of those that have a place in any radiograph
    asked: list[Asked]


def point(
    folder: str | Path,
    *,
    files: Sequence[str],
    prompts: PromptsOf,
    batch_size: int,
    resamples: int,
    seed: int,
    against: PromptsOf | None = None,
    device: str = "cpu",
) -> Pointing:
    """What point_by() finds of the model in a folder, by the cosines of its patches and the prompts.

    against: prompts that say a finding is absent, whose map is taken away from the first, as difference_maps() does;
    None: the prompts alone, as the paper shows. Raises LeakError if the model was trained on a patient of the files,
    UserError as of mlip_of() and point_by().
    """
    refuse_seen(folder, files)
    model, tokenizer = load_model(folder)
    maps = cosines(mlip_of(model).to(device), tokenizer, prompts, against)
    return point_by(
        maps,
        list(prompts),
        settings=model.settings,
        files=files,
        batch_size=batch_size,
        resamples=resamples,
        seed=seed,
        device=device,
    )


def mlip_of(model: Towers) -> Mlip:
    """The model, if it has local features of images and sentences in one space; else UserError."""
    if isinstance(model, Mlip):
        return model
    raise UserError("this model has no patches in the space of sentences: its maps are those of Grad-CAM")


def cosines(
    model: Mlip, tokenizer: PreTrainedTokenizerFast, prompts: PromptsOf, against: PromptsOf | None = None
) -> Maps:
    """The cosine of each patch and a finding's prompts, less that of those against it."""
    directions = torch.stack([sentence_vectors(model, tokenizer, each).mean(dim=0) for each in prompts.values()])
    if against is not None:
        absent = [sentence_vectors(model, tokenizer, against[finding]).mean(dim=0) for finding in prompts]
        directions = directions - torch.stack(absent)
    return lambda images: torch.einsum("npe,fe->nfp", unit_patches(model, images), directions)


def point_by(
    maps: Maps,
    findings: Sequence[str],
    *,
    settings: ModelSettings,
    files: Sequence[str],
    batch_size: int,
    resamples: int,
    seed: int,
    device: str = "cpu",
) -> Pointing:
    """Each of the findings with a place in a radiograph of the files is asked for: where is its map warmest?

    settings: of the model whose maps they are. Several regions of a finding are one. Raises UserError if there is
    nothing to ask for.
    """
    asked, too_small = list[Asked](), list[str]()
    for batch in films(files, size=settings.image_size, batch_size=batch_size, device=device):
        wanted = [sorted({region["target"] for region in row["regions"]} & set(findings)) for row in batch.rows]
        placed = [place for place, each in enumerate(wanted) if each]  # few radiographs of a test set have regions
        if not placed:
            continue
        heat = maps(batch.images[placed]).cpu()
        for place, row in enumerate(batch.rows[number] for number in placed):
            for finding in wanted[placed[place]]:
                inside = at_patches(extent(row, finding), settings.image_size, settings.patch)
                if not inside.any():
                    too_small.append(finding)
                    continue
                content = at_patches(_whole(row), settings.image_size, settings.patch)
                asked.append(_ask(row, finding, heat[place, findings.index(finding)], inside, content))
    return pointing(asked, too_small, resamples=resamples, seed=seed)


def _whole(row: Row) -> Mask:
    return np.ones((row["height"], row["width"]), dtype=bool)


def _ask(row: Row, finding: str, heat: Tensor, inside: Mask, content: Mask) -> Asked:
    """heat: (P,). inside, content: (h, w)."""
    return Asked(
        image_id=row["image_id"],
        patient_id=row["patient_id"],
        finding=finding,
        hit=hits(heat, inside),
        chance=float(inside.sum() / content.sum()),
        iou=mean_iou(heat, inside),
    )


def mean_iou(heat: Tensor, inside: Mask) -> float:
    """iou_over_thresholds() of patches, of a map drawn to 0 to 1 first, so that maps of any range can be asked.

    heat: (h, w) or (P,). BioViL takes the cosines themselves, and pixels: trainers/evaluation/phrases.py.
    """
    flat = heat.flatten().double().numpy()
    return iou_over_thresholds((flat - flat.min()) / max(float(np.ptp(flat)), 1e-12), inside.flatten())


def iou_over_thresholds(values: NDArray[np.float64], inside: Mask) -> float:
    """Intersection over union of the values from a threshold on with those inside, mean over `THRESHOLDS` (BioViL).

    values: (P,), inside: (P,), of which one at least is inside.
    """
    marked = [values >= threshold for threshold in THRESHOLDS]
    return float(np.mean([(each & inside).sum() / (each | inside).sum() for each in marked]))


def hits(heat: Tensor, inside: Mask) -> bool:
    """Whether the warmest patch is one of those with their middle in a mask. heat: (h, w) or (P,). inside: (h, w)."""
    return bool(inside.flat[int(heat.argmax())])


def pointing(asked: Sequence[Asked], too_small: Sequence[str], *, resamples: int, seed: int) -> Pointing:
    """Hits over all that was asked and by finding; UserError if nothing was. too_small: findings left out."""
    if not asked:
        raise UserError("no radiograph has a region of a finding that there is a prompt for")
    by_finding = {
        finding: _hits(
            [each for each in asked if each.finding == finding],
            too_small=list(too_small).count(finding),
            resamples=resamples,
            seed=seed,
        )
        for finding in sorted({each.finding for each in asked})
    }
    overall = _hits(asked, too_small=len(too_small), resamples=resamples, seed=seed)
    return Pointing(overall=overall, by_finding=by_finding, asked=list(asked))


def _hits(asked: Sequence[Asked], *, too_small: int, resamples: int, seed: int) -> Hits:
    hits, chances = [float(each.hit) for each in asked], [each.chance for each in asked]
    patients, ious = [each.patient_id for each in asked], [each.iou for each in asked]
    interval = ratio(hits, chances, patients, resamples=resamples, seed=seed)[1:] if resamples else None
    hit_interval, iou_interval = None, None
    if resamples:
        means = resampled_means(np.column_stack([hits, ious]), patients, resamples=resamples, seed=seed)
        hit_interval, iou_interval = bounds(means[:, 0]), bounds(means[:, 1])
    hit_rate, random_rate = float(np.mean(hits)), float(np.mean(chances))
    return Hits(
        hit_rate=hit_rate,
        random_rate=random_rate,
        ratio=hit_rate / random_rate,
        interval=interval,
        n=len(asked),
        too_small=too_small,
        mean_iou=float(np.mean(ious)),
        hit_interval=hit_interval,
        iou_interval=iou_interval,
    )


def prompt_maps(model: Mlip, tokenizer: PreTrainedTokenizerFast, images: Tensor, prompts: Sequence[str]) -> Tensor:
    """(N, h, w), -1 to 1: the cosine of each patch and a sentence, mean over prompts that say the same.

    images: (N, 3, H, W), -1 to 1. Raises UserError as of sentence_vectors().
    """
    cosines = unit_patches(model, images) @ sentence_vectors(model, tokenizer, prompts).T  # (N, P, K)
    return on_grid(cosines.mean(dim=-1))


def difference_maps(
    model: Mlip, tokenizer: PreTrainedTokenizerFast, images: Tensor, *, positive: Sequence[str], negative: Sequence[str]
) -> Tensor:
    """(N, h, w): the map of prompts that say a finding is there, less that of prompts that say it is not."""
    return prompt_maps(model, tokenizer, images, positive) - prompt_maps(model, tokenizer, images, negative)


@torch.no_grad()
def unit_patches(model: Mlip, images: Tensor) -> Tensor:
    """(N, P, E), unit length. images: (N, 3, H, W)."""
    return normalize(model.patches(images).float(), dim=-1)


@torch.no_grad()
def sentence_vectors(model: Mlip, tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str]) -> Tensor:
    """(K, E), unit length: each of K prompts as one sentence, the mean of its tokens' features.

    Raises UserError, naming the prompt, where the model reads none of it or not all.
    """
    collate = Collate(tokenizer, model.settings.image_size, model.settings.max_tokens)
    read = collate.read(prompts, [[(0, len(prompt))] for prompt in prompts])
    device = next(model.parameters()).device
    means, present = model.sentences(*(each.to(device) for each in read))  # (K, 1, E), (K, 1)
    for prompt, whole in zip(prompts, present.any(dim=1).tolist(), strict=True):
        if not whole:
            raise UserError(f"the prompt “{prompt}” has no words, or more than {model.settings.max_tokens} pieces")
    return normalize(means[:, 0].float(), dim=-1)


def on_grid(values: Tensor) -> Tensor:
    """(..., h, w) of (..., P), for the patches of a square image, row by row."""
    side = isqrt(values.shape[-1])
    return values.unflatten(-1, (side, side))


def phi_grid(phi: Tensor) -> Tensor:
    """(h, w): phi of eq. 4 as it lies on the image, less its mean, by its deviation; 0 everywhere if all are one.

    phi: (P,). The loss knows it up to a constant, as as many patches are visible in every image, and its scale acts
    through the softmax alone.
    """
    centred = phi.detach().float().cpu() - phi.detach().float().cpu().mean()
    return on_grid(centred / centred.std(correction=0).clamp(min=torch.finfo(centred.dtype).tiny))
