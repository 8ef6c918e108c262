"""Why a pair is left out: the first reason that holds, and none where it is wanted."""

from dataclasses import replace
from typing import Any

import pytest

from core.records import Pair
from core.settings import DedupeSettings, MatchSettings
from pipelines.reviews import WRONG
from pipelines.unwanted import left_out

DEDUPE, MATCH = DedupeSettings(), MatchSettings()
A_PAIR = Pair(
    pair_id="A/f1#0", figure_id="A/f1", article_id="A", split="train", image=b"", width=1, height=1,
    box=(0, 0, 1, 1), label=None, text="x", matched_by="letter", score=0.9, reason="", licence="CC BY", attribution="",
    media_url="", md5="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "dedupe", "match", "code"),
    [
        ({}, DEDUPE, MATCH, None),
        ({"reason": WRONG, "permission": "with permission"}, DEDUPE, MATCH, "reviewed"),
        ({"permission": "with permission"}, DEDUPE, MATCH, "permission"),
        ({"kind": "graphic"}, DEDUPE.model_copy(update={"kinds": ("picture",)}), MATCH, "kind_graphic"),
        ({"duplicate_group": "B/f1#0"}, DEDUPE.model_copy(update={"keep": "first"}), MATCH, "duplicate"),
        ({"score": 0.1}, DEDUPE, MATCH.model_copy(update={"min_score": 0.5, "below": "left_out"}), "unsure"),
    ],
)
def test_the_first_reason_is_told(
    changes: dict[str, Any], dedupe: DedupeSettings, match: MatchSettings, code: str | None
) -> None:
    found = left_out(replace(A_PAIR, **changes), dedupe, match, reproduced=False)
    assert (found.code if found else None) == code


def test_what_is_reproduced_by_permission_stays_where_it_is_asked_for() -> None:
    assert left_out(replace(A_PAIR, permission="with permission"), DEDUPE, MATCH, reproduced=True) is None
