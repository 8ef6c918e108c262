"""One drawn case report: its patient, what its figures show, and whether it ought to be left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import numpy as np

from phantom.brain.anatomy import Build, Plane, draw_build
from phantom.brain.drawing import View
from phantom.brain.lesions import DISEASES, FLUID_LIKE, Kind, Lesion, Stage, draw_lesion
from phantom.brain.looks import Modality
from phantom.pages.caption_styles import Patient
from phantom.pictures.arrangement import LabelPlace, Numerals

COMPOUND_SHARE = 0.43  # MedVL, section 2.1: "approximately 43% of the subset are compound figures"
# Panels of a compound figure, 2 to 9. MultiCaRe's rules find 4.06 labels a caption in 1,000 captions of this kind.
PANEL_SHARES = (0.24, 0.15, 0.25, 0.06, 0.15, 0.03, 0.06, 0.06)
Fate = Literal[
    "kept", "separated", "not_case_report", "no_keyword", "nd_licence", "no_licence", "retracted",
    "later_manuscript", "earlier_manuscript", "not_open_access", "no_media",
]  # fmt: skip
# Of forty articles; shuffled anew for every forty.
FATES: tuple[Fate, ...] = (
    "not_case_report", "not_case_report", "no_keyword", "no_keyword", "nd_licence", "no_licence", "retracted",
    "later_manuscript", "earlier_manuscript", "not_open_access", "no_media", "separated", "separated", *("kept",) * 27,
)  # fmt: skip
SURGICAL = frozenset({"glioblastoma", "metastases", "meningioma", "abscess", "haemorrhage", "cavernoma", "schwannoma"})
PLANES: tuple[Plane, ...] = get_args(Plane)


@dataclass(frozen=True)
class FigurePlan:
    """What one figure shows and how it is set."""

    views: list[View]  # empty: a figure that shows no scan
    label_place: LabelPlace
    numerals: Numerals
    separated: bool = False  # each panel its own graphic with its own caption
    has_medium: bool = True


@dataclass(frozen=True)
class Case:
    """One article before it is written."""

    number: int  # 9000001 and up
    fate: Fate
    patient: Patient
    lesion: Lesion
    build: Build
    licence: str | None
    figures: list[FigurePlan]


def plan_case(seed: int, index: int) -> Case:
    """The article with this index; depends on nothing but seed and index."""
    rng = np.random.default_rng([seed, index, 1])
    fate = FATES[_shuffled(seed, index, len(FATES))]
    kinds: tuple[Kind, ...] = get_args(Kind)
    lesion = draw_lesion(kinds[_shuffled(seed, index, len(kinds))], rng)
    patient = Patient(int(rng.integers(19, 84)), "man" if rng.random() < 0.5 else "woman")
    licence = {"nd_licence": "CC BY-NC-ND", "no_licence": None, "not_open_access": "TDM"}.get(
        fate, str(rng.choice(["CC BY"] * 7 + ["CC0", "CC BY-SA"]))
    )
    figures = _plan_figures(lesion, fate, rng)
    return Case(9000001 + index, fate, patient, lesion, draw_build(rng), licence, figures)


def _shuffled(seed: int, index: int, size: int) -> int:
    """A place below size, so that every run of `size` articles has each place once."""
    block, place = divmod(index, size)
    return int(np.random.default_rng([seed, block, size, 2]).permutation(size)[place])


def _plan_figures(lesion: Lesion, fate: Fate, rng: np.random.Generator) -> list[FigurePlan]:
    count = int(rng.choice([2, 3, 4, 5], p=[0.25, 0.40, 0.25, 0.10]))
    used: set[tuple[Modality, Plane, Stage]] = set()
    figures = [_plan_figure(lesion, used, rng) for _ in range(count)]
    if rng.random() < 0.35:  # histology, a chart: no scan, and no "brain" in its caption
        figures.insert(int(rng.integers(1, len(figures) + 1)), FigurePlan([], "none", "upper"))
    if fate == "separated":
        figures[0] = FigurePlan(_views(lesion, int(rng.integers(2, 4)), used, rng), "none", "lower", separated=True)
    if fate == "no_media":
        last = figures[-1]
        figures[-1] = FigurePlan(last.views, last.label_place, last.numerals, has_medium=False)
    return figures


def _plan_figure(lesion: Lesion, used: set[tuple[Modality, Plane, Stage]], rng: np.random.Generator) -> FigurePlan:
    panels = int(rng.choice(np.arange(2, 10), p=PANEL_SHARES)) if rng.random() < COMPOUND_SHARE else 1
    views = _views(lesion, panels, used, rng)
    if len(views) == 1:
        return FigurePlan(views, "none", "upper")
    places: tuple[LabelPlace, ...] = ("inside",) * 11 + ("below",) * 4 + ("above", "beside") + ("none",) * 3
    numerals: tuple[Numerals, ...] = ("upper",) * 9 + ("lower",) * 8 + ("roman", "digit")
    return FigurePlan(views, places[rng.integers(len(places))], numerals[rng.integers(len(numerals))])


def shown_by(lesion: Lesion) -> Iterator[tuple[Modality, Plane, Stage]]:
    """Every modality, plane and time at which this lesion can be seen."""
    disease = DISEASES[lesion.kind]
    stages: list[Stage] = ["initial"]
    if disease.shape != "wedge":
        stages.append("follow-up")
    if lesion.kind in SURGICAL:
        stages.append("postoperative")
    for modality, plane, stage in product(disease.signals, PLANES, stages):
        if stage == "postoperative" and modality not in FLUID_LIKE:
            continue
        if _can_be_seen(lesion, modality, plane):
            yield modality, plane, stage


def _can_be_seen(lesion: Lesion, modality: Modality, plane: Plane) -> bool:
    shape = DISEASES[lesion.kind].shape
    if modality == "DSA":
        return plane == "coronal" or (plane == "sagittal" and shape == "tangle")
    if plane == "sagittal":
        # Far out, a lateral slice cuts little more than the temporal pole.
        return shape not in ("shell", "ventricles", "vessel") and abs(lesion.centre[0]) < 40
    return True


def _views(
    lesion: Lesion, count: int, used: set[tuple[Modality, Plane, Stage]], rng: np.random.Generator
) -> list[View]:
    """Different views, mostly before treatment, unlike those of earlier figures as long as there are others."""
    choices = list(shown_by(lesion))
    fresh = [choice for choice in choices if choice not in used]
    choices = fresh if len(fresh) >= count else choices
    weights = np.array(
        [(1.0 if stage == "initial" else 0.35) * (1.6 if plane == "axial" else 1.0) for _, plane, stage in choices]
    )
    drawn = rng.choice(len(choices), size=min(count, len(choices)), replace=False, p=weights / weights.sum())
    chosen = [choices[k] for k in drawn]
    if rng.random() < 0.5:  # neighbours alike, so that a caption can speak of ranges
        chosen.sort(key=lambda item: (item[2], item[0], item[1]))
    used.update(chosen)
    zoom, marker = float(rng.uniform(0.8, 1.0)), bool(rng.random() < 0.12)
    return [
        View(modality, plane, stage, float(rng.uniform(-0.25, 0.25)), zoom, bool(rng.random() < 0.18), marker)
        for modality, plane, stage in chosen
    ]
