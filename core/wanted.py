"""Which rows of a table are wanted: by split, kind, modality, how they were matched, score, licence and permission.

Exports and trainings ask by the same names. A column that a table lacks asks nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from core.config import SettingError
from core.settings import Config, OnlySettings
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
    without: frozenset[str] = frozenset()  # names of flags: what was seen on the images of pairs that stay

    def reason(self, row: Mapping[str, Any], flagged: Collection[str] = ()) -> str:
        """Why a row stays: the name of what is not wanted of it; "" where it leaves. Columns it lacks ask nothing.

        flagged: the pairs of the row's part that have one of the flags of `without`.
        """
        for name in LISTS:
            asked = getattr(self, name)
            if asked and name in row and str(row[name]).lower() not in {each.lower() for each in asked}:
                return name
        if float(row.get("score", 1.0)) < self.min_score:
            return "score"
        if row.get("pair_id") in flagged:
            return "flagged"
        return "permission" if row.get("permission") and not self.reproduced else ""

    def columns(self, there: Collection[str]) -> list[str]:
        """Of the columns that a table has those that are asked for something, in a settled order."""
        asked = {name for name in LISTS if getattr(self, name)}
        asked |= {"score"} if self.min_score else set()
        asked |= set() if self.reproduced else {"permission"}
        return [name for name in COLUMNS if name in asked and name in there]


LISTS = tuple(field.name for field in fields(Wanted) if field.type == tuple[str, ...])
COLUMNS = (*LISTS, "score", "permission")
ALL = Wanted(reproduced=True)  # every row


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
    return Wanted(min_score=min_score, reproduced=reproduced, **found)  # type: ignore[arg-type]  # fields of LISTS


def to_train_on(config: Config) -> Wanted:
    """What train.only asks for; ALL where it asks for nothing."""
    return Wanted(**config.train.only.model_dump())


def in_words(only: OnlySettings) -> str:
    """What a training was restricted to, "modality MRI, CT; score from 0.8"; "" where to nothing."""
    told = [f"{name.replace('_', ' ')} {', '.join(asked)}" for name in LISTS if (asked := getattr(only, name, ()))]
    told += [f"score from {only.min_score:g}"] if only.min_score else []
    told += [] if only.reproduced else ["nothing shown by a third party's permission"]
    return "; ".join(told)
