"""Which rows of a table leave: by split, kind, modality, how they were matched, score, licence and permission."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from core.config import SettingError
from core.suggestions import meant


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is wanted of a table; an empty tuple wants all."""

    split: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    matched_by: tuple[str, ...] = ()
    licence: tuple[str, ...] = ()
    min_score: float = 0.0  # of the pair, 0 to 1
    reproduced: bool = False  # whether to keep what is shown by a third party's permission

    def reason(self, row: Mapping[str, Any]) -> str:
        """Why a row stays: the name of what is not wanted of it; "" where it leaves. Columns it lacks ask nothing."""
        for name in LISTS:
            asked = getattr(self, name)
            if asked and name in row and str(row[name]).lower() not in {each.lower() for each in asked}:
                return name
        if float(row.get("score", 1.0)) < self.min_score:
            return "score"
        return "permission" if row.get("permission") and not self.reproduced else ""


LISTS = tuple(field.name for field in fields(Wanted) if field.type == tuple[str, ...])
COLUMNS = (*LISTS, "score", "permission")


def wanted(
    words: Mapping[str, str], *, min_score: float, reproduced: bool, known: Mapping[str, Sequence[str]]
) -> Wanted:
    """From words as typed, "MRI,CT"; SettingError where one is none of those known."""
    found = {name: tuple(each.strip() for each in text.split(",") if each.strip()) for name, text in words.items()}
    for name, values in known.items():
        wrong = [each for each in found.get(name, ()) if each.lower() not in {value.lower() for value in values}]
        if wrong:
            raise SettingError(
                f"--{name.replace('_', '-')} {wrong[0]}: there are {', '.join(values)}{meant(wrong[0], values)}"
            )
    return Wanted(**found, min_score=min_score, reproduced=reproduced)
