"""Captions of compound figures in the labelling styles that case reports use, each panel's own words known."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal
from xml.sax.saxutils import unescape

import numpy as np

from core.records import Box
from phantom.brain.wording import (
    SHOWS,
    Facts,
    article_for,
    capital,
    lesion_words,
    panel_sentence,
    pick,
    view_words,
)  # fmt: skip

Mark = Callable[[str], str]  # a letter as JATS, perhaps bold
Body = tuple[str, list[str | None]]  # caption as JATS inline text, and each panel's own words in it
Sex = Literal["man", "woman"]


@dataclass(frozen=True)
class Patient:
    """Who the article is about."""

    age: int
    sex: Sex

    @property
    def words(self) -> str:
        return article_for(f"{self.age}-year-old {self.sex}")


@dataclass(frozen=True)
class Caption:
    """A caption as JATS holds it: a title perhaps, paragraphs of inline XML, and the words of each panel."""

    style: str
    title: str | None
    paragraphs: list[str]
    texts: list[str | None]  # None: no words of its own

    @property
    def plain(self) -> str:
        """The caption as one line without markup, title and paragraphs joined by a space."""
        return " ".join(plain(part) for part in [*([self.title] if self.title else []), *self.paragraphs])


def plain(inline: str) -> str:
    """Inline JATS as it reads: without tags, entities resolved."""
    return unescape(re.sub(r"<[^>]+>", "", inline))


def _before(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    texts = [panel_sentence(fact, rng) for fact in facts]
    return " ".join(f"({mark}) {text}." for mark, text in zip(marks, texts)), list(texts)


def _after(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    texts = [panel_sentence(fact, rng) for fact in facts]
    return " ".join(f"{text} ({mark})." for mark, text in zip(marks, texts)), list(texts)


def _pointer(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    texts = [panel_sentence(fact, rng) for fact in facts]
    word = pick(("arrow", "white arrow", "arrows"), rng)
    notes = [f"({mark}, {word})" if fact.pointer else f"({mark})" for fact, mark in zip(facts, marks)]
    return " ".join(f"{text} {note}." for text, note in zip(texts, notes)), list(texts)


def _colon(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    texts = [panel_sentence(fact, rng) for fact in facts]
    end = pick((".", ";"), rng)
    sign = pick((":", ":", ","), rng)
    return f"{end} ".join(f"{mark}{sign} {text}" for mark, text in zip(marks, texts)) + ".", list(texts)


def _dot(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    texts = [panel_sentence(fact, rng) for fact in facts]
    return " ".join(f"{mark}. {text}." for mark, text in zip(marks, texts)), list(texts)


def _closing(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    texts = [panel_sentence(fact, rng) for fact in facts]
    end = pick((".", ";"), rng)
    return f"{end} ".join(f"{mark}) {text}" for mark, text in zip(marks, texts)) + ".", list(texts)


def _bare(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    texts = [panel_sentence(fact, rng) for fact in facts]
    return " ".join(f"<bold>{plain(mark)}</bold> {text}." for mark, text in zip(marks, texts)), list(texts)


def _panel_word(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    texts = [panel_sentence(fact, rng) for fact in facts]
    form = pick(("Panel {}: {}.", "(panel {}) {}.", "[{}] {}."), rng)
    return " ".join(form.format(mark, text) for mark, text in zip(marks, texts)), list(texts)


def _listed(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    """One sentence, a letter after each view, and a predicate that all share."""
    views = [view_words(fact, rng) for fact in facts]
    parts = [f"{view} ({mark})" for view, mark in zip(views, marks)]
    return f"{capital(_join(parts))} {_shared(facts, rng)}.", [capital(views[0]), *views[1:]]


def _bracketed(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    views = [view_words(fact, rng) for fact in facts]
    inside = pick((", ", "; "), rng).join(f"{mark}: {view}" for mark, view in zip(marks, views))
    return f"Neuroimaging ({inside}) {_shared(facts, rng)}.", list(views)


def _ranged(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    """Neighbours of one modality and stage share a range or a list, (A–C) or (A and B), and its words."""
    parts, texts = [], []
    form = pick(("({0}) {1}.", "({0}) {1}.", "{1} ({0})."), rng)
    for _, group in groupby(zip(facts, marks), key=lambda item: (item[0].modality, item[0].stage)):
        members = list(group)
        planes = list(dict.fromkeys(fact.plane for fact, _ in members))
        text = panel_sentence(members[0][0], rng)
        if len(planes) > 1 and re.search(rf"\b{planes[0]}\b", text, flags=re.IGNORECASE):
            text = re.sub(rf"\b{planes[0]}\b", _join(planes), text, count=1, flags=re.IGNORECASE)
        parts.append(form.format(_range([mark for _, mark in members], rng), capital(text)))
        texts += [capital(text)] * len(members)
    return " ".join(parts), list(texts)


def _range(marks: list[str], rng: np.random.Generator) -> str:
    if len(marks) == 1:
        return marks[0]
    if len(marks) == 2:
        return pick((" and ", ", ", " and "), rng).join(marks)
    return f"{marks[0]}{pick(('-', '–', ' to '), rng)}{marks[-1]}"


def _unmarked(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    """All views in one sentence and nothing that says which panel is which."""
    views = list(dict.fromkeys(view_words(fact, rng) for fact in facts))
    return f"{capital(_join(views))} {_shared(facts, rng)}.", [None] * len(facts)


def _join(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _shared(facts: Sequence[Facts], rng: np.random.Generator) -> str:
    return f"{pick(SHOWS, rng)} {lesion_words(facts[0].lesion, '', rng, say_side=True)}"


def _positional(facts: Sequence[Facts], marks: list[str], rng: np.random.Generator) -> Body:
    """Places in the figure instead of letters."""
    texts = [panel_sentence(fact, rng) for fact in facts]
    form = pick(("{1} ({0}).", "{2}: {1}.", "({0}) {1}.", "{1} ({0} panel)."), rng)
    return " ".join(form.format(mark, text, capital(mark)) for mark, text in zip(marks, texts)), list(texts)


# How often each style stands in 1,000 captions of case reports with "brain" (styles overlap there); the rest is ours.
LETTERED: dict[str, tuple[Callable[[Sequence[Facts], list[str], np.random.Generator], Body], float]] = {
    "before": (_before, 0.24), "after": (_after, 0.14), "listed": (_listed, 0.13), "colon": (_colon, 0.10),
    "bare": (_bare, 0.09), "ranged": (_ranged, 0.16), "dot": (_dot, 0.06), "pointer": (_pointer, 0.05),
    "closing": (_closing, 0.03), "bracketed": (_bracketed, 0.03), "panel_word": (_panel_word, 0.03),
}  # fmt: skip


def write_lettered(facts: Sequence[Facts], labels: list[str], rng: np.random.Generator) -> tuple[str, Body]:
    """A caption's body that names every panel by its letter, in a style at random; also the style's name."""
    names = list(LETTERED)
    weights = np.array([LETTERED[name][1] for name in names])
    style = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    tag = pick(("{}", "{}", "{}", "<bold>{}</bold>", "<italic>{}</italic>"), rng)
    return style, LETTERED[style][0](facts, [tag.format(label) for label in labels], rng)


def write_unlettered(facts: Sequence[Facts], boxes: list[Box], rng: np.random.Generator) -> tuple[str, Body]:
    """A caption's body for a figure without letters: by position where the arrangement has plain words for it."""
    places = position_words(boxes)
    if places and rng.random() < 0.65:
        return "positional", _positional(facts, places, rng)
    return "unmarked", _unmarked(facts, [], rng)


