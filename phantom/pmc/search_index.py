"""An index over a bucket, a little stale as indexes are, asked by terms: PubMed's, PMC's and Europe PMC's."""

import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lxml import etree

from pipelines.sources.known import FILTERS, PUBLICATION_TYPES, TAGS

TOKEN = re.compile(r'\(|\)|\b(?:AND|OR|NOT)\b|[A-Z_]+:"[^"]*"|"[^"]*"(?:\[[^\]]+\])?|[^\s()\[\]"]+\[[^\]]+\]|[^\s()]+')
FIRST_PMID = 30_000_000
UNLINKED = 20  # one in so many records of PubMed has no article in PMC


@dataclass(frozen=True)
class Entry:
    """What the index knows of an article."""

    number: int  # PMC9000001 is 9000001; 0: PubMed's alone
    pmid: int
    case_report: bool
    open_access: bool
    licences: frozenset[str]
    caption_words: frozenset[str]
    topic_words: frozenset[str]  # of title, abstract and headings
    year: int


def words_of(text: str) -> frozenset[str]:
    """The words of a text in small letters."""
    return frozenset(re.findall(r"[a-z0-9]+", text.lower()))


class TermError(ValueError):
    """A search term that cannot be read; the message says where."""


def read_index(bucket: Path) -> list[Entry]:
    """The newest indexed version of every article in a bucket, in order of number."""
    newest: dict[int, Entry] = {}
    for path in sorted((bucket / "metadata").glob("*.json")):
        entry = _read_entry(bucket, json.loads(path.read_text(encoding="utf-8")))
        known = newest.get(entry.number)
        newest[entry.number] = entry if known is None or entry.open_access else known
    return [newest[number] for number in sorted(newest)]


def _read_entry(bucket: Path, metadata: dict) -> Entry:
    article_id = f"{metadata['pmcid']}.{metadata['version']}"
    root = etree.parse(bucket / article_id / f"{article_id}.xml").getroot()
    number = int(metadata["pmcid"].removeprefix("PMC"))
    captions = " ".join(str(fig.xpath("string()")) for fig in root.iter("fig"))
    title, abstract = (str(root.xpath(f"string(.//{name})")) for name in ("article-title", "abstract"))
    # Indexers take some articles of other types for case reports, and remember licences that have changed since.
    stale = zlib.crc32(metadata["pmcid"].encode()) % 2 == 0
    licence = metadata["license_code"] or ""
    return Entry(
        number=number,
        pmid=int(metadata.get("pmid") or FIRST_PMID + number % 1_000_000),
        case_report=root.get("article-type") == "case-report" or stale,
        open_access=bool(metadata["is_pmc_openaccess"]),
        licences=frozenset({licence, "CC BY"} if stale else {licence}),
        caption_words=words_of(captions),
        # Indexers give every article of this corpus the heading "Brain".
        topic_words=words_of(f"brain {title} {abstract} {captions}"),
        year=int(root.findtext(".//pub-date/year") or 0),
    )


def in_pubmed(entries: Sequence[Entry]) -> list[Entry]:
    """The records of PubMed: those of the articles, and some that have no article in PMC."""
    alone = [replace(entry, number=0, pmid=entry.pmid + 5_000_000) for entry in entries[::UNLINKED]]
    return [*entries, *alone]


Test = Callable[[Entry], bool]
Known = Callable[[str], Test | None]  # the test that a word of a term stands for; None: the index does not know it


@dataclass(frozen=True)
class Answered:
    """What a term finds, and the words in it that the index does not know: then it finds nothing, as ESearch does."""

    entries: list[Entry]
    unknown: tuple[str, ...]


