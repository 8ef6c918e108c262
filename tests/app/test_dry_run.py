"""Which clause is to blame where nothing is found."""

from app.dry_run import Counted, blamed, line
from pipelines.sources.topics import Clause

TOPIC, TYPE = Clause("pubmed", "topic", "glioma"), Clause("pubmed", "case reports", '"case reports"[pt]')
WHOLE = Clause("pubmed", "together", "all")


def test_a_clause_that_finds_nothing_is_named() -> None:
    told = list(blamed([Counted(TOPIC, 0, "ESearch does not know it"), Counted(TYPE, 5)], Counted(WHOLE, 0)))
    assert told == ["nothing found, because of “topic”: ESearch does not know it"]


def test_clauses_that_find_something_alone_may_find_nothing_together() -> None:
    (told,) = blamed([Counted(TOPIC, 3), Counted(TYPE, 5)], Counted(WHOLE, 0))
    assert "nothing has all of them" in told
    assert list(blamed([Counted(TOPIC, 3)], Counted(WHOLE, 3))) == []


def test_a_long_clause_is_cut_in_its_line() -> None:
    assert line(Counted(Clause("pmc", "licences", "x" * 200), 1_000)).endswith("...")
    assert "1,000" in line(Counted(TOPIC, 1_000))
