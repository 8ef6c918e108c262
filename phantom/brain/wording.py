"""Facts about a panel into the words of radiology reports, in many wordings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phantom.brain.anatomy import Plane
from phantom.brain.lesions import Kind, Lesion, Stage
from phantom.brain.looks import Modality

# "{}" is the plane, or the projection of a catheter angiogram.
VIEWS: dict[Modality, tuple[str, ...]] = {
    "T1": ("{} T1-weighted MRI", "{} T1-weighted image", "T1-weighted {} MR image", "{} unenhanced T1-weighted MRI",
           "{} precontrast T1 image", "{} T1 MRI without contrast"),
    "T1C": ("{} contrast-enhanced T1-weighted MRI", "{} post-gadolinium T1-weighted image", "{} postcontrast T1 MRI",
            "gadolinium-enhanced {} T1-weighted image", "T1-weighted {} image after contrast"),
    "T2": ("{} T2-weighted MRI", "{} T2-weighted image", "T2-weighted {} MR image", "{} T2 MRI",
           "{} fast spin echo T2 image"),
    "FLAIR": ("{} FLAIR MRI", "{} FLAIR image", "{} fluid-attenuated inversion recovery image", "{} T2-FLAIR sequence"),
    "DWI": ("{} diffusion-weighted image", "{} diffusion-weighted MRI", "{} DWI", "diffusion-weighted {} MR image"),
    "CT": ("{} CT scan", "{} non-contrast CT", "{} unenhanced computed tomography", "non-enhanced {} CT image",
           "{} computed tomography scan"),
    "MRA": ("{} MR angiography", "{} MR angiogram", "{} time-of-flight MR angiography",
            "{} magnetic resonance angiogram"),
    "DSA": ("{} digital subtraction angiography", "{} digital subtraction angiogram", "{} catheter angiogram",
            "{} cerebral angiogram"),
}  # fmt: skip
PROJECTIONS: dict[Plane, tuple[str, ...]] = {
    "coronal": ("anteroposterior", "frontal"), "sagittal": ("lateral",), "axial": ("axial",),
}  # fmt: skip
NOUNS: dict[Kind, tuple[str, ...]] = {
    "glioblastoma": ("glioblastoma", "glioblastoma", "high-grade glioma", "malignant glioma"),
    "metastases": ("metastases", "metastatic lesions", "metastatic nodules"),
    "meningioma": ("meningioma", "meningioma", "dural-based meningioma"),
    "abscess": ("abscess", "abscess", "pyogenic abscess"),
    "infarct": ("infarct", "ischaemic infarct", "acute infarction", "ischemic stroke"),
    "haemorrhage": ("haemorrhage", "intracerebral hemorrhage", "haematoma", "parenchymal hemorrhage"),
    "subdural": ("subdural haematoma", "subdural hematoma", "subdural collection"),
    "epidural": ("epidural haematoma", "extradural haematoma", "epidural hematoma"),
    "cavernoma": ("cavernoma", "cavernous malformation", "cavernous angioma"),
    "arachnoid cyst": ("arachnoid cyst", "arachnoid cyst", "extra-axial arachnoid cyst"),
    "multiple sclerosis": ("demyelinating plaques", "multiple sclerosis plaques", "plaques of multiple sclerosis"),
    "hydrocephalus": ("hydrocephalus", "ventriculomegaly", "dilatation of the ventricles"),
    "schwannoma": ("vestibular schwannoma", "acoustic neuroma", "vestibular schwannoma"),
    "pituitary adenoma": ("pituitary macroadenoma", "pituitary adenoma", "macroadenoma of the pituitary"),
    "aneurysm": ("aneurysm", "saccular aneurysm", "aneurysm"),
    "avm": ("arteriovenous malformation", "arteriovenous malformation", "AVM"),
}
PLURAL: frozenset[Kind] = frozenset({"metastases", "multiple sclerosis", "hydrocephalus"})
# Said of the lesion in a modality; the first that fits: (kind, modality), then modality.
ADJECTIVES: dict[tuple[Kind | None, Modality], tuple[str, ...]] = {
    ("glioblastoma", "T1C"): ("irregular ring-enhancing", "thick-walled enhancing", "peripherally enhancing necrotic"),
    ("glioblastoma", "CT"): ("heterogeneous", "centrally hypodense"),
    ("metastases", "T1C"): ("multiple nodular enhancing", "several solidly enhancing", "multiple enhancing"),
    ("meningioma", "T1C"): ("homogeneously enhancing", "avidly enhancing", "intensely enhancing"),
    ("meningioma", "T1"): ("isointense", "slightly hypointense"),
    ("abscess", "T1C"): ("thin-walled ring-enhancing", "smooth ring-enhancing", "rim-enhancing"),
    ("abscess", "DWI"): ("markedly hyperintense", "diffusion-restricting"),
    ("abscess", "CT"): ("hypodense ring-like", "round hypodense"),
    ("infarct", "DWI"): ("hyperintense", "bright wedge-shaped", "diffusion-restricting"),
    ("infarct", "CT"): ("hypodense", "wedge-shaped hypodense"),
    ("haemorrhage", "T2"): ("markedly hypointense", "dark"),
    ("haemorrhage", "FLAIR"): ("hypointense", "dark"),
    ("haemorrhage", "T1"): ("hyperintense", "bright"),
    ("subdural", "T1"): ("hyperintense crescent-shaped", "bright crescentic"),
    ("subdural", "CT"): ("hyperdense crescentic", "crescent-shaped hyperdense"),
    ("epidural", "CT"): ("hyperdense biconvex", "lens-shaped hyperdense"),
    ("epidural", "T1"): ("biconvex hyperintense", "lens-shaped"),
    ("epidural", "T2"): ("biconvex hypointense", "lens-shaped dark"),
    ("cavernoma", "T2"): ("popcorn-like", "mixed-signal hemosiderin-rimmed", "dark-rimmed"),
    ("cavernoma", "T1"): ("popcorn-like hyperintense", "mixed-signal"),
    ("cavernoma", "FLAIR"): ("dark-rimmed", "mixed-signal"),
    ("arachnoid cyst", "FLAIR"): ("fully suppressed", "hypointense", "dark"),
    ("arachnoid cyst", "DWI"): ("hypointense", "non-restricting"),
    ("arachnoid cyst", "T1C"): ("non-enhancing", "hypointense non-enhancing"),
    ("arachnoid cyst", "CT"): ("hypodense", "fluid-density"),
    ("multiple sclerosis", "FLAIR"): ("multiple hyperintense", "ovoid hyperintense", "confluent bright"),
    ("multiple sclerosis", "T2"): ("multiple hyperintense", "ovoid bright"),
    ("multiple sclerosis", "T1"): ("multiple hypointense", "black-hole"),
    ("multiple sclerosis", "T1C"): ("multiple enhancing", "actively enhancing"),
    ("hydrocephalus", "FLAIR"): ("marked", "severe"), ("hydrocephalus", "CT"): ("marked", "severe"),
    ("hydrocephalus", "T1"): ("marked", "prominent"), ("hydrocephalus", "T2"): ("marked", "pronounced"),
    ("aneurysm", "CT"): ("hyperdense rounded", "round hyperdense"), ("aneurysm", "T2"): ("flow-void", "round dark"),
    ("aneurysm", "MRA"): ("large", "lobulated", "sac-like"),
    ("aneurysm", "DSA"): ("large", "contrast-filled", "lobulated"),
    ("avm", "MRA"): ("tangled", "large", "high-flow"), ("avm", "DSA"): ("high-flow", "tangled", "early-draining"),
    ("avm", "T2"): ("serpiginous flow-void", "tangled flow-void"),
    ("avm", "T1C"): ("serpiginous enhancing", "enhancing"),
    ("pituitary adenoma", "T1"): ("isointense", "intermediate-signal"),
    ("cavernoma", "CT"): ("hyperdense", "stippled hyperdense"),
    (None, "T1"): ("hypointense", "low-signal"), (None, "T1C"): ("enhancing", "avidly enhancing"),
    (None, "T2"): ("hyperintense", "high-signal", "bright"), (None, "FLAIR"): ("hyperintense", "high-signal", "bright"),
    (None, "DWI"): ("hyperintense", "bright"), (None, "CT"): ("hyperdense", "high-attenuation", "dense"),
}  # fmt: skip
SHOWS = ("showing", "demonstrating", "revealing", "with", "depicting")
STAGES: dict[Stage, tuple[str, ...]] = {
    "initial": ("", "", "", "", "at presentation", "on admission", "before treatment"),
    "follow-up": ("at three-month follow-up", "after treatment", "at follow-up", "six weeks later", "after 6 months"),
    "postoperative": ("after surgery", "postoperatively", "on the first postoperative day", "after resection"),
}


@dataclass(frozen=True)
class Facts:
    """What is true of a panel and may be said of it."""

    lesion: Lesion
    modality: Modality
    plane: Plane
    stage: Stage
    pointer: bool = False  # an arrow is drawn
    marker: bool = False  # "R" is printed on the patient's right


def pick(choices: Sequence[str], rng: np.random.Generator) -> str:
    """One of several wordings."""
    return choices[int(rng.integers(len(choices)))]


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def article_for(noun_phrase: str) -> str:
    vowel = noun_phrase[0].lower() in "aeiou" or noun_phrase.startswith(("8", "11", "18"))
    return f"an {noun_phrase}" if vowel else f"a {noun_phrase}"


def view_words(facts: Facts, rng: np.random.Generator) -> str:
    """Modality and plane: "axial T2-weighted MRI"."""
    plane = pick(PROJECTIONS[facts.plane], rng) if facts.modality == "DSA" else facts.plane
    return pick(VIEWS[facts.modality], rng).format(plane)


def place_words(lesion: Lesion, rng: np.random.Generator, *, say_side: bool) -> tuple[str, str]:
    """Where the lesion is, before and after its noun; one of the two is empty."""
    side = f"{lesion.side} " if say_side and lesion.side in ("left", "right") else ""
    before = {"sella": "sellar", "ventricles": "", "periventricular white matter": "periventricular", "pons": "pontine"}
    if lesion.kind == "subdural":
        return f"{side}{pick(('', 'convexity ', 'hemispheric '), rng)}".strip(), ""
    if lesion.place in before or lesion.place == "ventricles":
        return before[lesion.place], ""
    if rng.random() < 0.5 or "lobe" not in lesion.place:
        of = "of" if lesion.kind == "aneurysm" else "in"
        return "", f"{of} the {side}{lesion.place}"
    return f"{side}{lesion.place.removesuffix(' lobe')}", ""


def lesion_words(lesion: Lesion, adjective: str, rng: np.random.Generator, *, say_side: bool) -> str:
    """The lesion with its article: "a ring-enhancing left frontal glioblastoma"."""
    before, after = place_words(lesion, rng, say_side=say_side)
    phrase = " ".join(part for part in (adjective, before, pick(NOUNS[lesion.kind], rng), after) if part)
    return phrase if lesion.kind in PLURAL else article_for(phrase)


def finding_words(facts: Facts, rng: np.random.Generator) -> str:
    """What the panel shows. A lateral view does not tell left from right, so the side is left out there."""
    lesion, say_side = facts.lesion, facts.plane != "sagittal"
    if facts.stage == "postoperative":
        before, after = place_words(lesion, rng, say_side=say_side)
        cavity = pick(("resection cavity", "surgical cavity", "fluid-filled cavity"), rng)
        where = " ".join(part for part in (before, cavity, after) if part)
        return (
            f"{article_for(where)} {pick(('without residual', 'after removal of the', 'in place of the'), rng)} "
            + pick(NOUNS[lesion.kind], rng)
        )
    adjectives = ADJECTIVES.get((lesion.kind, facts.modality)) or ADJECTIVES[None, facts.modality]
    adjective = pick(adjectives, rng) if rng.random() < 0.8 else ""
    if facts.stage == "follow-up":
        adjective = f"{pick(('smaller', 'regressing', 'shrinking'), rng)} {adjective}".strip()
    words = lesion_words(lesion, adjective, rng, say_side=say_side)
    return words + pick(_remarks(facts), rng)


def _remarks(facts: Facts) -> tuple[str, ...]:
    swollen = {"glioblastoma", "metastases", "abscess", "haemorrhage"}
    if facts.lesion.kind in swollen and facts.modality in ("T2", "FLAIR"):
        return ("", "", " with surrounding oedema", " with marked vasogenic edema", " and perilesional oedema")
    if facts.lesion.kind == "glioblastoma" and facts.modality == "T1C":
        return ("", " with central necrosis", " around a necrotic centre")
    if facts.lesion.kind in ("subdural", "epidural") and facts.plane != "sagittal":
        return ("", " with mass effect", " compressing the hemisphere")
    return ("",)


def stage_words(stage: Stage, rng: np.random.Generator) -> str:
    return pick(STAGES[stage], rng)


def panel_sentence(facts: Facts, rng: np.random.Generator) -> str:
    """A panel's own words: "Axial T2-weighted MRI at follow-up showing a smaller ... meningioma", no full stop."""
    view, stage, finding = view_words(facts, rng), stage_words(facts.stage, rng), finding_words(facts, rng)
    draw = rng.random()
    if draw < 0.15:
        return capital(f"{finding} on {view}{' ' + stage if stage else ''}")
    if draw < 0.25 and stage:
        return capital(f"{stage}, {view} shows {finding}")
    return capital(" ".join(part for part in (view, stage, pick(SHOWS, rng), finding) if part))
