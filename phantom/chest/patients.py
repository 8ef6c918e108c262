"""Drawn patients with chest radiographs, reports, findings and their masks, for MLIP without a download."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from core.images import encode_small
from core.records import Box, Radiograph, Region, Target
from core.split import split_of
from phantom.chest.film import Film, draw_film
from phantom.chest.reports import report_of
from phantom.chest.study import FINDINGS, Study, plan_studies
from phantom.pictures.brushes import Canvas

DATASET = "phantom"


def chest_works(patients: int) -> list[int]:
    """The numbers of a set of this many patients."""
    return list(range(patients))


def draw_patient(
    number: int, *, seed: int, patients: int, size: int = 224, train_side: int | None = None
) -> list[Radiograph]:
    """The one or two frontal films of a patient, the longer side `size` pixels; the same in every process.

    train_side: see tables.train_side.

    ValueError if the set of `patients` has no such number.
    """
    if not 0 <= number < patients:
        raise ValueError(f"no patient {number} among {patients}; they are numbered from 0 to {patients - 1}")
    return [_radiograph(study, draw_film(study, size), seed, train_side) for study in plan_studies(number, seed=seed)]


def _radiograph(study: Study, film: Film, seed: int, train_side: int | None) -> Radiograph:
    image = _png(film.pixels)
    patient_id = f"P{study.patient:06d}"
    shown = {kind for kind, _ in film.foci}
    seen = replace(study, findings=tuple(each for each in study.findings if each.kind in shown))
    return Radiograph(
        image_id=f"{patient_id}-{study.order}",
        patient_id=patient_id,
        study_id=f"{patient_id}-{study.order}",
        dataset=DATASET,
        split=split_of(patient_id, seed=seed, val=0.1, test=0.2),
        image=image,
        small=encode_small(Image.fromarray(film.pixels), train_side),
        width=film.pixels.shape[1],
        height=film.pixels.shape[0],
        view=study.view,
        text=report_of(seen, np.random.default_rng([study.seed, 3])).text,
        targets=[Target(name=kind, present=kind in shown) for kind in FINDINGS],
        regions=[Region(target=kind, box=_box(mask), mask=_png(mask, bits=1)) for kind, mask in film.foci],
        md5=hashlib.md5(image).hexdigest(),
        notes=[],
    )


def _box(mask: Canvas) -> Box:
    left, top, width, height = cv2.boundingRect(mask)
    return left, top, left + width, top + height


def _png(picture: Canvas, *, bits: int = 8) -> bytes:
    """A grey picture (H, W) as PNG of 8 bits or 1 bit a pixel."""
    options = [cv2.IMWRITE_PNG_COMPRESSION, 3, cv2.IMWRITE_PNG_BILEVEL, int(bits == 1)]
    return bytes(cv2.imencode(".png", picture, options)[1])
