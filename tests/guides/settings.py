"""docs/guides/settings.md, made from core/settings: `python -m tests.guides.settings` writes it.

The words of each setting are its own comment, above the line or behind it.
"""

import ast
import json
import re
from collections.abc import Iterator
from inspect import getsourcefile
from pathlib import Path
from typing import Any

from core.config import load
from core.settings import Config
from core.settings.base import Settings
from tests.guides.page import GUIDES

PAGE = GUIDES / "settings.md"
HEAD = """# Settings

Change a setting on any command with `--set name=value`. Several may be given. A *recipe* is a file of settings:
`figray config RECIPE` prints all of one. A run keeps its settings in `config.yaml`, and later commands take them from
there. A name or a value that is not known stops the command before anything starts.

```bash
figray config blip-brain
figray collect blip-brain --topic glioma --run runs/glioma --set source.email=you@example.org --set select.min_side=128
```

`null` means "none". Lists are written as `--set "tables.readers=[1, 4]"`. The table shows the default of each setting.
A recipe may have another value. `None` in the words is `null`. Bounds stand behind the kind of value: `≥ 1`, `< 1`.

This page is made from the code (`python -m tests.guides.settings`), and a test compares it with the code.
"""
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def page() -> str:
    """The text of the page."""
    config = load(None, [])
    parts = [HEAD, "\n## For the whole run\n\n", *rows(Config, config, "", plain=True)]
    for name in Config.model_fields:
        group = getattr(config, name)
        if isinstance(group, Settings):
            parts += [
                f"\n## {name}\n\n{(type(group).__doc__ or '').strip()}\n\n",
                *rows(type(group), group, f"{name}."),
            ]
    return "".join(parts)


def rows(group: type[Settings], values: Settings, prefix: str, *, plain: bool = False) -> Iterator[str]:
    """A Markdown table of the settings of a group; plain: only those that are no groups themselves."""
    yield "| setting | default | values | what it is |\n|---|---|---|---|\n"
    source = Path(str(getsourcefile(group))).read_text(encoding="utf-8")
    for name, kind, words in declared(source, group.__name__):
        value = getattr(values, name)
        if not (plain and isinstance(value, Settings)):
            yield f"| `{prefix}{name}` | {shown(value)} | {kind} | {words} |\n"


def declared(source: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Name, kind of value and comment of each field of a class, as its source states them."""
    lines = source.splitlines()
    (made,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == name)
    for node in made.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, kind_of(node), cell(comment(lines, node))


def comment(lines: list[str], node: ast.AnnAssign) -> str:
    """The comment above a field, and the one behind it."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    above = first
    while lines[above - 1].strip().startswith("#"):
        above -= 1
    words = [line.strip().lstrip("# ") for line in lines[above:first]]
    behind = lines[last][node.end_col_offset :].partition("#")[2].strip()
    return " ".join([*words, behind]).strip()


def kind_of(node: ast.AnnAssign) -> str:
    """The values that a field takes: names of its Literal, or its type with the bounds of its Field."""
    kind = ast.unparse(node.annotation)
    bounds = [
        f"{BOUNDS[word.arg]} {ast.unparse(word.value)}"
        for word in (node.value.keywords if isinstance(node.value, ast.Call) else [])
        if word.arg in BOUNDS
    ]
    choices = re.findall(r"'([^']*)'", kind) if "Literal" in kind else []
    if choices:
        several = "any of " if kind.startswith("tuple") else ""
        other = " or a number" if re.match(r"int \|", kind) else " or true, false" if kind.startswith("bool") else ""
        empty = ", or null" if kind.endswith("| None") else ""
        return several + ", ".join(f"`{each}`" for each in choices) + other + empty
    return cell(", ".join([words_of(kind), *bounds]))


def words_of(kind: str) -> str:
    """A type in words."""
    names = {
        "str": "text", "SecretStr": "text", "int": "whole number", "float": "number", "Fraction": "share, 0 to 1",
        "bool": "true, false", "None": "null", "tuple[int, int]": "two whole numbers",
        "tuple[Fraction, ...]": "list of shares", "tuple[str, ...]": "list of text",
    }  # fmt: skip
    return " or ".join(names.get(each.strip(), each.strip()) for each in kind.split("|"))


def shown(value: Any) -> str:
    """A default, as it is typed; settings of the whole run in the first table are plain values."""
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False, default=str)
    return f"`{text.strip(chr(34)) if isinstance(value, str) else text}`"


def cell(text: str) -> str:
    """Text that stays in its cell of a Markdown table."""
    return text.replace("|", r"\|").replace("<", "&lt;").replace("*", r"\*")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
