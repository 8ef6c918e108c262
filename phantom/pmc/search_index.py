"""An index over a bucket that answers PMC search terms, a little stale and lenient as indexes are."""

import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

TOKEN = re.compile(r'\(|\)|\b(?:AND|OR|NOT)\b|"[^"]*"\[[^\]]+\]|[^\s()\[\]"]+\[[^\]]+\]|[^\s()]+')


@dataclass(frozen=True)
class Entry:
    """What the index knows of an article."""

    number: int  # PMC9000001 is 9000001
    case_report: bool
    open_access: bool
    licences: frozenset[str]
    caption_words: frozenset[str]
    year: int


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
    # Indexers take some articles of other types for case reports, and remember licences that have changed since.
    stale = zlib.crc32(metadata["pmcid"].encode()) % 2 == 0
    licence = metadata["license_code"] or ""
    return Entry(
        number=number,
        case_report=root.get("article-type") == "case-report" or stale,
        open_access=bool(metadata["is_pmc_openaccess"]),
        licences=frozenset({licence, "CC BY"} if stale else {licence}),
        caption_words=frozenset(re.findall(r"[a-z0-9]+", captions.lower())),
        year=int(root.findtext(".//pub-date/year") or 0),
    )


def find(entries: Sequence[Entry], term: str) -> list[int]:
    """Numbers of the articles that a term selects: AND, OR, NOT from left to right, brackets, and [Filter] or [Field].

    Raises TermError for a term that cannot be read.
    """
    tokens = TOKEN.findall(term)
    if not tokens:
        raise TermError("the term is empty")
    test, rest = _parse(tokens)
    if rest:
        raise TermError(f"'{rest[0]}' has no place in the term")
    return [entry.number for entry in entries if test(entry)]


Test = Callable[[Entry], bool]


def _parse(tokens: list[str]) -> tuple[Test, list[str]]:
    left, rest = _parse_one(tokens)
    while rest and rest[0] != ")":
        word = rest[0] if rest[0] in ("AND", "OR", "NOT") else "AND"
        right, rest = _parse_one(rest[1:] if rest[0] == word else rest)
        left = _combine(left, word, right)
    return left, rest


def _combine(left: Test, word: str, right: Test) -> Test:
    if word == "OR":
        return lambda entry: left(entry) or right(entry)
    if word == "NOT":
        return lambda entry: left(entry) and not right(entry)
    return lambda entry: left(entry) and right(entry)


def _parse_one(tokens: list[str]) -> tuple[Test, list[str]]:
    if not tokens or tokens[0] in (")", "AND", "OR"):
        raise TermError("a word is missing before " + (tokens[0] if tokens else "the end"))
    if tokens[0] == "(":
        test, rest = _parse(tokens[1:])
        if not rest:
            raise TermError("a bracket is not closed")
        return test, rest[1:]
    return _test_for(tokens[0]), tokens[1:]


def _test_for(token: str) -> Test:
    words, _, field = token.replace('"', "").partition("[")
    field, words = field.rstrip("]").lower(), words.lower()
    if field == "filter" and words == "case reports":
        return lambda entry: entry.case_report
    if field == "filter" and words in ("open_access", "open access"):
        return lambda entry: entry.open_access
    if field == "filter" and words.endswith("_license"):
        code = words.removesuffix("_license").replace("_", " ").upper()
        return lambda entry: code in entry.licences
    if field == "figure/table caption":
        return lambda entry: all(word in entry.caption_words for word in re.findall(r"[a-z0-9]+", words))
    raise TermError(f"the phantom's index has no {token}; it has [Filter] and [Figure/Table Caption]")
