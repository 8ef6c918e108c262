"""Settings from recipes, files and `--set name=value`, each checked before anything starts.

A recipe may say `base: NAME`, another recipe or a file beside it, and states then only what it changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr, ValidationError

from core.rejection import UserError as UserError  # its place for all that read settings
from core.secret_text import first_word, secret_of
from core.settings import Config
from core.suggestions import meant
from core.typed import TypedError, read_typed, type_of
from core.yaml_text import YamlError, read_yaml, write_yaml


class SettingError(UserError):
    """A setting that does not exist or does not fit; the message says which would."""


def recipes() -> list[str]:
    """The names of the recipes that come with figray."""
    return sorted(path.name.removesuffix(".yaml") for path in files("core").joinpath("recipes").iterdir())


def load(recipe: str | None = None, overrides: Sequence[str] = ()) -> Config:
    """The settings of a recipe (name or YAML file; None: the defaults), changed by "optim.lr=1e-4"; or SettingError."""
    stated = _of_recipe(recipe, ()) if recipe else {}
    return override(Config(), stated | _parse(overrides))


def read(text: str | bytes, source: str, overrides: Sequence[str] = ()) -> Config:
    """The settings that a YAML text states, changed by overrides; source names the text in errors."""
    return override(Config(), _stated(text, source) | _parse(overrides))


def write(config: Config) -> str:
    """All settings as a recipe; secrets are left out."""
    return write_yaml(config.model_dump(mode="json", exclude={"source": {"api_key"}}))


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


def _stated(text: str | bytes, source: str) -> dict[str, Any]:
    """Settings of a YAML text by dotted name, not checked yet."""
    try:
        stated = read_yaml(text)
    except YamlError as error:
        raise SettingError(f"{source} is not YAML: {error}") from error
    if stated is None:
        return {}
    if not isinstance(stated, dict):
        raise SettingError(f"{source} holds {type(stated).__name__}, not settings by name")
    found: dict[str, Any] = {}
    for name, value in _leaves(stated):
        if name in found:
            raise SettingError(f"{source} states {name} twice")
        found[name] = value
    return found


def _recipe_text(recipe: str) -> bytes:
    if recipe in recipes():
        return files("core").joinpath("recipes", f"{recipe}.yaml").read_bytes()
    try:
        if Path(recipe).is_file():
            return Path(recipe).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: no name of a file at all
        raise SettingError(f"recipe {recipe} cannot be read: {error}") from error
    like = meant(recipe, recipes())
    raise SettingError(
        f"no recipe '{recipe}': neither a file nor one of {f'ours{like}' if like else ', '.join(recipes())}"
    )


def override(config: Config, changes: Mapping[str, Any]) -> Config:
    """The settings with some changed by dotted name, or SettingError: the one door for --set, recipes and sweeps."""
    tree = config.model_dump()
    for name, value in changes.items():
        _check_name(name)
        _refuse_secret(name, value)
        *groups, last = name.split(".")
        place = tree
        for group in groups:
            place = place[group]
        place[last] = value
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise SettingError("; ".join(_explain(problem) for problem in error.errors())) from error


def _refuse_secret(name: str, value: Any) -> None:
    """Raise SettingError, without the value, where an address holds what nobody must see."""
    found = secret_of(value) if isinstance(value, str) else ""
    if found:
        raise SettingError(
            f"{name}: {found} stands in no address, for settings are shown and kept; keys stand in the environment, "
            "NCBI's as NCBI_API_KEY"
        )


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
    """Settings by dotted name from "name=value" as it was typed."""
    changes = {}
    for stated in overrides:
        name, equals, text = stated.partition("=")
        if not equals:
            raise SettingError(f"--set {first_word(stated)}: write it as name=value, for example optim.lr=1e-4")
        name = name.strip()
        _check_name(name)
        try:
            changes[name] = read_typed(text, type_of(Config, name))
        except TypedError as error:
            raise SettingError(f"{name}: {error}") from error
    return changes


def _check_name(name: str) -> None:
    if name in names():
        return
    inner = [other.removeprefix(f"{name}.") for other in names() if other.startswith(f"{name}.")]
    if inner:
        raise SettingError(f"{name} is a group of settings: {', '.join(inner)}")
    group = name.rpartition(".")[0]
    siblings = [other for other in names() if other.rpartition(".")[0] == group]
    hint = meant(name, names())
    if group and siblings:
        raise SettingError(
            f"no setting '{name}': {group} has {', '.join(s.rpartition('.')[2] for s in siblings)}{hint}"
        )
    raise SettingError(f"no setting '{name}'; there are {', '.join(Config.model_fields)}{hint}")


def _explain(problem: Any) -> str:
    """What is wrong with a setting, in words; of a secret not its value."""
    name = ".".join(str(part) for part in problem["loc"])
    shown = name in names() and SecretStr not in (kind := type_of(Config, name), *get_args(kind))
    said = " ".join(str(problem["msg"]).split())
    return f"{name or 'settings'}: {said}" + (f", not {problem['input']!r}" if shown else "")


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