def position_words(boxes: list[Box]) -> list[str] | None:
    """ "left" and "right", "upper left" and so on for panels in reading order; None where no such words fit."""
    tops, lefts = sorted({box[1] for box in boxes}), sorted({box[0] for box in boxes})
    across = {2: ["left", "right"], 3: ["left", "middle", "right"]}
    down = {2: ["top", "bottom"], 3: ["top", "middle", "bottom"]}
    if len(tops) == 1 and len(boxes) in across:
        return across[len(boxes)]
    if len(lefts) == 1 and len(boxes) in down:
        return down[len(boxes)]
    if len(boxes) == 4 and len(tops) == len(lefts) == 2:
        return ["upper left", "upper right", "lower left", "lower right"]
    return None


def dress(
    body: str, facts: Sequence[Facts], patient: Patient, rng: np.random.Generator, *, keyword: bool
) -> tuple[str | None, list[str]]:
    """Title and paragraphs of a caption: the body with preamble and tail. With keyword, "brain" stands in it."""
    preamble, tail = _preamble(facts, patient, rng, organ="brain" if keyword else "head"), _tail(facts, rng)
    if keyword and "brain" not in f"{preamble} {body} {tail}".lower():
        preamble = pick(("Brain imaging.", f"{_technique(facts)} of the brain.", "Brain images of the patient."), rng)
    if preamble and rng.random() < 0.4:
        return preamble, [body, tail] if tail else [body]
    first = f"{preamble} {body}".strip()
    if tail and rng.random() < 0.5:
        return None, [first, tail]
    return None, [f"{first} {tail}".strip()]


def _technique(facts: Sequence[Facts]) -> str:
    modalities = {fact.modality for fact in facts}
    if modalities == {"CT"}:
        return "Computed tomography"
    return "Magnetic resonance imaging" if not modalities & {"CT", "DSA"} else "Neuroimaging"


def _preamble(facts: Sequence[Facts], patient: Patient, rng: np.random.Generator, *, organ: str) -> str:
    """What a caption says of all panels before it speaks of one; empty now and then."""
    lesion = facts[0].lesion
    what = lesion_words(lesion, "", rng, say_side=True)
    choices = [
        f"{capital(organ)} imaging of {patient.words}.",
        f"{capital(organ)} imaging findings.",
        f"Imaging of the {organ}.",
        f"{capital(patient.words)} with {what}: {organ} imaging.",
        f"{capital(organ)} scans of {patient.words} with {what}.",
        f"{_technique(facts)} of the {organ} in {patient.words}.",
        f"{capital(what)} on {organ} imaging.",
        *("",) * 3,
    ]
    if all(fact.stage == "initial" for fact in facts):
        choices += [f"Initial {organ} imaging.", f"{capital(organ)} imaging before treatment."]
    return pick(choices, rng)


def _tail(facts: Sequence[Facts], rng: np.random.Generator) -> str:
    """What may follow: abbreviations, legends, remarks that hold traps for a splitter; often nothing."""
    modalities = {fact.modality for fact in facts}
    legends = ["", "", "", "", "", "Informed consent was obtained from the patient."]
    if any(fact.marker for fact in facts):
        legends += ["R, right.", "(R) right.", "R: right."] * 2
    if modalities & {"T1", "T2", "T1C", "FLAIR"}:
        legends += ["Abbreviations: MRI, magnetic resonance imaging.", "T1 and T2 are relaxation times."]
    if "FLAIR" in modalities:
        legends.append("FLAIR: fluid-attenuated inversion recovery.")
    if modalities & {"MRA", "DSA"}:
        legends += ["Note the M1 and A1 segments.", "M1: first segment of the middle cerebral artery."]
    if any(fact.pointer for fact in facts):
        legends += ["Arrows point to the lesion.", "Arrow: lesion."]
    return pick(legends, rng)
