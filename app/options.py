"""Arguments and options that commands of several modules take."""

from collections.abc import Sequence
from typing import Annotated

import typer

Run = Annotated[str, typer.Option(help="The run folder: a path, or a URI such as s3://bucket/run.")]
Recipe = Annotated[
    str | None, typer.Argument(help="A recipe's name or file; without one, what the run was begun with.")
]
Set = Annotated[list[str], typer.Option("--set", help="Change a setting: name=value, as `figray config` lists them.")]

AsJson = Annotated[bool, typer.Option("--json", help="The results as JSON on standard output; the rest on the other.")]

RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="The run folder: a path, or a URI.")]

SCHEMES = {"raw": ["raw"], "processed": ["processed"], "both": ["raw", "processed"]}
REPRODUCIBLE = (
    *("medvl-table1", "medvl-figure3", "medvl-figure4", "medvl-ablation"),
    *("mlip-table1", "mlip-table2", "mlip-table3", "mlip-table4", "mlip-figure3"),
)
DATASETS = ("mimic", "rsna", "siim", "nih", "csv", "phantom", "pairs")

LIBRARIES = ("hf", "open_clip")  # whose published models are evaluated beside figray's


def is_published(name: str) -> bool:
    """Whether a model is named as one that others have trained."""
    library, sign, _ = name.partition(":")
    return bool(sign) and library in LIBRARIES


def columns_named(asked: Sequence[str], *, such_as: str) -> dict[str, str]:
    """What --column says, as {"text": "report"} of "text=report"; or SettingError, with an example."""
    from core.config import SettingError

    wrong = [column for column in asked if "=" not in column]
    if wrong:
        raise SettingError(f"--column {wrong[0]}: write it as {such_as}=NAME, NAME as the file has it")
    return dict(column.split("=", 1) for column in asked)
