"""Search spaces: what they draw from, and what is refused before anything starts."""

from pathlib import Path

import pytest

from core.config import SettingError, load, override
from core.settings import Config
from tuning.spaces import Range, SpaceError, as_plain, named_spaces, read_space, refuse

RECIPES = ("demo", "blip-brain", "mlip-phantom", "mlip-cxr")


def stated(tmp_path: Path, text: str) -> str:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", ["masking", "weights", "contrast", "optim"])
def test_every_named_space_fits_both_objectives(name: str, recipe: str) -> None:
    config = load(recipe)
    space = read_space(name, config)
    assert space and all(not setting.startswith("mlip.") for setting in space if config.objective.name == "blip")
    for setting, found in space.items():
        for value in found.values:
            override(config, {setting: value})


def test_the_weights_are_those_of_the_objectives_sum() -> None:
    assert read_space("weights", load("demo")).keys() == {"objective.itc", "objective.itm", "objective.text"}
    lambdas = {"mlip.v2t", "mlip.t2v", "mlip.spm", "mlip.mip"}  # MLIP, eq. 10
    assert read_space("weights", load("mlip-phantom")).keys() == lambdas


def test_a_file_of_ones_own_is_read_as_settings_are(tmp_path: Path) -> None:
    text = "optim.lr: {log_uniform: [1e-5, 1e-3]}\nobjective.queue: {choice: [0, null]}\noptim.beta2: {choice: [9e-1]}"
    space = read_space(stated(tmp_path, text + "\noptim.warmup_steps: {int: [0, 50]}"), Config())
    assert as_plain(space) == {
        "optim.lr": {"log_uniform": [1e-5, 1e-3]},
        "objective.queue": {"choice": [0, None]},
        "optim.beta2": {"choice": [0.9]},  # YAML takes 9e-1 for text
        "optim.warmup_steps": {"int": [0, 50]},
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("optim.lrr: {uniform: [0.1, 1]}", r"no setting 'optim\.lrr'.*did you mean optim\.lr\?"),
        ("optim.lr: {uniform: [-1, 1]}", r"optim\.lr: Input should be greater than 0, not -1"),
        ("mlip.mask_ratio: {uniform: [0, 1]}", r"mlip\.mask_ratio: Input should be less than 1"),
        ("optim.schedule: {choice: [cosine, step]}", r"optim\.schedule: Input should be 'cosine', .* not 'step'"),
        ("train.batch_size: {uniform: [8, 64]}", r"train\.batch_size: Input should be a valid integer"),
        ("optim.lr: {uniform: [1, 1]}", "from 1 to 1 there is no range"),
        ("optim.lr: {uniform: [1, .inf]}", "from 1 to inf there is no range"),
        ("optim.lr: {log_uniform: [0, 1]}", "a logarithm begins above 0, not at 0"),
        ("optim.lr: {choice: []}", "choice: .* at least 1 item"),
        ("optim.lr: {normal: [0, 1]}", "no range 'normal': it is one of choice, uniform, log_uniform, int, log_int"),
        ("optim.lr: {uniform: [0.1, 1], choice: [1]}", "it is one of choice"),
        ("optim.lr: {uniform: [0.1]}", "uniform: "),
        ("optim.lr: {}", "it is one of choice"),
        ("optim.lr: 1e-3", r"write a range, such as \{uniform: \[0, 1\]\}, not 0.001"),
        ("optim.epochs: {choice: [1, 2]}", "equally many steps"),
        ("train.workers: {choice: [1, 2]}", "it makes no model another"),
        ("- optim.lr", "holds no ranges"),
        ("{}", "holds no ranges"),
        ("a: [", "is not YAML"),
    ],
)
def test_what_no_trial_could_take_is_refused_with_its_place(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=reason) as refused:
        read_space(stated(tmp_path, text), Config())
    assert "mine.yaml" in str(refused.value)


def test_a_space_that_is_none_is_told_which_there_are() -> None:
    with pytest.raises(SpaceError, match=f"no space 'all': neither a file nor one of {', '.join(named_spaces())}"):
        read_space("all", Config())


def test_a_value_beyond_a_range_becomes_its_end_and_a_choice_stays() -> None:
    assert [Range(uniform=(0.1, 0.5)).clamped(value) for value in (0.0, 0.3, 9.0)] == [0.1, 0.3, 0.5]
    assert Range(choice=("a", "b")).clamped("b") == "b"


@pytest.mark.parametrize(
    ("changes", "setting", "reason"),
    [
        ({"train.workers": 2}, "optim.lr", r"an inline trial is one; set it to 1"),
        ({"sweep.scheduler": "pbt", "sweep.executor": "ray_train"}, "optim.lr", "has to be inline"),
        ({"sweep.scheduler": "pbt"}, "train.batch_size", r"of train\.batch_size none can be; there are optim\.lr"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, object], setting: str, reason: str) -> None:
    with pytest.raises(SettingError, match=reason):
        refuse(override(Config(), changes), {setting: Range(choice=(16,))})
    refuse(Config(), {setting: Range(choice=(16,))})
