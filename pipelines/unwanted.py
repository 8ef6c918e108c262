"""left_out(): a pair that the settings, a licence or a person does not want, as the row that says why."""

from core.records import Pair, Reject
from core.settings import DedupeSettings, MatchSettings
from pipelines.reviews import WRONG

REPRODUCED = "select.reproduced"  # runs of before November 2026 have pairs of such figures


def left_out(pair: Pair, settings: DedupeSettings, match: MatchSettings, *, reproduced: bool) -> Reject | None:
    """Why a pair is not wanted, if it is not."""
    why = _why(pair, settings, match, reproduced=reproduced)
    if why is None:
        return None
    code, message = why
    return Reject(item_id=pair.pair_id, article_id=pair.article_id, stage="pairs", code=code, message=message)


def _why(pair: Pair, settings: DedupeSettings, match: MatchSettings, *, reproduced: bool) -> tuple[str, str] | None:
    if pair.reason == WRONG:
        return "reviewed", WRONG
    if pair.permission and not reproduced:
        return "permission", f"{REPRODUCED} is false, and its figure says: {pair.permission}"
    is_copy = not (pair.duplicate_group or pair.pair_id).startswith(f"{pair.article_id}/")
    if picture := unwanted_picture(pair, settings, is_copy=is_copy):
        return picture
    if match.below == "left_out" and match.rule != "whole" and pair.score < match.min_score:
        return "unsure", f"a score of {pair.score:.2f} ({pair.reason}); match.min_score is {match.min_score}"
    return None


def unwanted_picture(pair: Pair, settings: DedupeSettings, *, is_copy: bool) -> tuple[str, str] | None:
    """Code and message of a picture that dedupe does not keep. is_copy: whether another owner's comes first."""
    if pair.kind not in settings.kinds:
        return f"kind_{pair.kind}", f"a {pair.kind}; dedupe.kinds keeps {', '.join(settings.kinds)}"
    if settings.keep == "first" and is_copy:
        return "duplicate", f"shows the same as {pair.duplicate_group}"
    return None
