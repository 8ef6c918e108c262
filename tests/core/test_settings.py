"""Settings: what they refuse by themselves."""

import pytest
from pydantic import ValidationError

from core.config import UserError, load
from core.settings import ModelSettings, SplitSettings


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(ValidationError, match="nothing to train on"):
        SplitSettings(val=0.6, test=0.6)


def test_a_patch_that_does_not_tile_the_image_is_refused() -> None:
    with pytest.raises(ValidationError, match="224 does not divide by 15"):
        ModelSettings(patch=15)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(SplitSettings(), "val", 0.5)  # noqa: B010 - mypy knows that it is frozen


def test_integrity_off_is_said_as_yaml_says_it() -> None:
    assert load(None, ["mlip.integrity=off"]).mlip.integrity == "off"


def test_workers_are_a_number_or_a_least_and_a_most() -> None:
    fixed, elastic = load(None, ["train.workers=3"]).train, load(None, ["train.workers=[2, 8]"]).train
    assert (fixed.workers, fixed.least_workers, fixed.most_workers) == (3, 3, 3)
    assert (elastic.workers, elastic.least_workers, elastic.most_workers) == ((2, 8), 2, 8)
    for wrong in ("0", "[8, 2]", "[0, 2]"):
        with pytest.raises(UserError, match="the fewest and the most of them"):
            load(None, [f"train.workers={wrong}"])
