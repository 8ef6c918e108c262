"""Where each query's right candidates stand by cosine, a block of queries at a time: nowhere are N x N scores kept.

Of a pair two standings are told: any right candidate's, and that of the query's own pair alone (`strict_`). What ITM
then says of the k nearest moves only these, so that every later order follows from what is kept of a query here.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from trainers.evaluation.recall import DIRECTIONS, Standing, alike, best_correct, counts, standing, standing_of

# Scores in memory at once: 256 MB, and their comparisons. Of fewer, the comparisons would be small enough for malloc's
# heap, which they leave in pieces: 14 GB for 40,000 pairs were seen.
CELLS = 2**26
SHOWN = 5  # nearest candidates that are kept at least


class Ranked(NamedTuple):
    """N queries of one direction among C candidates, the n nearest of each kept; candidates by number."""

    query: Tensor  # (N,) its own number: of candidates, that of its pair
    nearest: Tensor  # (N, n) by falling cosine
    cosines: Tensor  # (N, n) of these
    is_right: Tensor  # (N, n) bool, which of these are right
    rights: Tensor  # (N,) candidates that are right
    best: Tensor  # (N,) cosine of the best right one
    above: Tensor  # (N,) with `wrong` and `tied` the standing of it
    wrong: Tensor
    tied: Tensor
    own: Tensor  # (N,) cosine of the query's own pair
    own_above: Tensor
    own_wrong: Tensor

    def at(self, *, strict: bool) -> Standing:
        """The standing by cosine, of any right candidate or of the own one."""
        if strict:
            return Standing(self.own_above, self.own_wrong, torch.ones_like(self.own_above))
        return Standing(self.above, self.wrong, self.tied)


class Both(NamedTuple):
    """Images that look for texts, and texts for images."""

    to_text: Ranked
    to_image: Ranked


def blocks(count: int) -> Iterator[range]:
    """The queries of a pool of so many, as many at once as memory allows."""
    size = max(1, CELLS // max(1, count))
    yield from (range(first, min(count, first + size)) for first in range(0, count, size))


@torch.inference_mode()
def ranked(block: range, queries: Tensor, candidates: Tensor, groups: Tensor, *, nearest: int) -> Ranked:
    """One block of queries. queries, candidates: (N, E) of unit length. groups: (G, N), equal numbers are right."""
    rows = slice(block.start, block.stop)
    query = torch.arange(block.start, block.stop, device=queries.device)
    scores = queries[rows] @ candidates.T  # (Q, N)
    right = alike(groups[:, rows], groups)
    own, of_right = scores.gather(1, query[:, None]), best_correct(scores, right)  # (Q, 1) each
    best = scores.topk(min(nearest, len(candidates)), dim=1)
    return Ranked(
        query,
        best.indices,
        best.values,
        right.gather(1, best.indices),
        counts(right),
        of_right[:, 0],
        *standing_of(of_right, scores, right),
        own[:, 0],
        counts(scores > own),
        counts(scores == own) - 1,
    )


def rank_all(image: Tensor, text: Tensor, groups: Tensor, *, nearest: int) -> Both:
    """All queries of both directions in this process; arguments as of ranked()."""
    sides = ((image, text), (text, image))
    found = (joined(ranked(block, *side, groups, nearest=nearest) for block in blocks(len(image))) for side in sides)
    return Both(*found)


def joined(parts: Iterable[Ranked]) -> Ranked:
    """Blocks of one direction as one, on the CPU."""
    return Ranked(*(torch.cat(columns).cpu() for columns in zip(*parts, strict=True)))


def by_cosine(both: Both) -> dict[str, Standing]:
    """The standings as recall.per_query() takes them, by cosine alone."""
    return named(lambda side, strict: both[side].at(strict=strict))


def named(of: Callable[[int, bool], Standing]) -> dict[str, Standing]:
    """Standings by the names of recall.per_query(). of: asked with the place in `Both`, and whether strict."""
    return {
        f"{'strict_' * strict}{direction}": of(side, strict)
        for strict in (False, True)
        for side, direction in enumerate(DIRECTIONS)
    }


def reordered(at: Ranked, totals: Tensor, *, strict: bool) -> Standing:
    """The standing where the k nearest are ordered by other scores, and the rest stay behind them by cosine.

    totals: (N, k), of the k nearest. Where a right candidate is among these, those behind them do not count; where
    none is, all of them stand above the best right one, with what stood between.
    """
    k = totals.shape[1]
    cosines, right = at.cosines[:, :k], _right(at, strict=strict)[:, :k]
    inside = standing(totals, right)
    best = (at.own if strict else at.best)[:, None]
    behind = at.at(strict=strict)
    behind = Standing(
        k + behind.above - (cosines > best).sum(dim=1), behind.wrong - (cosines == best).sum(dim=1), behind.right
    )
    has = right.any(dim=1)
    return Standing(*(torch.where(has, one, other) for one, other in zip(inside, behind, strict=True)))


def _right(at: Ranked, *, strict: bool) -> Tensor:
    """(N, n) bool."""
    return at.nearest == at.query[:, None] if strict else at.is_right
