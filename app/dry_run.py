"""figray collect --dry-run: what the indexes would be asked, what each clause finds, and what collecting would take."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.plan.inputs import assumptions, measured, numbers_at, paid_for, read_prices, read_rates, this_machine
from app.plan.nodes import paid, placed
from app.plan.stations import collecting, corpus_of
from core.config import UserError
from core.settings import Config
from pipelines.sources.articles import refuse_unnamed
from pipelines.sources.pmc import open_transport
from pipelines.sources.topics import Clause, clauses_of, keyword_of, query_of
from pipelines.sources.transport import FetchError, Transport
from pipelines.sources.ways import count

LONGEST = 76  # characters of a clause in a line


@dataclass(frozen=True)
class Counted:
    """What one clause finds alone, or all of one index together; `why` says why it is nothing."""

    clause: Clause
    found: int
    why: str = ""


def dry_run(config: Config) -> Iterator[str]:
    """Lines for a person: queries, counts, and what may be expected; UserError where nothing can be asked."""
    source, select = config.source, config.select
    if source.origin != "pmc":
        raise UserError(f"--dry-run asks an index, and {source.origin} has none: its articles are all taken")
    refuse_unnamed(source)
    transport = open_transport(source)
    clauses = clauses_of(source, select)
    most: list[int] = []
    yield f"index: {source.index}; keyword in the captions: {keyword_of(select, source) or 'any'}"
    for index in dict.fromkeys(clause.index for clause in clauses):
        own = [clause for clause in clauses if clause.index == index]
        parts = [counted(config, transport, clause) for clause in own]
        whole = counted(config, transport, Clause(index, "together", query_of(own)))
        yield from (line(each) for each in (*parts, whole))
        yield from blamed(parts, whole)
        most.append(whole.found)
    yield from expected(config, min(most))


def counted(config: Config, transport: Transport, clause: Clause) -> Counted:
    """One count; names that the index does not know count as nothing found. UserError where there is no answer."""
    try:
        return Counted(clause, count(config.source, transport, clause))
    except FetchError as error:
        if error.code == "esearch_query":
            return Counted(clause, 0, error.message)
        raise UserError(f"{clause.index} does not answer: {error.message}") from error


def line(counted: Counted) -> str:
    """A clause with its count."""
    clause = counted.clause
    text = (
        clause.text if len(clause.text) <= LONGEST or clause.name == "together" else f"{clause.text[: LONGEST - 3]}..."
    )
    return f"{clause.index:10}{clause.name:14}{counted.found:>12,}  {text}"


def blamed(parts: list[Counted], whole: Counted) -> Iterator[str]:
    """Which clause is to blame where an index finds nothing."""
    if whole.found:
        return
    empty = [each for each in parts if not each.found]
    for each in empty:
        yield f"nothing found, because of “{each.clause.name}”: {each.why or each.clause.text}"
    if not empty:
        yield f"nothing found: each clause of {whole.clause.index} finds something alone, and nothing has all of them"


def expected(config: Config, articles: int) -> Iterator[str]:
    """Articles, figures, gigabytes and minutes that collecting would take at most."""
    articles = min(articles, config.source.max_articles or articles)
    ranges = assumptions() | paid_for(read_prices(None))
    rates, here = read_rates(None)
    ranges |= measured(config, rates, here=here, pieces=ranges["text_pieces"].value)
    figures = articles * ranges["figures_per_article"].value
    yield (
        f"expected: at most {articles:,} articles, {figures:,.0f} figures, "
        f"{figures * ranges['figure_bytes'].value / 1e9:,.2f} GB"
    )
    if articles:
        numbers, machines = numbers_at(ranges, "value"), this_machine(config)
        work = collecting(config, corpus_of(config, articles, numbers), numbers)
        hours = paid(work.name, (work.items, work.unit), placed(work, machines.cpu, numbers), machines, numbers).hours
        yield f"collecting takes about {max(1, 60 * hours):,.0f} minutes on this machine; nothing was fetched"
