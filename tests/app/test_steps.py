"""Steps: the settings a run is begun with, and what each needs."""

from pathlib import Path

import pytest

from app import steps
from app.csv_text import as_csv
from core.config import SettingError, UserError, load, override
from core.places import Place
from core.records import Figure
from core.runs import RunConflict, claim
from core.settings import Config


def test_a_run_goes_on_with_the_settings_it_was_begun_with(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    with steps.opened(run, "blip-brain", ["seed=7"]):
        pass
    with steps.opened(run, None, ["optim.lr=0.5"]) as config:
        assert (config.seed, config.optim.lr, config.select.article_types) == (7, 0.5, ("case-report",))
    with steps.opened(run, None, []) as config:
        assert config.optim.lr == 0.5


def test_settings_of_a_step_that_failed_are_not_kept(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    with steps.opened(run, None, []):
        pass
    with pytest.raises(ZeroDivisionError), steps.opened(run, None, ["seed=9"]):
        raise ZeroDivisionError
    with steps.opened(run, None, []) as config:
        assert config.seed == 0


def test_a_run_that_could_not_begin_is_forgotten_and_one_that_did_is_not(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    with pytest.raises(UserError), steps.opened(run, None, ["seed=9"]), steps.timed(run, "collect"):
        raise UserError("no articles")
    assert run.names() == []
    with pytest.raises(UserError), steps.opened(run, None, ["seed=9"]):
        (run / "figures" / "settings.json").write_json({})
        raise UserError("later")
    assert run.names() == ["config.yaml", "figures", "version.json"]


def test_a_wrong_setting_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingError), steps.opened(Place.at(tmp_path / "run"), None, ["sed=9"]):
        pass
    assert not (tmp_path / "run").exists()


def test_a_step_before_its_table_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(RunConflict, match="`figray collect` makes figures"):
        steps.table(Place.at(tmp_path), "figures", Figure)


def test_a_model_begins_from_another_of_the_same_run(tmp_path: Path) -> None:
    run, config = Place.at(tmp_path), override(Config(), {"model.init": "run:processed"})
    with pytest.raises(RunConflict, match="no model processed yet; `figray train processed` makes it"):
        steps.begun_from(config, run)
    (run / "models" / "processed" / "checkpoint" / "config.json").write_json({})  # of a folder that is whole
    assert steps.begun_from(config, run).model.init == str(tmp_path / "models" / "processed" / "checkpoint")
    published = override(Config(), {"model.init": "hf:a/b"})
    assert steps.begun_from(published, run) == published


def test_a_caption_cannot_become_a_formula_in_a_spreadsheet() -> None:
    text = as_csv([{"item_id": "=1+1", "message": "a, b", "value": -0.5}]).decode()
    assert as_csv([{"a": 1}, {"b": 2}]).decode().split() == ["a,b", "1,", ",2"]
    assert text.splitlines() == ["item_id,message,value", '\'=1+1,"a, b",-0.5']


def test_a_model_is_shaped_by_the_settings_of_its_own_objective() -> None:
    blip, mlip = steps.shaping(load("blip-brain")), steps.shaping(load("mlip-cxr"))
    assert "objective.itc" in blip and not any(name.startswith("mlip.") for name in blip)
    assert "mlip.mask_ratio" in mlip and "objective.itc" not in mlip
    assert (blip["objective.name"], mlip["objective.name"]) == ("blip", "mlip")
    assert steps.shaping(override(load("blip-brain"), {"mlip.spm": 0.5})) == blip


def test_a_model_older_than_a_setting_was_made_with_its_default(tmp_path: Path) -> None:
    model, now = Place.at(tmp_path), steps.shaping(Config())
    claim(model, {name: value for name, value in now.items() if name not in ("optim.beta2", "model.text_pool")})
    claim(model, now, before=now)
    with pytest.raises(RunConflict, match=r"optim.beta2 was 0.999, now 0.9\b"):
        claim(model, steps.shaping(override(Config(), {"optim.beta2": 0.9})), before=now)
