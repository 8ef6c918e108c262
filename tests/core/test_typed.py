"""Settings as they are typed: a text is the text, whatever it looks like."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.config import SettingError, load, names, read, write
from core.settings import Config
from core.typed import TypedError, is_text, may_be_none, read_typed, type_of

TEXTS = [name for name in names() if is_text(type_of(Config, name))]
PLAIN = [name for name in TEXTS if type_of(Config, name) in (str, str | None) and name != "source.origin"]


def value(config: Any, name: str) -> Any:
    for part in name.split("."):
        config = getattr(config, part)
    return config


@pytest.mark.parametrize(
    "typed",
    ['"brain tumor"[Title] AND case reports[pt]', "brain #1", "010", "no", "12:30", "[a, b]", "{a: 1}", "- a",
     "*a", "a: b", "1e5", "!x", "%", "@a", "'half", '"', " two  blanks ", "2024-01-01", "~", "", "Müller, ü"],
)  # fmt: skip
def test_a_text_is_what_was_typed(typed: str) -> None:
    config = load(None, [f"source.query={typed}", f"select.keyword={typed}"])
    assert (config.source.query, config.select.keyword) == (typed, typed)
    assert read(write(config), "the run") == config


@pytest.mark.parametrize("name", PLAIN)
@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20))
def test_every_text_setting_takes_every_text(name: str, typed: str) -> None:
    if typed != "null":
        assert read_typed(typed, type_of(Config, name)) == typed or typed in {"'null'", '"null"'}


@pytest.mark.parametrize("name", [name for name in TEXTS if may_be_none(type_of(Config, name))])
def test_null_is_none_where_there_may_be_no_text_and_the_word_in_quotes(name: str) -> None:
    kind = type_of(Config, name)
    assert read_typed("null", kind) is None
    assert read_typed('"null"', kind) == read_typed("'null'", kind) == "null"
    assert read_typed('"x"', kind) == '"x"'


def test_words_of_a_choice_are_words() -> None:
    config = load(None, ["mlip.integrity=off", "sweep.scheduler=none", "model.text_pool=null"])
    assert (config.mlip.integrity, config.sweep.scheduler, config.model.text_pool) == ("off", "none", None)


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        ("seed=010", 10), ("seed=1e3", 1000), ("seed=-3", -3), ("optim.lr=1e-4", 1e-4), ("optim.steps=null", None),
        ("train.gpu=yes", True), ("train.gpu=off", False), ("train.gpu=TRUE", True),
        ("tables.readers=[1,256]", (1, 256)),
        ("select.article_types=null", None), ("select.article_types=[010, no]", ("010", "no")),
        ("select.licences=['CC BY', CC0]", ("CC BY", "CC0")), ("probe.shares=[0.1, 1e-2]", (0.1, 0.01)),
        ("train.trackers=[]", ()), ("source.api_key=010", SecretStr("010")),
    ],
)  # fmt: skip
def test_the_rest_is_read_by_its_type(stated: str, read: Any) -> None:
    assert value(load(None, [stated]), stated.partition("=")[0]) == read


@pytest.mark.parametrize(
    "stated",
    ["seed=12:30", "seed=0x10", "seed=", "seed=[1", "seed={a: 1}", "optim.lr=1,5", "optim.lr=nan", "train.gpu=perhaps",
     "tables.readers=1,256", "tables.readers=[1,256", "select.licences=CC0", "optim=3", "optim.steps=None",
     "source.query=\udcff", "source.email=\udcff", "mlip.integrity=False", "a.b.c=1", "=1", "seed.x=1"],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(stated: str) -> None:
    with pytest.raises(SettingError) as refused:
        load(None, [stated])
    assert "\n" not in str(refused.value)


def test_a_list_that_is_none_says_how_one_is_written() -> None:
    with pytest.raises(TypedError, match=r"'\[1' is no list, as \[A, B\] is"):
        read_typed("[1", tuple[int, int])


def test_a_setting_that_is_not_there_has_no_type() -> None:
    with pytest.raises(KeyError):
        type_of(Config, "optim.lrr")
