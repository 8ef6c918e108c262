"""Settings: what is refused, and what it says."""

from pathlib import Path

import pytest

from app.config import SettingError, load, names, override, read, recipes, settings_of, write
from app.settings import Config


def test_an_unknown_setting_is_refused_with_the_ones_that_exist() -> None:
    with pytest.raises(
        SettingError, match=r"no setting 'optim.lrr': optim has lr, weight_decay, .* did you mean optim.lr"
    ):
        load(None, ["optim.lrr=1"])


def test_an_unknown_group_is_refused_with_the_groups_that_exist() -> None:
    with pytest.raises(SettingError, match="there are seed, source, select"):
        load(None, ["optimiser.lr=1"])


@pytest.mark.parametrize("text", ["optim.lr=fast", "optim.lr=-1", "match.rule=best", "optim.lr", "source.origin=ftp"])
def test_a_value_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=text.partition("=")[0]):
        load(None, [text])


def test_numbers_are_read_as_people_write_them() -> None:
    config = load(None, ["optim.lr=1e-4", "optim.steps=null", "select.keyword=", "select.licences=[CC0, CC BY]"])
    assert config.optim.lr == 1e-4
    assert config.optim.steps is None
    assert config.select.keyword == ""
    assert config.select.licences == ("CC0", "CC BY")


@pytest.mark.parametrize("recipe", recipes())
def test_every_recipe_loads_and_survives_being_written(recipe: str, tmp_path: Path) -> None:
    config = load(recipe)
    (tmp_path / "again.yaml").write_text(write(config))
    assert load(str(tmp_path / "again.yaml")) == config


def test_a_recipe_with_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("optim: {lrr: 1}")
    with pytest.raises(SettingError, match=r"optim\.lrr"):
        load(str(tmp_path / "mine.yaml"))
    with pytest.raises(SettingError, match="not settings by name"):
        read("- 1", "a list")


def test_every_setting_has_a_dotted_name_that_override_takes() -> None:
    values = settings_of(Config())
    assert set(values) == set(names())
    assert override(Config(), {"optim.lr": 0.5}).optim.lr == 0.5


def test_a_key_is_never_written() -> None:
    config = load(None, ["source.api_key=sesame"])
    assert "sesame" not in write(config)
    assert "sesame" not in str(settings_of(config))
