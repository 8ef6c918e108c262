"""Sets of prompts: those that come with figray, those of a user, and what is said of a wrong one."""

from pathlib import Path

import pytest

from core.config import UserError
from phantom.chest.reports import PROMPTS
from trainers.evaluation.prompts import Prompts, prompt_sets, read_prompts


def test_chexzero_fills_its_templates_with_the_name() -> None:
    plain = read_prompts("plain")
    assert plain.of("Pneumothorax") == Prompts(positive=("pneumothorax",), negative=("no pneumothorax",))
    assert plain.of("Pleural_Thickening") == Prompts(
        positive=("pleural thickening",), negative=("no pleural thickening",)
    )


def test_biovil_has_the_sentences_of_cxr_clip() -> None:
    found = read_prompts("biovil").of("pneumonia")
    assert found == Prompts(positive=("Findings suggesting pneumonia.",), negative=("No evidence of pneumonia",))
    assert read_prompts("biovil").of("Hernia") is None


def test_every_set_that_comes_with_figray_can_be_read() -> None:
    assert {"plain", "biovil", "phantom"} <= set(prompt_sets())
    assert all(read_prompts(name).source for name in prompt_sets())


def test_a_users_set_states_some_targets_and_templates_for_the_others(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "mine:\n  positive: ['There is {}.', '{}']\n  negative: ['No {} is seen.']\n"
        "  targets:\n    pleural effusion: {positive: [Fluid.], negative: [No fluid.]}\n"
    )
    mine = read_prompts("mine", file)
    assert mine.of("Pleural_Effusion") == Prompts(positive=("Fluid.",), negative=("No fluid.",))
    assert mine.of("Mass") == Prompts(positive=("There is mass.", "mass"), negative=("No mass is seen.",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mine: {positive: ['{}']}", "set mine: templates need both sides"),
        ("mine: {source: me}", "set mine: it has neither templates"),
        ("mine: {positive: ['a mass'], negative: ['no {}']}", "set mine: the template 'a mass' needs {} once"),
        ("mine: {targets: {Mass: {positive: [x], negative: []}}}", r"set mine, targets\.Mass\.negative: "),
        ("mine: {targets: {Mass: {positive: [x], negative: [x]}}}", "'x' stands for present and for absent"),
        ("mine: {targets: {Mass: {positive: [' '], negative: [x]}}}", r"set mine, targets\.Mass\.positive\.0: "),
        ("mine: {positives: ['{}']}", "set mine, positives: Extra inputs"),
        ("mine: [a]", "set mine: it holds list"),
        ("other: {positive: ['{}'], negative: ['no {}']}", "no set of prompts 'mine', but other"),
        ("", "no set of prompts 'mine', but none at all"),
        ("- mine", "holds list, not sets"),
        ("mine: [", "is not YAML"),
    ],
)
def test_a_wrong_file_is_named_with_the_set_and_the_reason(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_prompts("mine", tmp_path / "wrong.yaml")
    assert "wrong.yaml" in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.yaml cannot be read"):
        read_prompts("mine", tmp_path / "absent.yaml")


def test_the_phantoms_prompts_are_in_the_words_of_its_reports() -> None:
    mine = read_prompts("phantom")
    assert {name: (each.positive, each.negative) for name, each in mine.targets.items()} == PROMPTS
