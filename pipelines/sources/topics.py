"""A topic in a word to the queries of each index, clause by clause."""

import re
from dataclasses import dataclass

from core.settings import SelectSettings, SourceSettings
from pipelines.sources.known import LICENCES


@dataclass(frozen=True)
class Clause:
    """One condition of a query: where it is asked, what it is for, and its text."""

    index: str  # pubmed, pmc or europepmc
    name: str
    text: str


def terms(topic: str) -> tuple[str, ...]:
    """The words or phrases of a topic, without quotes and field tags: 'glioma OR "brain tumor"[mh]' -> two."""
    parts = re.split(r"\s+OR\s+", topic.strip())
    bare = (re.sub(r"\[[^\]]*\]", "", part).strip().strip('"()').strip() for part in parts)
    return tuple(dict.fromkeys(part for part in bare if part))


def keyword_of(select: SelectSettings, source: SourceSettings) -> str:
    """What a caption has to hold: as set, else the topic; a bucket named by the user has no topic, but its word."""
    return source.topic if select.keyword is None else select.keyword


def query_of(clauses: list[Clause]) -> str:
    """One query of several clauses, all of which have to hold."""
    return " AND ".join(f"({clause.text})" if " OR " in clause.text else clause.text for clause in clauses)


def pubmed_clauses(source: SourceSettings, select: SelectSettings) -> list[Clause]:
    """What PubMed is asked: the topic as PubMed maps words to MeSH, the publication type, and that PMC has it open.

    Authors' manuscripts are not in the open subset: where they are wanted the links alone tell what PMC has.
    """
    if source.query is not None:
        return [Clause("pubmed", "your query", source.query)]
    return [
        Clause(
            "pubmed", "topic", source.topic if "[" in source.topic else " OR ".join(map(_phrase, terms(source.topic)))
        ),
        Clause("pubmed", "case reports", '"case reports"[pt]'),
        *([] if select.manuscripts else [Clause("pubmed", "open in PMC", '"pubmed pmc open access"[filter]')]),
    ]


def pmc_clauses(source: SourceSettings, select: SelectSettings) -> list[Clause]:
    """What PMC is asked: the word in a caption, open access, and the licences."""
    if source.index == "pmc" and source.query is not None:
        return [Clause("pmc", "your query", source.query)]
    licences = " OR ".join(f"{LICENCES[name][0]}[Filter]" for name in _known(select))
    captions = [Clause("pmc", "caption", text) for text in _captions(source, select, "{}[Figure/Table Caption]")]
    if select.manuscripts:
        access = f"(open_access[Filter] AND ({licences}))" if licences else "open_access[Filter]"
        return [*captions, Clause("pmc", "access", f"{access} OR author_manuscript[Filter]")]
    return [
        *captions,
        Clause("pmc", "open access", "open_access[Filter]"),
        *([Clause("pmc", "licences", licences)] if licences else []),
    ]


def europepmc_clauses(source: SourceSettings, select: SelectSettings) -> list[Clause]:
    """What Europe PMC is asked: caption, type, open access and licence in one query."""
    if source.query is not None:
        return [Clause("europepmc", "your query", source.query)]
    licences = [f'LICENSE:"{LICENCES[name][1]}"' for name in _known(select)]
    return [
        *(Clause("europepmc", "caption", text) for text in _captions(source, select, "FIG:{}", always_quoted=True)),
        Clause("europepmc", "case reports", 'PUB_TYPE:"Case Reports" OR PUB_TYPE:"case-report"'),
        Clause("europepmc", "open access", "OPEN_ACCESS:y"),
        Clause("europepmc", "in PMC", "IN_PMC:y"),
        *([Clause("europepmc", "licences", " OR ".join(licences))] if licences else []),
    ]


def clauses_of(source: SourceSettings, select: SelectSettings) -> list[Clause]:
    """Every clause that these settings ask by, PubMed's before PMC's."""
    if source.index == "europepmc":
        return europepmc_clauses(source, select)
    return [*(pubmed_clauses(source, select) if source.index == "pubmed" else []), *pmc_clauses(source, select)]


def _captions(source: SourceSettings, select: SelectSettings, form: str, *, always_quoted: bool = False) -> list[str]:
    """The clause of the caption, none where every caption is kept."""
    words = terms(keyword_of(select, source))
    quoted = [f'"{word}"' if always_quoted else _phrase(word) for word in words]
    return [" OR ".join(form.format(word) for word in quoted)] if words else []


def _phrase(word: str) -> str:
    return f'"{word}"' if " " in word else word


def _known(select: SelectSettings) -> list[str]:
    """The licences that the services can be asked for; none where one is wanted that they do not know."""
    names = [name.strip().upper() for name in select.licences if name.strip().upper() != "TDM"]  # manuscripts'
    return names if all(name in LICENCES for name in names) else []
