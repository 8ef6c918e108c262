"""Which rows leave."""

import pytest

from core.config import SettingError, override
from core.settings import Config
from core.wanted import ALL, Wanted, in_words, to_train_on, wanted

ROW = {"split": "train", "kind": "picture", "modality": "MRI", "matched_by": "letter", "licence": "CC BY", "score": 0.8}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (Wanted(), ""),
        (Wanted(modality=("mri", "CT")), ""),
        (Wanted(modality=("CT",)), "modality"),
        (Wanted(licence=("CC0",)), "licence"),
        (Wanted(matched_by=("order",)), "matched_by"),
        (Wanted(min_score=0.9), "score"),
        (Wanted(min_score=0.8), ""),
    ],
)
def test_a_row_stays_for_what_is_not_wanted_of_it(asked: Wanted, reason: str) -> None:
    assert asked.reason(ROW) == reason


def test_what_is_shown_by_permission_stays_unless_it_is_asked_for() -> None:
    row = {**ROW, "permission": "with permission of Elsevier"}
    assert Wanted().reason(row) == "permission"
    assert Wanted(reproduced=True).reason(row) == ""


def test_a_pair_with_a_flag_stays_where_its_part_says_so() -> None:
    asked = Wanted(without=frozenset(("person",)))
    assert [asked.reason({**ROW, "pair_id": name}, {"a"}) for name in "ab"] == ["flagged", ""]


def test_a_column_that_a_table_lacks_asks_nothing() -> None:
    assert Wanted(modality=("CT",), min_score=0.5).reason({"split": "train"}) == ""


def test_a_word_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingError, match="--modality MRT: there are MRI, CT"):
        wanted({"modality": "MRT"}, min_score=0, reproduced=False, known={"modality": ("MRI", "CT")})
    found = wanted({"modality": "mri, CT"}, min_score=0, reproduced=False, known={"modality": ("MRI", "CT")})
    assert found.modality == ("mri", "CT")


def test_a_training_that_asks_for_nothing_takes_all() -> None:
    assert to_train_on(Config()) == ALL and in_words(Config().train.only) == ""
    few = override(Config(), {"train.only.modality": ["MRI", "CT"], "train.only.reproduced": False})
    assert to_train_on(few) == Wanted(modality=("MRI", "CT"))
    assert in_words(few.train.only) == "modality MRI, CT; nothing shown by a third party's permission"


def test_only_columns_that_are_asked_for_are_read() -> None:
    assert Wanted(modality=("CT",), min_score=0.5).columns(["modality", "permission", "kind"]) == [
        "modality", "permission",
    ]  # fmt: skip
    assert ALL.columns(["modality", "permission"]) == []
