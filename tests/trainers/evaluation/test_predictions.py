"""Rows of queries: what goes in comes out again, by a declared schema."""

import pytest
import torch

from core.records import arrow_schema
from trainers.evaluation.predictions import Answer, Asked, answers, found_by, standings, unknowing
from trainers.evaluation.ranking import by_cosine, rank_all
from trainers.evaluation.recall import per_query


def test_rows_hold_the_standings_of_every_query_and_its_nearest() -> None:
    generator = torch.Generator().manual_seed(0)
    image, text = (torch.randint(-2, 3, (9, 3), generator=generator).float() for _ in range(2))
    both = rank_all(image, text, torch.tensor([[0, 0, 1, 2, 3, 4, 5, 6, 7]]), nearest=5)
    at = by_cosine(both)
    rows = answers(
        Asked(pair_ids=list("abcdefghi"), article_ids=list("AABBCCDDE"), modalities=["CT"] * 9),
        at,
        at,
        rights=[each.rights for each in both],
        best=[(each.nearest, each.cosines) for each in both],
    )
    assert rows.schema == arrow_schema(Answer)
    for judge in ("", "itc_"):
        found = standings(rows, judge)
        assert {name: [part.tolist() for part in each] for name, each in found.items()} == {
            name: [part.tolist() for part in each] for name, each in at.items()
        }
    by_query = found_by(rows)
    assert by_query["itc_strict_t2i_rank"].tolist() == per_query(at)["strict_t2i_rank"].tolist()
    assert rows["rank"].to_pylist()[:9] == per_query(at)["i2t_rank"].tolist()
    first = rows.to_pylist()[0]
    assert first["nearest"] == ["abcdefghi"[place] for place in both.to_text.nearest[0].tolist()]
    assert per_query(unknowing(rows))["i2t@1"].tolist()[:3] == pytest.approx([2 / 9, 2 / 9, 1 / 9])
