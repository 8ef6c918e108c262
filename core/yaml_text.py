"""YAML as people write it: in UTF-8 or UTF-16, its plain words read by YAML 1.2 and no name stated twice.

PyYAML follows YAML 1.1, where 010 is 8, 12:30 is 750, and no, off and yes are truth values. YAML 1.2 (10.3.2, the core
schema) reads 010 as 10 and the others as text; 1e-4 is a number in both of its spellings.
"""

import re
from collections.abc import Hashable
from itertools import chain
from typing import Any, ClassVar

import yaml

NULL, BOOL, INT, FLOAT, STR, MERGE = (
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "merge")
)
CORE = (  # tag, its plain words, the characters they begin with
    (NULL, re.compile(r"(?:~|null|Null|NULL|)$"), ("~", "n", "N", "")),
    (BOOL, re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), tuple("tTfF")),
    (INT, re.compile(r"[-+]?[0-9]+$"), tuple("-+0123456789")),
    (
        FLOAT,
        re.compile(r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"),
        tuple("-+.0123456789"),
    ),
    (MERGE, re.compile(r"<<$"), ("<",)),
)  # fmt: skip
DEEPEST, MOST = 40, 200_000  # folds, and values in all: a file that has more, or that holds itself, is none of ours


class YamlError(ValueError):
    """A text is not YAML that can be read; the message is one line."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # type: ignore[misc]


class _Dumper(yaml.SafeDumper):
    """Quotes what either version of YAML would read as something else than text."""


class _Texts(yaml.SafeLoader):
    """Takes every plain word for text."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # type: ignore[misc]


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    return int(loader.construct_scalar(node))


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node)).lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


def _named(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Any:
    seen: set[Any] = set()
    for key, _ in node.value:
        if key.tag == MERGE:
            continue
        name = loader.construct_object(key, deep=True)
        if isinstance(name, Hashable) and name in seen:
            raise YamlError(f"line {key.start_mark.line + 1} states {name!r} a second time")
        if isinstance(name, Hashable):
            seen.add(name)
    made: dict[Any, Any] = {}
    yield made
    made.update(loader.construct_mapping(node))


for _tag, _words, _first in CORE:
    _Loader.add_implicit_resolver(_tag, _words, list(_first))
    _Dumper.add_implicit_resolver(_tag, _words, list(_first))
_Loader.add_constructor(INT, _integer)
_Loader.add_constructor(FLOAT, _number)
_Loader.add_constructor("tag:yaml.org,2002:map", _named)


def read_yaml(data: bytes | str) -> Any:
    """What a YAML text says, in UTF-8 or UTF-16 with or without a mark where it is bytes; raises YamlError."""
    return _read(data, _Loader)


def read_texts(text: str) -> Any:
    """The same with every plain word as text: [no, 010] is two texts; raises YamlError."""
    return _read(text, _Texts)


def write_yaml(value: Any) -> str:
    """A value as YAML, its names in their order, that YAML 1.1 and 1.2 read as the same."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False)


def _read(data: bytes | str, loader: type[yaml.SafeLoader]) -> Any:
    try:
        open_text = loader(data)
        try:
            return _checked(open_text.get_single_data())
        finally:
            open_text.dispose()
    except UnicodeDecodeError as error:
        raise YamlError(_encoding(error.start, data)) from error
    except yaml.reader.ReaderError as error:
        raise YamlError(_encoding(error.position, data)) from error
    except yaml.MarkedYAMLError as error:
        place = (
            f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}: "
            if error.problem_mark
            else ""
        )
        raise YamlError(f"{place}{' '.join(str(error.problem or error.context).split())}") from error
    except RecursionError as error:
        raise YamlError("it is folded too deep") from error
    except YamlError:
        raise
    except (ValueError, TypeError, AttributeError, yaml.YAMLError) as error:  # what its own tags bring up
        raise YamlError(" ".join(str(error).split())) from error


def _encoding(place: int, data: bytes | str) -> str:
    if isinstance(data, str):
        return f"character {place + 1} may not stand in YAML"
    line = data[:place].count(b"\n") + 1
    return f"line {line}: it is in no encoding that figray reads; save it as UTF-8"


def _checked(value: Any) -> Any:
    """The value, if it is not folded without end: a part may stand in several places, and in itself."""
    found, level, depth = 0, [value], 0
    while level:
        found, depth = found + len(level), depth + 1
        if depth > DEEPEST or found > MOST:
            raise YamlError("it is folded too deep")
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = list(chain.from_iterable(inner))
    return value
