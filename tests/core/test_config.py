"""Settings: what is refused, and what it says."""

from pathlib import Path

import pytest

from core.config import SettingError, load, names, override, read, recipes, settings_of, write
from core.settings import Config


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


def test_a_recipe_states_only_what_it_changes_of_its_base() -> None:
    base, tuned = load("blip-brain"), load("blip-brain-raw-finetune", ["optim.lr=2e-5"])
    assert tuned.select == base.select and tuned.evaluate == base.evaluate
    assert (tuned.model.init, tuned.train.scheme, tuned.optim.lr) == ("run:blip-brain-raw", "raw", 2e-5)
    assert (tuned.objective.text, tuned.optim.epochs, tuned.train.batch_size) == (0, 6, 32)


def test_a_base_may_be_a_file_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("base: demo\noptim: {lr: 0.5, steps: 7}")
    (tmp_path / "smaller.yaml").write_text("base: small.yaml\noptim: {steps: 3}")
    config = load(str(tmp_path / "smaller.yaml"))
    assert (config.optim.lr, config.optim.steps, config.model) == (0.5, 3, load("demo").model)


def test_a_base_that_is_not_there_or_leads_back_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("base: two.yaml")
    (tmp_path / "two.yaml").write_text("base: one.yaml")
    with pytest.raises(SettingError, match=r"is its own base: .*one\.yaml -> .*two\.yaml -> .*one\.yaml"):
        load(str(tmp_path / "one.yaml"))
    (tmp_path / "two.yaml").write_text("base: three")
    with pytest.raises(SettingError, match="no recipe 'three'"):
        load(str(tmp_path / "one.yaml"))


def test_recipes_hold_the_papers_numbers_and_those_of_its_logs() -> None:
    paper, logs = load("blip-brain"), load("blip-brain-logs")
    assert (paper.optim.lr, paper.optim.epochs, paper.objective.text_objective) == (1e-5, 60, "mlm")
    assert (logs.optim.lr, logs.optim.decay, logs.optim.warmup_steps, logs.optim.schedule) == (3e-5, 0.9, 300, "epochs")
    assert (logs.objective.queue, logs.objective.alpha, logs.train.batch_size) == (57_600, 0.4, 80)
    assert logs.objective.text_objective == "lm"


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


def test_a_key_that_does_not_fit_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("source: {api_key: 12345}")
    with pytest.raises(SettingError, match=r"source\.api_key: Input should be a valid string$"):
        load(str(tmp_path / "mine.yaml"))


def test_a_group_is_no_setting() -> None:
    with pytest.raises(SettingError, match="optim is a group of settings: lr, weight_decay"):
        read("optim: 3", "mine")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("source: {query: Müller}".encode("latin-1"), "line 1: it is in no encoding that figray reads"),
        (b"optim:\n\tlr: 0.1", "line 2, column 1"),
        (b"- a", "holds list, not settings by name"),
        (b"1: 2", "no setting '1'; there are seed"),
        (b"seed: 1\nseed: 2", "line 2 states 'seed' a second time"),
        (b"optim.lr: 1\noptim: {lr: 2}", "states optim.lr twice"),
        (b"select: {keyword: 010}", "select.keyword: Input should be a valid string, not 10"),
        (b"seed: 12:30", "seed: Input should be a valid integer"),
    ],
)
def test_a_recipe_that_is_none_is_one_line(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(data)
    with pytest.raises(SettingError, match=said) as refused:
        load(str(tmp_path / "mine.yaml"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_recipe_in_the_encoding_of_another_editor_is_read(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes("select: {keyword: Müller}\nseed: 010".encode(encoding))
    config = load(str(tmp_path / "mine.yaml"))
    assert (config.select.keyword, config.seed) == ("Müller", 10)


def test_a_recipe_whose_name_no_file_can_have_is_said() -> None:
    with pytest.raises(SettingError, match="recipe"):
        load("x" * 5000)
    with pytest.raises(SettingError, match="no recipe"):
        load("/")
