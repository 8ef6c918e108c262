"""Settings from recipes, files and `--set name=value`, each checked before anything starts.

A recipe may say `base: NAME`, another recipe or a file beside it, and states then only what it changes.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from core.settings import Config


class UserError(Exception):
    """Something the user can mend: the command line prints the message alone, without a trace."""


class SettingError(UserError):
    """A setting that does not exist or does not fit; the message says which would."""


def recipes() -> list[str]:
    """The names of the recipes that come with figray."""
    return sorted(path.name.removesuffix(".yaml") for path in files("core").joinpath("recipes").iterdir())


def load(recipe: str | None = None, overrides: Sequence[str] = ()) -> Config:
    """The settings of a recipe (name or YAML file; None: the defaults), changed by "optim.lr=1e-4"; or SettingError."""
    stated = _of_recipe(recipe, ()) if recipe else {}
    return override(Config(), stated | _parse(overrides))


def read(text: str, source: str, overrides: Sequence[str] = ()) -> Config:
    """The settings that a YAML text states, changed by overrides; source names the text in errors."""
    return override(Config(), _stated(text, source) | _parse(overrides))


def write(config: Config) -> str:
    """All settings as a recipe; secrets are left out."""
    return yaml.safe_dump(config.model_dump(mode="json", exclude={"source": {"api_key"}}), sort_keys=False)


def _of_recipe(recipe: str, above: tuple[str, ...]) -> dict[str, Any]:
    """What a recipe states, by dotted name, over what the recipe it names as its `base` states."""
    if recipe in above:
        raise SettingError(f"recipe {recipe} is its own base: {' -> '.join((*above, recipe))}")
    stated = _stated(_recipe_text(recipe), f"recipe {recipe}")
    base = stated.pop("base", None)
    if base is None:
        return stated
    beside = Path(recipe).parent / str(base)
    found = str(beside) if recipe not in recipes() and beside.is_file() else str(base)
    return _of_recipe(found, (*above, recipe)) | stated


def _stated(text: str, source: str) -> dict[str, Any]:
    """Settings of a YAML text by dotted name, not checked yet."""
    try:
        stated = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingError(f"{source} is not YAML: {error}") from error
    if not isinstance(stated, dict):
        raise SettingError(f"{source} holds {type(stated).__name__}, not settings by name")
    return dict(_leaves(stated))


def _recipe_text(recipe: str) -> str:
    if recipe in recipes():
        return files("core").joinpath("recipes", f"{recipe}.yaml").read_text(encoding="utf-8")
    if Path(recipe).is_file():
        return Path(recipe).read_text(encoding="utf-8")
    raise SettingError(f"no recipe '{recipe}': neither a file nor one of {', '.join(recipes())}")


def override(config: Config, changes: Mapping[str, Any]) -> Config:
    """The settings with some changed by dotted name, or SettingError: the one door for --set, recipes and sweeps."""
    tree = config.model_dump()
    for name, value in changes.items():
        _check_name(name)
        *groups, last = name.split(".")
        place = tree
        for group in groups:
            place = place[group]
        place[last] = value
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise SettingError("; ".join(_explain(problem) for problem in error.errors())) from error


def settings_of(config: Config, *chosen: str) -> dict[str, Any]:
    """Settings by dotted name as plain values, secrets hidden: all of them, or those of the chosen groups and names."""
    every = _leaves(config.model_dump(mode="json"))
    return {
        name: value for name, value in every if not chosen or any(f"{name}.".startswith(f"{one}.") for one in chosen)
    }


def names() -> list[str]:
    """The dotted names of all settings."""
    return [name for name, _ in _leaves(Config().model_dump())]


def _parse(overrides: Sequence[str]) -> dict[str, Any]:
    changes = {}
    for text in overrides:
        name, equals, value = text.partition("=")
        if not equals:
            raise SettingError(f"--set {text}: write it as name=value, for example optim.lr=1e-4")
        changes[name.strip()] = _value(value)
    return changes


def _value(text: str) -> Any:
    """YAML's reading of a value; "1e-4" too, which YAML takes for text."""
    value = yaml.safe_load(text) if text else ""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _check_name(name: str) -> None:
    if name in names():
        return
    group = name.rpartition(".")[0]
    siblings = [other for other in names() if other.rpartition(".")[0] == group]
    near = difflib.get_close_matches(name, names(), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    if siblings:
        raise SettingError(
            f"no setting '{name}': {group} has {', '.join(s.rpartition('.')[2] for s in siblings)}{hint}"
        )
    raise SettingError(f"no setting '{name}'; there are {', '.join(Config.model_fields)}{hint}")


def _explain(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    return f"{name or 'settings'}: {problem['msg']}" + (f", not {problem['input']!r}" if name in names() else "")


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
