"""Prompts for zero-shot classification, as named sets in YAML files (CheXzero, BioViL; prompts.yaml has them)."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from core.config import UserError
from core.yaml_text import YamlError, read_yaml

OURS = "prompts.yaml"

Prompt = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Prompts(BaseModel):
    """What says that a target is present, and what that it is absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    positive: tuple[Prompt, ...] = Field(min_length=1)
    negative: tuple[Prompt, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _sides_differ(self) -> "Prompts":
        both = set(self.positive) & set(self.negative)
        if both:
            raise ValueError(f"{sorted(both)[0]!r} stands for present and for absent")
        return self


class PromptSet(BaseModel):
    """Prompts for some targets, or for any: `positive` and `negative` are templates in which {} is the target."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: str = ""
    positive: tuple[Prompt, ...] = ()
    negative: tuple[Prompt, ...] = ()
    targets: dict[str, Prompts] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> "PromptSet":
        if bool(self.positive) != bool(self.negative):
            raise ValueError("templates need both sides, positive and negative")
        if not self.positive and not self.targets:
            raise ValueError("it has neither templates, positive and negative, nor targets")
        wrong = [template for template in self.positive + self.negative if template.count("{}") != 1]
        if wrong:
            raise ValueError(f"the template {wrong[0]!r} needs {{}} once, where the target's name goes")
        return self

    def of(self, target: str) -> Prompts | None:
        """The prompts for a target, found whatever its case and underscores, or made by the templates; or None.

        Templates get the name in lower case, as reports write it: "Pleural_Thickening" is "no pleural thickening".
        """
        named = {_plain(name): prompts for name, prompts in self.targets.items()}
        if _plain(target) in named:
            return named[_plain(target)]
        if not self.positive:
            return None
        sides = {"positive": self.positive, "negative": self.negative}
        return Prompts(**{side: tuple(t.replace("{}", _plain(target)) for t in each) for side, each in sides.items()})


def read_prompts(name: str, file: str | Path | None = None) -> PromptSet:
    """A set by its name from a file; None: from the one that comes with figray. Raises UserError, naming both."""
    source, sets = _read(file)
    if name not in sets:
        raise UserError(f"{source} has no set of prompts '{name}', but {', '.join(map(str, sets)) or 'none at all'}")
    stated = sets[name]
    if not isinstance(stated, dict):
        raise UserError(f"{source}, set {name}: it holds {type(stated).__name__}, not prompts by name")
    try:
        return PromptSet.model_validate({**stated, "name": name})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{source}, set {name}{f', {place}' if place else ''}: {reason}") from error


def prompt_sets(file: str | Path | None = None) -> list[str]:
    """The names of the sets in a file; None: in the one that comes with figray."""
    return [str(name) for name in _read(file)[1]]


def _read(file: str | Path | None) -> tuple[str, Mapping[str, Any]]:
    """What the file is called, and its sets, not checked yet."""
    source = str(file) if file is not None else f"figray's {OURS}"
    try:
        sets = read_yaml(Path(file).read_bytes() if file is not None else _ours()) or {}
    except OSError as error:
        raise UserError(f"the prompts {source} cannot be read: {error}") from error
    except YamlError as error:
        raise UserError(f"{source} is not YAML: {error}") from error
    if not isinstance(sets, dict):
        raise UserError(f"{source} holds {type(sets).__name__}, not sets of prompts by name")
    return source, sets


def _ours() -> bytes:
    return files("trainers").joinpath("evaluation", OURS).read_bytes()


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())
