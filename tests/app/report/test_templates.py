"""Codes become words, and the templates escape what they are given."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.report.templates import MEASURES, REASONS, in_words, measure, percent, quantity, templates

ROOT = Path(__file__).resolve().parents[3]


def stated_codes() -> Iterator[str]:
    """The codes that selection returns, as its source states them."""
    source = (ROOT / "pipelines" / "sources" / "selection.py").read_text(encoding="utf-8")
    yield from re.findall(r'return "([a-z_]+)", f?"', source)


def test_every_code_of_selection_has_its_words() -> None:
    codes = set(stated_codes())
    assert len(codes) >= 5
    assert codes <= REASONS.keys()


def test_measures_of_accuracy_have_their_words() -> None:
    source = (ROOT / "phantom" / "pmc" / "accuracy.py").read_text(encoding="utf-8")
    assert set(re.findall(r'^        "([a-z0-9_]+)":', source, re.MULTILINE)) == MEASURES.keys()
    assert measure("new_measure") == "new measure"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("retracted", "the article was retracted"),
        ("http_503", "the server answered HTTP 503"),
        ("never_heard_of", "never heard of"),
        ("letter A_1 is there twice", "letter A_1 is there twice"),
    ],
)
def test_a_code_becomes_words_and_a_sentence_stays(code: str, words: str) -> None:
    assert in_words(code) == words


def test_numbers_are_written_with_their_units() -> None:
    assert percent(0.3456) == "34.6 %"
    assert quantity(12345) == "12,345"


def test_templates_escape_what_they_are_given() -> None:
    template = templates().from_string("{{ text }}")
    assert template.render(text="<b>&\"'") == "&lt;b&gt;&amp;&#34;&#39;"
