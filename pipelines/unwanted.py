"""left_out(): a pair that the settings, a licence or a person does not want, as the row that says why."""

from core.records import Pair, Reject
from core.settings import DedupeSettings, MatchSettings
from pipelines.reviews import WRONG

REPRODUCED = "select.reproduced"  # runs of before November 2026 have pairs of such figures


def left_out(pair: Pair, settings: DedupeSettings, match: MatchSettings, *, reproduced: bool) -> Reject | None:
    """Why a pair is not wanted, if it is not."""
    group, unsure = pair.duplicate_group or pair.pair_id, match.below == "left_out" and match.rule != "whole"
    faults = {
        "reviewed": (pair.reason == WRONG, WRONG),
        "permission": (
            bool(pair.permission) and not reproduced, f"{REPRODUCED} is false, and its figure says: {pair.permission}"
        ),
        f"kind_{pair.kind}": (
            pair.kind not in settings.kinds, f"a {pair.kind}; dedupe.kinds keeps {', '.join(settings.kinds)}"
        ),
        "duplicate": (
            settings.keep == "first" and not group.startswith(f"{pair.article_id}/"), f"shows the same as {group}"
        ),
        "unsure": (
            unsure and pair.score < match.min_score,
            f"a score of {pair.score:.2f} ({pair.reason}); match.min_score is {match.min_score}",
        ),
    }  # fmt: skip
    for code, (holds, message) in faults.items():
        if holds:
            return Reject(
                item_id=pair.pair_id, article_id=pair.article_id, stage="pairs", code=code, message=message
            )  # fmt: skip
    return None
