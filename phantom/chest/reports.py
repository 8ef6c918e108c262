"""Drawn studies into reports of 3 to 8 sentences, and which finding each sentence is about."""

from dataclasses import dataclass

import numpy as np

from phantom.brain.wording import article_for, capital, pick
from phantom.chest.findings import centimetres, heart_share
from phantom.chest.phrases import (
    ABSENT,
    BY_PHRASE,
    CLEAR,
    DENIALS,
    DEVICES,
    FIRST,
    FRAMES,
    NORMAL,
    NOUNS,
    OWN,
    PROMPTS,
    REMARKS,
    SECOND,
    SIZES,
    TECHNIQUE,
    ZONES,
)
from phantom.chest.study import FINDINGS, Finding, Kind, Study

__all__ = ["PROMPTS", "Report", "report_of"]
OMITTED = 0.05  # of the findings, never written down
AT_LEAST, AT_MOST = 3, 8  # sentences
Line = tuple[str, Kind | None]  # a sentence, and the finding that it says is there


@dataclass(frozen=True)
class Report:
    """A report and its sentences, in the order in which they stand in the text, one space or new line between them."""

    text: str
    sentences: list[str]
    about: list[Kind | None]  # the finding that the sentence says is there; None for every other sentence


def report_of(study: Study, rng: np.random.Generator) -> Report:
    """What a radiologist writes of a study: its findings, some of what is absent, and boilerplate."""
    told = [finding for finding in study.findings if rng.random() >= OMITTED]
    body: list[Line] = [(_says(finding, study, rng), finding.kind) for finding in told]
    body += [(sentence, None) for sentence in _denials(study, rng)]
    sections = rng.random() < 0.35
    closing = [_impression(study, told, rng)] if sections else []
    used = len(body) + len(closing)
    extra = int(np.clip(rng.integers(0, 3), max(0, AT_LEAST - used), AT_MOST - used))
    opening, remarks = _boilerplate(study, extra, rng)
    body += [(sentence, None) for sentence in remarks]
    lines = [(sentence, None) for sentence in opening] + [body[k] for k in rng.permutation(len(body))]
    if sections:
        lines[0] = (f"FINDINGS: {lines[0][0]}", lines[0][1])
    text = " ".join(sentence for sentence, _ in lines) + "".join(f"\n{sentence}" for sentence, _ in closing)
    return Report(text, [line[0] for line in lines + closing], [line[1] for line in lines + closing])


def _says(finding: Finding, study: Study, rng: np.random.Generator) -> str:
    """One sentence that says that a finding is there, of which size, and where."""
    words = _words(finding, study, rng)
    own = OWN[finding.kind][len(finding.signs) - 1]
    if own and (finding.kind in BY_PHRASE or rng.random() < 0.45):
        return capital(pick(own, rng).format(**words))
    noun = _noun(finding, words, rng)
    several = len(finding.signs) > 1
    frame = pick(FRAMES, rng)
    if not several and not frame.startswith("{noun}."):
        noun = article_for(noun)
    return capital(frame.format(noun=noun, **{"is": "are" if several else "is"}))


def _noun(finding: Finding, words: dict[str, str], rng: np.random.Generator) -> str:
    """The finding with its size and place: "small left lower lobe nodule", "small nodule in the left lower lobe"."""
    noun = pick([forms[len(finding.signs) - 1] for forms in NOUNS[finding.kind]], rng)
    zone = words["zone"] if finding.zone in ("upper", "mid", "lower") else ""
    before = f"{words['side']} {zone}".strip()
    if finding.side == "midline":
        before = ""
    after = f" in the {before}" if zone and finding.side != "bilateral" and rng.random() < 0.4 else ""
    phrase = noun.format("" if after else before).replace("  ", " ").strip()
    return f"{words['size'] if rng.random() < 0.8 else ''} {phrase}{after}".strip()


def _words(finding: Finding, study: Study, rng: np.random.Generator) -> dict[str, str]:
    return {
        "size": pick(SIZES[finding.kind][min(2, int(3 * finding.size))], rng),
        "side": finding.side,
        "zone": pick(ZONES[finding.zone], rng),
        "cm": f"{centimetres(finding):.1f}",
        "mm": f"{10 * centimetres(finding):.0f}",
        "ratio": f"{heart_share(study.found('Cardiomegaly'), study.build.heart):.2f}",
    }


def _denials(study: Study, rng: np.random.Generator) -> list[str]:
    """Up to three sentences on some of the findings that are not there."""
    absent = {kind for kind in FINDINGS if study.found(kind) is None}
    clear = [(kinds, pick(sentences, rng)) for kinds, sentences in CLEAR if kinds <= absent and rng.random() < 0.35]
    said = [sentence for _, sentence in clear]
    left = [kind for kind in FINDINGS if kind in absent.difference(*(kinds for kinds, _ in clear))]
    named = [kind for kind in left if rng.random() < 0.55]
    order = [pick(ABSENT[named[k]], rng) for k in rng.permutation(len(named))]
    while order and len(said) < 3:
        several = int(rng.integers(1, 4))
        together, order = order[:several], order[several:]
        listed = together[0] if len(together) == 1 else f"{', '.join(together[:-1])} or {together[-1]}"
        said.append(pick(DENIALS, rng).format(listed))
    return said[:3]


def _boilerplate(study: Study, count: int, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """`count` sentences on technique, comparison, devices and bones: those that open a report, and the others."""
    technique = pick(TECHNIQUE, rng).format(view=study.view)
    comparison = pick(FIRST if study.order == 1 else SECOND, rng)
    devices = [pick(DEVICES[device], rng) for device in study.devices if rng.random() < 0.7]
    remarks = [REMARKS[k] for k in rng.permutation(len(REMARKS))[:6]]
    others = devices + remarks
    opening = [each for each in (technique, comparison) if rng.random() < 0.35][:count]
    return opening, others[: count - len(opening)]


def _impression(study: Study, told: list[Finding], rng: np.random.Generator) -> Line:
    """The last sentence: the main finding once more."""
    if not told:
        words = pick(NORMAL, rng) if not study.findings else "As above."
        return f"IMPRESSION: {words}", None
    main = max(told, key=lambda finding: finding.size)
    return f"IMPRESSION: {_says(main, study, rng)}", main.kind