def find(entries: Sequence[Entry], term: str, known: Known, *, index: Sequence[Entry] | None = None) -> Answered:
    """The entries that a term selects: AND, OR, NOT from left to right, and brackets. TermError: it cannot be read.

    index: all entries, of which `entries` are some; a word that stands in none of them is not known.
    """
    index = entries if index is None else index
    tokens = TOKEN.findall(term)
    if not tokens:
        raise TermError("the term is empty")
    unknown: list[str] = []

    def test_of(word: str) -> Test:
        test = known(word)
        is_word = not word.lower().endswith(("[filter]", "[pt]", "[publication type]")) and ":" not in word
        if test is None or (is_word and not any(test(entry) for entry in index)):
            unknown.append(word)
        return test or (lambda entry: False)

    test, rest = _parse(tokens, test_of)
    if rest:
        raise TermError(f"'{rest[0]}' has no place in the term")
    return Answered([entry for entry in entries if test(entry)], tuple(unknown))


def pmc_words(word: str) -> Test | None:
    """Of PMC's terms: the filters and fields that PMC has, and no others."""
    words, field = _parted(word)
    if field == "filter" and words in FILTERS["pmc"]:
        return _access(words)
    if field == "figure/table caption":
        wanted = words_of(words)
        return lambda entry: wanted <= entry.caption_words
    return None


def pubmed_words(word: str) -> Test | None:
    """Of PubMed's terms: publication types, its filter, and words of title, abstract and headings."""
    words, field = _parted(word)
    field = TAGS.get(field, field)
    if field == "publication type" and words in PUBLICATION_TYPES:
        return lambda entry: entry.case_report
    if field == "filter" and words in FILTERS["pubmed"]:
        return lambda entry: entry.open_access
    if field in ("", "title/abstract", "mesh terms"):
        wanted = words_of(words)
        return lambda entry: wanted <= entry.topic_words
    return None


def europepmc_words(word: str) -> Test | None:
    """Of Europe PMC's terms, FIELD:"value"; it finds nothing by a field that it does not know."""
    field, _, value = word.partition(":")
    value = value.strip('"').lower()
    tests: dict[str, Test] = {
        "FIG": lambda entry: words_of(value) <= entry.caption_words,
        "PUB_TYPE": lambda entry: value in ("case reports", "case-report") and entry.case_report,
        "OPEN_ACCESS": lambda entry: entry.open_access == (value == "y"),
        "IN_PMC": lambda entry: (entry.number > 0) == (value == "y"),
        "LICENSE": lambda entry: value.upper() in entry.licences,
    }
    return tests.get(field)


def _parted(word: str) -> tuple[str, str]:
    words, _, field = word.replace('"', "").partition("[")
    return words.strip().lower(), field.rstrip("]").lower()


def _access(name: str) -> Test:
    if name == "open_access":
        return lambda entry: entry.open_access
    if name == "author_manuscript":
        return lambda entry: False  # the index has the version of record of each
    code = name.removesuffix("_license").replace("_", " ").upper()
    return lambda entry: code in entry.licences


def _parse(tokens: list[str], test_of: Callable[[str], Test]) -> tuple[Test, list[str]]:
    left, rest = _parse_one(tokens, test_of)
    while rest and rest[0] != ")":
        word = rest[0] if rest[0] in ("AND", "OR", "NOT") else "AND"
        right, rest = _parse_one(rest[1:] if rest[0] == word else rest, test_of)
        left = _combine(left, word, right)
    return left, rest


def _combine(left: Test, word: str, right: Test) -> Test:
    if word == "OR":
        return lambda entry: left(entry) or right(entry)
    if word == "NOT":
        return lambda entry: left(entry) and not right(entry)
    return lambda entry: left(entry) and right(entry)


def _parse_one(tokens: list[str], test_of: Callable[[str], Test]) -> tuple[Test, list[str]]:
    if not tokens or tokens[0] in (")", "AND", "OR"):
        raise TermError("a word is missing before " + (tokens[0] if tokens else "the end"))
    if tokens[0] == "(":
        test, rest = _parse(tokens[1:], test_of)
        if not rest:
            raise TermError("a bracket is not closed")
        return test, rest[1:]
    return test_of(tokens[0]), tokens[1:]
