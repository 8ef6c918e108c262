"""Search spaces: ranges of settings by the names of `--set`, named in spaces.yaml or stated in a file of one's own."""

import math
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.config import SettingError, names, override, settings_of
from core.settings import Config
from core.suggestions import meant
from core.yaml_text import YamlError, read_yaml

OURS = "spaces.yaml"
# What makes a model what it is; no other setting makes a difference to a trial.
SEARCHED = ("model", "objective", "mlip", "optim", "train.batch_size", "train.fraction", "seed")
# All trials of a sweep take the steps of its recipe: they are compared, and stopped, at equal steps.
IN_COMMON = ("optim.steps", "optim.epochs")
Ends = tuple[float, float]
WholeEnds = tuple[int, int]
# What may change while a model trains: PBT changes it between two validations. The rest goes with the weights.
IN_TRAINING = (
    *("optim.lr", "optim.min_lr", "optim.clip"),
    *("objective.itc", "objective.itm", "objective.text", "objective.mlm_probability", "objective.label_smoothing"),
    *("objective.alpha", "objective.momentum", "objective.hardness", "objective.fusion_share"),
    *("mlip.v2t", "mlip.t2v", "mlip.spm", "mlip.mip", "mlip.mask_ratio", "mlip.phi_rate"),
)
BETWEEN = (math.sqrt(5) - 1) / 2  # a place between two ends that is no whole number of anything


class SpaceError(SettingError):
    """A search space that does not exist, or that the recipe's settings refuse; the message says where."""


class Range(BaseModel):
    """The values that one setting may take: exactly one kind. Both ends of a range belong to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choice: tuple[Any, ...] | None = Field(None, min_length=1)
    uniform: Ends | None = None
    log_uniform: Ends | None = None
    int: WholeEnds | None = None
    log_int: WholeEnds | None = None

    @model_validator(mode="after")
    def _is_one_range(self) -> "Range":
        if len(self.model_fields_set) != 1 or self.kind is None:
            raise ValueError(f"it is one of {', '.join(type(self).model_fields)}")
        if self.kind == "choice":
            return self
        low, high = self.values
        if not (low < high and math.isfinite(high - low)):
            raise ValueError(f"from {low:g} to {high:g} there is no range: the lower end stands first, both are finite")
        if self.kind.startswith("log") and low <= 0:
            raise ValueError(f"a logarithm begins above 0, not at {low:g}")
        return self

    @property
    def kind(self) -> str | None:
        """Which one it is."""
        return next((name for name in type(self).model_fields if getattr(self, name) is not None), None)

    @property
    def values(self) -> tuple[Any, ...]:
        """The choices, or the two ends."""
        return tuple(getattr(self, str(self.kind)))

    def samples(self) -> tuple[Any, ...]:
        """What a setting has to take, if it is to take all of them: each choice; or the ends and a place between."""
        if self.kind not in ("uniform", "log_uniform"):
            return self.values
        low, high = self.values
        return (low, high, low + BETWEEN * (high - low))

    def clamped(self, value: Any) -> Any:
        """The value, or the end that it lies beyond."""
        return value if self.kind == "choice" else min(max(value, self.values[0]), self.values[1])


Space = Mapping[str, Range]  # by the setting's dotted name


def read_space(name: str, config: Config) -> dict[str, Range]:
    """A space by its name, for the recipe's objective, or of a YAML file; SpaceError if the recipe cannot take it."""
    source, stated = _stated(name, config.objective.name)
    if not isinstance(stated, dict) or not stated:
        raise SpaceError(f"{source} holds no ranges by the names of settings")
    return {str(setting): _range(source, str(setting), each, config) for setting, each in stated.items()}


def refuse(config: Config, space: Space) -> None:
    """Raise SettingError, before Ray starts, if scheduler, executor, workers and space do not fit together."""
    settings, workers = config.sweep, config.train.most_workers
    if settings.executor == "inline" and workers > 1:
        raise SettingError(
            f"train.workers is {workers}, and an inline trial is one; set it to 1, or sweep.executor=ray_train"
        )
    if settings.scheduler == "pbt" and settings.executor != "inline":
        raise SettingError(
            "sweep.scheduler=pbt takes weights from one trial to another: sweep.executor has to be inline"
        )
    if settings.scheduler == "pbt" and not set(space) & set(IN_TRAINING):
        raise SettingError(
            f"sweep.scheduler=pbt changes settings while a model trains, and of {', '.join(space)} none can be; "
            f"there are {', '.join(IN_TRAINING)}"
        )


def named_spaces() -> dict[str, Any]:
    """The spaces that come with figray: name -> objective -> setting -> range, not checked yet."""
    found: dict[str, Any] = read_yaml(files("tuning").joinpath(OURS).read_bytes())
    return found


def as_plain(space: Space) -> dict[str, dict[str, list[Any]]]:
    """The space as YAML and JSON have it."""
    return {name: {str(each.kind): list(each.values)} for name, each in space.items()}


def _stated(name: str, objective: str) -> tuple[str, Any]:
    """What the space is called, and what it states."""
    ours = named_spaces()
    if name in ours:
        return f"space {name}", ours[name][objective]
    if not Path(name).is_file():
        raise SpaceError(f"no space '{name}': neither a file nor one of {', '.join(ours)}{meant(name, ours)}")
    try:
        return f"space {name}", read_yaml(Path(name).read_bytes())
    except YamlError as error:
        raise SpaceError(f"space {name} is not YAML: {error}") from error
    except OSError as error:
        raise SpaceError(f"space {name} cannot be read: {error.strerror}") from error


def _range(source: str, setting: str, stated: Any, config: Config) -> Range:
    """One range, checked, its choices as the settings read them."""
    if setting in IN_COMMON:
        raise SpaceError(f"{source}, {setting}: all trials of a sweep take equally many steps, those of the recipe")
    if setting in names() and not any(f"{setting}.".startswith(f"{each}.") for each in SEARCHED):
        raise SpaceError(f"{source}, {setting}: it makes no model another; there are {', '.join(SEARCHED)}")
    if not isinstance(stated, dict):
        raise SpaceError(f"{source}, {setting}: write a range, such as {{uniform: [0, 1]}}, not {stated!r}")
    try:
        found = Range.model_validate(stated)
    except ValidationError as error:
        raise SpaceError(f"{source}, {setting}: {_reasons(error)}") from error
    taken = tuple(_taken(source, setting, value, config) for value in found.samples())
    return Range(choice=taken) if found.kind == "choice" else found


def _taken(source: str, setting: str, value: Any, config: Config) -> Any:
    """The value as the setting has it."""
    if setting in names() and isinstance(settings_of(config, setting)[setting], list):
        raise SpaceError(f"{source}, {setting}: a setting of several values cannot be searched")
    try:
        return settings_of(override(config, {setting: value}), setting)[setting]
    except SettingError as error:
        raise SpaceError(f"{source}: {error}") from error


def _reasons(error: ValidationError) -> str:
    return "; ".join(dict.fromkeys(_reason(problem) for problem in error.errors()))


def _reason(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return f"no range '{problem['loc'][0]}': it is one of {', '.join(Range.model_fields)}"
    where = str(problem["loc"][0]) + ": " if problem["loc"] else ""
    return where + str(problem["msg"]).removeprefix("Value error, ")
