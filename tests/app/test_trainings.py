"""What `figray train` refuses before anything starts."""

from collections.abc import Callable

import pytest

from app.trainings import train_recipe, train_sentences, train_separator
from core.config import SettingError


def test_a_recipe_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match="no recipe 'mlip-nobody'"):
        train_recipe("mlip-nobody", "runs/none", [])


@pytest.mark.parametrize("train", [train_separator, train_sentences])
def test_a_setting_that_is_none_stops_what_figray_ships(
    train: Callable[[str, list[str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with pytest.raises(SettingError, match=r"no setting 'detector\.stepps'"):
        train("runs/none", ["detector.stepps=3"])
