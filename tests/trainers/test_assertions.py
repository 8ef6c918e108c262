"""Sentences that say a finding is there are told from those that deny it or tell of anatomy and technique."""

import pytest

from trainers.assertions import asserts


@pytest.mark.parametrize("said", [
    "There is a small right apical pneumothorax.",
    "A 1.2 cm nodule projects over the left upper zone.",
    "The left costophrenic angle is blunted by trace pleural effusion.",
    "Mild cardiomegaly.",
    "The lungs are clear except for a band of atelectasis.",
    "No pneumothorax, but a moderate effusion persists.",
])  # fmt: skip
def test_findings(said: str) -> None:
    assert asserts(said)


@pytest.mark.parametrize("said", [
    "No pneumothorax.",
    "The lungs are clear.",
    "Heart size is normal.",
    "The osseous structures are intact.",
    "There is no pleural effusion or consolidation.",
    "Frontal view of the chest.",
    "No acute findings; however, no comparison is there.",
    "...",
])  # fmt: skip
def test_absence_anatomy_and_technique(said: str) -> None:
    assert not asserts(said)
