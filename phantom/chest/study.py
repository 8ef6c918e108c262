"""What a drawn patient's chest films show: the patient's build, and each study's findings with side, zone and size."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

Kind = Literal[
    "Pneumothorax", "Effusion", "Consolidation", "Nodule", "Cardiomegaly", "Atelectasis", "Edema", "Hernia"
]  # as NIH ChestX-ray14 names them
Side = Literal["left", "right", "bilateral", "midline"]  # the patient's: left is on the image's right
Zone = Literal["upper", "mid", "lower", "apical", "basal", "central"]
View = Literal["PA", "AP"]
Device = Literal["pacemaker", "central line", "tube", "electrodes", "wires"]

FINDINGS: tuple[Kind, ...] = get_args(Kind)
DEVICES: tuple[Device, ...] = get_args(Device)
# How many of all studies show it; the product of the complements leaves a fifth of the studies without any.
PREVALENCE: dict[Kind, float] = {
    "Pneumothorax": 0.17, "Effusion": 0.22, "Consolidation": 0.21, "Nodule": 0.19,
    "Cardiomegaly": 0.20, "Atelectasis": 0.19, "Edema": 0.15, "Hernia": 0.14,
}  # fmt: skip
BOTH_SIDES: dict[Kind, float] = {"Effusion": 0.22, "Atelectasis": 0.15, "Consolidation": 0.08}
AT_MOST = 4  # findings on one film
FOCAL: frozenset[Kind] = frozenset({"Consolidation", "Nodule", "Atelectasis"})


@dataclass(frozen=True)
class Build:
    """One patient's chest, in shares of the square it is drawn on."""

    width: float  # from the middle to the ribs
    apex: float  # of the lungs, from the top
    base: float  # the domes of the diaphragm
    lift: float  # how much higher the right dome stands
    heart: float  # its width by the chest's; normal below a half
    balance: float  # of the heart, the share that lies on the patient's left
    air: float  # how clear the lungs are, 0 to 1
    markings: float  # how plain their vessels are
    flesh: float  # thickness of the soft tissue, 0 to 1
    bone: float  # how much of them the bones hold back
    lean: float  # of the spine, sideways
    slope: float  # of the ribs
    seed: int  # of what differs without a name: vessels, clouds


@dataclass(frozen=True)
class Finding:
    """One finding on one film; both sides together where it is bilateral."""

    kind: Kind
    side: Side
    zone: Zone
    size: float  # 0 to 1, small to large
    contrast: float  # 0 to 1, faint to plain
    seed: int  # of its outline

    @property
    def signs(self) -> tuple[int, ...]:
        """1 on the image's right, where the patient's left is; one of each focus."""
        return {"left": (1,), "right": (-1,), "bilateral": (-1, 1), "midline": (0,)}[self.side]


@dataclass(frozen=True)
class Study:
    """One frontal film before it is drawn."""

    patient: int
    order: int  # 1, or 2 after an earlier one
    view: View
    build: Build
    findings: tuple[Finding, ...]
    devices: tuple[Device, ...]
    seed: int  # of exposure, position, noise and words

    def found(self, kind: Kind) -> Finding | None:
        return next((each for each in self.findings if each.kind == kind), None)


def plan_studies(number: int, *, seed: int) -> list[Study]:
    """The one or two studies of a patient; depends on nothing but the two numbers."""
    rng = np.random.default_rng([seed, number, 5])
    build, devices = _build(rng), _devices(rng)
    first = _study(number, 1, build, _findings(rng), devices, rng)
    if rng.random() > 0.35:
        return [first]
    return [first, _study(number, 2, build, _later(first.findings, rng), devices, rng)]


def _study(
    number: int,
    order: int,
    build: Build,
    findings: tuple[Finding, ...],
    devices: tuple[Device, ...],
    rng: np.random.Generator,
) -> Study:
    view: View = "AP" if rng.random() < 0.4 else "PA"
    return Study(number, order, view, build, findings, devices, int(rng.integers(2**31)))


