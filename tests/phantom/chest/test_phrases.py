"""The words of chest reports: several for every finding, none that speaks of another."""

import pytest

from phantom.chest.phrases import ABSENT, BY_PHRASE, NOUNS, OWN, PROMPTS, SIZES, ZONES
from phantom.chest.study import FINDINGS, Kind

# By these words a sentence speaks of a finding.
STEMS: dict[Kind, tuple[str, ...]] = {
    "Pneumothorax": ("pneumothora", "pleural line", "pleural air", "ptx"),
    "Effusion": ("effusion", "costophrenic", "pleural fluid"),
    "Consolidation": ("consolidation", "airspace opacit", "opacification"),
    "Nodule": ("nodul",),
    "Cardiomegaly": ("cardiomegaly", "heart", "cardiac silhouette"),
    "Atelectasis": ("atelecta",),
    "Edema": ("edema",),
    "Hernia": ("hernia",),
}


def spoken_of(words: str) -> set[Kind]:
    return {kind for kind, stems in STEMS.items() if any(stem in words.lower() for stem in stems)}


@pytest.mark.parametrize("kind", FINDINGS)
def test_a_finding_has_three_phrasings_that_name_no_other(kind: Kind) -> None:
    phrasings = [*OWN[kind][0], *OWN[kind][1], *([] if kind in BY_PHRASE else [each for each, _ in NOUNS[kind]])]
    assert len(phrasings) >= 3
    allowed = {kind, "Cardiomegaly"} if kind == "Hernia" else {kind}  # "behind the heart"
    assert all(kind in spoken_of(words) and spoken_of(words) <= allowed for words in phrasings)
    assert len(SIZES[kind]) == 3


@pytest.mark.parametrize("kind", FINDINGS)
def test_prompts_affirm_and_deny_one_finding(kind: Kind) -> None:
    positive, negative = PROMPTS[kind]
    assert len(positive) >= 3 and len(negative) >= 3
    allowed = {kind, "Cardiomegaly"} if kind == "Hernia" else {kind}
    assert all(kind in spoken_of(prompt) and spoken_of(prompt) <= allowed for prompt in positive)
    assert all(spoken_of(prompt) <= {kind} for prompt in negative)
    assert all(spoken_of(word) == {kind} for word in ABSENT[kind])


def test_every_zone_of_a_finding_has_words() -> None:
    assert {"upper", "mid", "lower", "apical", "basal", "central"} == set(ZONES)
