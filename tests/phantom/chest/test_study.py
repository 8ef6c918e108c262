"""What drawn patients have: how often, on which side, and where nothing hides it."""

from collections import Counter

import pytest

from phantom.chest.study import AT_MOST, FINDINGS, PREVALENCE, Study, plan_studies


@pytest.fixture(scope="module")
def studies() -> list[Study]:
    return [study for number in range(2500) for study in plan_studies(number, seed=4)]


def test_every_finding_is_as_frequent_as_stated(studies: list[Study]) -> None:
    found = Counter(finding.kind for study in studies for finding in study.findings)
    for kind in FINDINGS:
        assert abs(found[kind] / len(studies) - PREVALENCE[kind]) < 0.03
        assert 0.12 <= found[kind] / len(studies) <= 0.25


def test_a_fifth_of_the_studies_is_normal_and_none_has_more_than_four_findings(studies: list[Study]) -> None:
    counts = Counter(len(study.findings) for study in studies)
    assert 0.17 < counts[0] / len(studies) < 0.25
    assert max(counts) == AT_MOST


def test_no_two_findings_go_together_much_more_often_than_by_chance(studies: list[Study]) -> None:
    for one in FINDINGS:
        for other in FINDINGS[: FINDINGS.index(one)]:
            both = sum(study.found(one) is not None and study.found(other) is not None for study in studies)
            assert 0.5 < both / (len(studies) * PREVALENCE[one] * PREVALENCE[other]) < 1.5


def test_left_and_right_are_equally_frequent(studies: list[Study]) -> None:
    sides = Counter(finding.side for study in studies for finding in study.findings)
    assert 0.9 < sides["left"] / sides["right"] < 1.1


def test_a_second_study_keeps_the_patient_and_most_findings(studies: list[Study]) -> None:
    seconds = [(studies[k - 1], study) for k, study in enumerate(studies) if study.order == 2]
    assert 0.25 < len(seconds) / 2500 < 0.45
    assert all(first.build == second.build and first.patient == second.patient for first, second in seconds)
    kept = [first.found(each.kind) is not None for first, second in seconds for each in second.findings]
    assert sum(kept) / len(kept) > 0.6
