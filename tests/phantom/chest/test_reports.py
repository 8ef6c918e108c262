"""Drawn reports: true of their study, sentence by sentence."""

import re

import numpy as np
import pytest

from phantom.chest.reports import PROMPTS, Report, report_of
from phantom.chest.study import FINDINGS, Kind, Study, plan_studies

STEMS: dict[Kind, str] = {
    "Pneumothorax": r"pneumothora|pleural line|PTX|[Pp]leural air",
    "Effusion": r"effusion|costophrenic|pleural fluid",
    "Consolidation": r"consolidation|irspace opacit|opacification",
    "Nodule": r"nodul",
    "Cardiomegaly": r"ardiomegaly|heart is|heart\.|heart size|silhouette",
    "Atelectasis": r"telecta",
    "Edema": r"edema",
    "Hernia": r"hernia",
}
DENIED = re.compile(r"\b([Nn]o|not|[Nn]egative|[Nn]ormal|clear|sharp)\b")


@pytest.fixture(scope="module")
def written() -> list[tuple[Study, Report]]:
    studies = [study for number in range(700) for study in plan_studies(number, seed=6)]
    return [(study, report_of(study, np.random.default_rng([study.seed, 3]))) for study in studies]


def test_a_report_has_three_to_eight_sentences_that_stand_in_its_text(written: list[tuple[Study, Report]]) -> None:
    for _, report in written:
        assert 3 <= len(report.sentences) <= 8
        assert len(report.about) == len(report.sentences)
        assert " ".join(report.sentences) == report.text.replace("\n", " ")
    assert {len(report.sentences) for _, report in written} == set(range(3, 9))


def test_what_is_absent_is_only_ever_denied(written: list[tuple[Study, Report]]) -> None:
    for study, report in written:
        for kind in FINDINGS:
            for sentence in report.sentences:
                named = re.search(STEMS[kind], sentence) and "behind the heart" not in sentence
                if named and study.found(kind) is None:
                    assert DENIED.search(sentence), (kind, sentence)
                if named and study.found(kind) is not None:
                    assert not DENIED.search(sentence.replace("No acute", "")), (kind, sentence)


def test_what_is_present_is_told_but_for_a_twentieth(written: list[tuple[Study, Report]]) -> None:
    told = [finding.kind in report.about for study, report in written for finding in study.findings]
    assert 0.92 < sum(told) / len(told) < 0.98
    assert all(about is None or study.found(about) for study, report in written for about in report.about)


def test_a_sentence_names_its_finding_and_its_side(written: list[tuple[Study, Report]]) -> None:
    for study, report in written:
        for sentence, kind in zip(report.sentences, report.about, strict=True):
            finding = study.found(kind) if kind else None
            if finding is None:
                continue
            assert re.search(STEMS[finding.kind], sentence), sentence
            sides = set(re.findall(r"\b(left|right)\b", sentence.lower()))
            assert sides == ({finding.side} & {"left", "right"}), sentence


def test_sentences_read_as_english(written: list[tuple[Study, Report]]) -> None:
    for _, report in written:
        for sentence in report.sentences:
            assert sentence.endswith(".") and "{" not in sentence and "  " not in sentence, sentence
            assert re.match(r"[A-Z0-9]", sentence), sentence
            assert not re.search(
                r"\b[Aa] [aeio]|\b[Aa]n [bcdfgjklmnpqrstvwz]|\ba (small|large) \w* ?effusions", sentence
            )


def test_reports_vary(written: list[tuple[Study, Report]]) -> None:
    texts = [report.text for _, report in written]
    assert len(set(texts)) > 0.97 * len(texts)
    assert 0.25 < sum("IMPRESSION:" in text for text in texts) / len(texts) < 0.45
    assert any("___" in text for text in texts) and any(re.search(r"\d\.\d cm", text) for text in texts)


def test_there_is_a_prompt_for_every_finding() -> None:
    assert set(PROMPTS) == set(FINDINGS)
