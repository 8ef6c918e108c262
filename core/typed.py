"""A value as it was typed, read by the type of its setting: a text is the text, the rest is left to pydantic.

Of a text setting every character counts: `010`, `no`, `12:30`, `brain #1` and `"brain tumor"[Title]` stand as they are.
Where a setting may also have no text, `null` means none, and the word itself is typed in quotes: `"null"`.
"""

import types
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from core.yaml_text import YamlError, read_texts, read_yaml

NONE = "null"
QUOTED = {'"null"', "'null'"}


class TypedError(ValueError):
    """What was typed cannot be read as the setting's type; the message is one line."""


def read_typed(text: str, kind: Any) -> Any:
    """What was typed for a setting of a type: a text, or what pydantic makes its value of; raises TypedError."""
    if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
        raise TypedError(f"{text!r} holds bytes that are no UTF-8")
    if is_text(kind):
        if may_be_none(kind) and text == NONE:
            return None
        return text[1:-1] if may_be_none(kind) and text in QUOTED else text
    if text.strip().startswith("[") or not text:
        return _listed(text)
    try:
        return read_yaml(text)
    except YamlError:
        return text  # pydantic says what was expected instead


def type_of(settings: type[BaseModel], name: str) -> Any:
    """The type of a setting, by its dotted name; KeyError if there is none."""
    *groups, last = name.split(".")
    for group in groups:
        settings = settings.model_fields[group].annotation  # type: ignore[assignment]  # a group is a type
    return settings.model_fields[last].annotation


def is_text(kind: Any) -> bool:
    """Whether a setting takes text, or one of some words, and nothing else but none."""
    return all(
        one in (str, SecretStr, type(None))
        or (get_origin(one) is Literal and all(isinstance(word, str) for word in get_args(one)))
        for one in _choices(kind)
    )


def may_be_none(kind: Any) -> bool:
    """Whether a setting may be none."""
    return type(None) in _choices(kind)


def _choices(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _listed(text: str) -> Any:
    """A list of what was typed, each as its text; pydantic reads numbers from texts."""
    try:
        return read_texts(text) if text else ""
    except YamlError as error:
        raise TypedError(f"{text!r} is no list, as [A, B] is: {error}") from error
