"""Arguments and options that commands of several modules take."""

from typing import Annotated

import typer

Run = Annotated[str, typer.Option(help="The run folder: a path, or a URI such as s3://bucket/run.")]
Recipe = Annotated[
    str | None, typer.Argument(help="A recipe's name or file; without one, what the run was begun with.")
]
Set = Annotated[list[str], typer.Option("--set", help="Change a setting: name=value, as `figray config` lists them.")]

SCHEMES = {"raw": ["raw"], "processed": ["processed"], "both": ["raw", "processed"]}
