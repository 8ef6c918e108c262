"""YAML as people write it: what plain words mean, what comes back as it was written, and one line where it is none."""

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.yaml_text import YamlError, read_texts, read_yaml, write_yaml

PRINTED = st.text(st.characters(blacklist_categories=("Cs", "Cc")))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("no", "no"), ("off", "off"), ("yes", "yes"), ("12:30", "12:30"), ("2024-01-01", "2024-01-01"),
        ("0x10", "0x10"),
        ("010", 10), ("-3", -3), ("1e-4", 1e-4), ("1E+3", 1e3), (".5", 0.5), ("1.", 1.0), ("-.inf", float("-inf")),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("'null'", "null"), ('"010"', "010"),
    ],
)  # fmt: skip
def test_plain_words_are_read_by_the_core_schema(text: str, read: Any) -> None:
    assert read_yaml(f"a: {text}") == {"a": read}


def test_a_list_of_texts_has_no_numbers() -> None:
    assert read_texts("[no, 010, '1', CC BY]") == ["no", "010", "1", "CC BY"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_that_editors_write_are_read(encoding: str) -> None:
    assert read_yaml("query: Müller".encode(encoding)) == {"query": "Müller"}


def test_a_part_may_stand_twice_and_be_merged() -> None:
    assert read_yaml("a: &one {x: 1}\nb: *one\nc: {<<: *one, y: 2}")["c"] == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: ü".encode("latin-1"), "line 1: it is in no encoding that figray reads; save it as UTF-8"),
        ("a: 1\nb: ü".encode("utf-16-le"), "in no encoding"),
        ("a:\n\tb: 1", "line 2, column 1: found character"),
        ("a: [1", "expected ',' or ']'"),
        ("{a: 1, b: 2, a: 3}", "line 1 states 'a' a second time"),
        ("a: 1\n---\nb: 2", "found another document"),
        ("a: &x {b: *x}", "folded too deep"),
        ("[" * 5000, "folded too deep"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
        ("a: !!timestamp 2020", "NoneType"),
        ("? [a]\n: 1", "found unhashable key"),
    ],
)
def test_what_is_no_yaml_is_one_line(text: bytes | str, said: str) -> None:
    with pytest.raises(YamlError, match=re.escape(said)) as refused:
        read_yaml(text)
    assert "\n" not in str(refused.value)


def test_a_file_that_grows_without_end_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(YamlError, match="folded too deep"):
        read_yaml("\n".join(lines))


@given(st.recursive(PRINTED | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none(), st.lists))
def test_what_is_written_is_read_again_by_either_version(value: Any) -> None:
    assert read_yaml(write_yaml({"a": value})) == {"a": value}
    if not isinstance(value, float) and not isinstance(value, list):
        assert yaml.safe_load(write_yaml({"a": value})) == {"a": value}


@pytest.mark.parametrize("text", ["1e5", "089", "010", "12:30", "no", "off", "null", "", "=", "<<", "1_000"])
def test_texts_that_look_like_something_else_are_quoted(text: str) -> None:
    assert read_yaml(write_yaml({"a": text})) == yaml.safe_load(write_yaml({"a": text})) == {"a": text}


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_stands_in_a_file_it_is_read_or_refused_in_a_line(data: bytes) -> None:
    try:
        read_yaml(data)
    except YamlError as error:
        assert "\n" not in str(error)