def _build(rng: np.random.Generator) -> Build:
    return Build(
        width=float(rng.uniform(0.32, 0.375)),
        apex=float(rng.uniform(0.13, 0.18)),
        base=float(rng.uniform(0.68, 0.75)),
        lift=float(rng.uniform(0.005, 0.035)),
        heart=float(rng.uniform(0.38, 0.46)),
        balance=float(rng.uniform(0.58, 0.72)),
        air=float(rng.uniform(0.55, 0.75)),
        markings=float(rng.uniform(0.10, 0.18)),
        flesh=float(rng.uniform(0, 1)),
        bone=float(rng.uniform(0.03, 0.06)),
        lean=float(rng.normal(0, 0.008)),
        slope=float(rng.uniform(0.8, 1.3)),
        seed=int(rng.integers(2**31)),
    )


def _devices(rng: np.random.Generator) -> tuple[Device, ...]:
    shares = {"pacemaker": 0.08, "central line": 0.15, "tube": 0.10, "electrodes": 0.15, "wires": 0.08}
    return tuple(each for each in DEVICES if rng.random() < shares[each])


def _findings(rng: np.random.Generator) -> tuple[Finding, ...]:
    drawn: list[Kind] = [kind for kind in FINDINGS if rng.random() < PREVALENCE[kind]]
    while len(drawn) > AT_MOST:
        drawn.pop(int(rng.integers(len(drawn))))
    found: tuple[Finding, ...] = ()
    for kind in drawn:  # in the order of FINDINGS: those that fill a side come first
        found += (_clear_of(found, _finding(kind, rng), rng),)
    return found


def _finding(kind: Kind, rng: np.random.Generator) -> Finding:
    side: Side = "left" if rng.random() < 0.5 else "right"
    if rng.random() < BOTH_SIDES.get(kind, 0):
        side = "bilateral"
    if kind in ("Cardiomegaly", "Hernia"):
        side = "midline"
    if kind == "Edema":
        side = "bilateral"
    zones: dict[Kind, tuple[Zone, ...]] = {
        "Pneumothorax": ("apical",), "Effusion": ("basal",), "Consolidation": ("upper", "mid", "lower"),
        "Nodule": ("upper", "mid", "lower"), "Atelectasis": ("mid", "lower", "lower"),
    }  # fmt: skip
    zone: Zone = zones.get(kind, ("central",))[int(rng.integers(3)) % len(zones.get(kind, ("central",)))]
    return Finding(kind, side, zone, float(rng.random()), float(rng.random()), int(rng.integers(2**31)))


def _clear_of(others: tuple[Finding, ...], finding: Finding, rng: np.random.Generator) -> Finding:
    """The finding where the others do not hide it."""
    if finding.kind not in FOCAL:
        return finding
    for _ in range(12):
        if not any(_hides(other, finding) for other in others):
            break
        moved = _finding(finding.kind, rng)
        finding = replace(finding, side=moved.side, zone=moved.zone)
    return finding


def _hides(other: Finding, finding: Finding) -> bool:
    if not set(other.signs) & set(finding.signs):
        return False
    if other.kind == "Pneumothorax":
        return True
    if other.kind == "Effusion":
        return finding.zone == "lower" or (finding.zone == "mid" and other.size > 0.5)
    return other.kind in FOCAL and other.zone == finding.zone


def _later(earlier: tuple[Finding, ...], rng: np.random.Generator) -> tuple[Finding, ...]:
    """Findings some time later: one in three is gone, others grow or shrink, now and then one is new."""
    kept = tuple(
        replace(each, size=float(np.clip(each.size + rng.normal(0, 0.25), 0, 1)), contrast=float(rng.random()))
        for each in earlier
        if rng.random() > 0.3
    )
    new = _finding(FINDINGS[int(rng.integers(len(FINDINGS)))], rng)
    known = {each.kind for each in kept}
    if rng.random() > 0.45 or new.kind in known or len(kept) >= AT_MOST:
        return kept
    new = _clear_of(kept, new, rng)
    return kept if any(_hides(new, each) for each in kept if each.kind in FOCAL) else (*kept, new)
