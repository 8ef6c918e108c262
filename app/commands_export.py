"""figray export and import-review: what people take away from a run, and what they bring back."""

import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands_collect import Source, absolute, refuse_no_folder
from app.endings import next_is, of_table
from app.options import AsJson, Run, RunFolder, Set
from app.session import GOES_ON, connected, ended, say, session, without_training

if TYPE_CHECKING:
    from core.wanted import Wanted

FORM = "webdataset, parquet (Hugging Face), imagefolder, jsonl, csv, blip, llava, coco, label-studio or pointers."


class Group(typer.core.TyperGroup):
    """`export pairs`, `export radiographs`, `export model NAME OUT`; `export NAME OUT` is the last, as it was."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["model", *args]
        return super().resolve_command(ctx, args)


exports = typer.Typer(cls=Group, no_args_is_help=True, help="Write pairs, radiographs or a model as others read them.")
commands = typer.Typer()
commands.add_typer(exports, name="export")

Out = Annotated[str, typer.Argument(metavar="OUT", help="The folder to write, which must be empty; a path, or a URI.")]
To = Annotated[str, typer.Option("--to", help=FORM)]
Splits = Annotated[str, typer.Option("--split", help="train, val, test: only these.")]
PerShard = Annotated[int, typer.Option(min=1, help="Rows of a shard, about.")]


@exports.command()
def pairs(
    run: RunFolder,
    out: Out,
    to: To = "webdataset",
    split: Splits = "",
    kind: Annotated[str, typer.Option(help="picture, graphic: only these.")] = "",
    modality: Annotated[str, typer.Option(help="MRI,CT: only these.")] = "",
    matched_by: Annotated[str, typer.Option(help="letter,order: only pairs whose text was found so.")] = "",
    licence: Annotated[str, typer.Option(help='"CC0,CC BY": only these.')] = "",
    min_score: Annotated[float, typer.Option(min=0, max=1, help="How likely a pair's text is right, at least.")] = 0.0,
    reproduced: Annotated[bool, typer.Option(help="Keep what is shown by a third party's permission.")] = False,
    without: Annotated[str, typer.Option(help="burnt-in-text,person: none of these; see `figray flag`.")] = "",
    whole: Annotated[bool, typer.Option(help="Whole figures with whole captions instead.")] = False,
    per_shard: PerShard = 1000,
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """A run's pairs as WebDataset, for Hugging Face, as CSV or JSON, for BLIP or LLaVA, or figures to mend by hand."""
    from typing import get_args

    from app import flagging
    from core.config import SettingError
    from core.places import Place
    from core.records import Kind, MatchedBy, Modality, Split
    from core.wanted import wanted

    words = {"split": split, "kind": kind, "modality": modality, "matched_by": matched_by, "licence": licence}
    kinds = {"split": Split, "kind": Kind, "modality": Modality, "matched_by": MatchedBy}
    known = {name: get_args(values) for name, values in kinds.items()}
    asked = wanted(words, min_score=min_score, reproduced=reproduced, known=known)
    if without and whole:
        raise SettingError("--without is of pairs: images of whole figures are not looked at")
    if without:
        asked = replace(asked, without=flagging.asked(Place.at(run), without))
    _export(run, out, "whole" if whole else "pairs", to, asked, per_shard=per_shard, set_=set_, as_json=as_json)


@exports.command()
def radiographs(
    run: RunFolder, out: Out, to: To = "webdataset", split: Splits = "", per_shard: PerShard = 1000,
    set_: Set = [], as_json: AsJson = False,  # noqa: B006
) -> None:  # fmt: skip
    """A run's radiographs, with reports and findings, in the same forms."""
    from typing import get_args

    from core.records import Split
    from core.wanted import wanted

    asked = wanted({"split": split}, min_score=0.0, reproduced=True, known={"split": get_args(Split)})
    _export(run, out, "radiographs", to, asked, per_shard=per_shard, set_=set_, as_json=as_json)


@exports.command()
def model(
    name: Annotated[str, typer.Argument(help="A model of the run, such as processed.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")],
    run: Run = "runs/collected",
    to: Annotated[str, typer.Option(help="transformers (BLIP's class), onnx, open_clip, or timm for the images.")] = (
        "transformers"
    ),
) -> None:
    """Write a model as another library reads it."""
    from app import steps
    from core.config import SettingError
    from core.places import Place

    if to not in steps.FORMATS:
        raise SettingError(f"--to {to}: a model can be written for {', '.join(steps.FORMATS)}")
    steps.export(Place.at(run), name, str(out), to=to)
    say(f"model: {out}, as {to} reads it; {out / 'README.md'} has the code")
    say(next_is("figray evaluate " + shlex.quote(name), run=run))


@commands.command()
def flag(run: RunFolder, set_: Set = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Look at the images of pairs for burnt-in text and for skin, so that exports can leave them out."""
    from app import flagging
    from app.steps import counted

    with session(run, None, set_, trains=False, begins=False) as (config, place, bars):
        table = flagging.flag(config, place, bars)
    for line in flagging.lines(table):
        say(line)
    say(f"next: figray export pairs {shlex.quote(run)} OUT --without burnt-in-text,person")
    ended(counted(table), as_json=as_json)


@commands.command()
def import_review(
    run: RunFolder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A report's review; or Label Studio's JSON, or COCO.")],
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Bring back what people have corrected of figures or said of pairs, and make the pairs anew."""
    from app import taking_away
    from app.exports.review import corrections, verdicts

    said = verdicts(file)
    found = {} if said else corrections(file)
    taking_away.known_figures(run, found or {name.rpartition("#")[0] for name in said or {}})
    with session(run, None, set_, trains=False, begins=False) as (config, place, bars):
        taking_away.mend(config, place, found, bars, verdicts=said)
    wrong = sum(not verdict.right for verdict in (said or {}).values())
    unheard = taking_away.unheard(place, said) if said else 0
    told = {"pairs": len(said), "wrong": wrong, "unheard": unheard} if said else {"figures": len(found)}
    if said:
        say(f"judged: {len(said):,} pairs, {wrong:,} of them wrong; pairs: {run}/pairs")
        if unheard:
            say(f"not heard: {unheard:,} verdicts, because their pair is not there or has changed since")
    else:
        say(f"corrected: {len(found):,} figures; pairs: {run}/pairs")
    ended(told, as_json=as_json)


@commands.command()
def fetch_pointers(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="What `figray export pairs --to pointers` has written.")
    ],
    out: Annotated[str, typer.Argument(metavar="OUT", help="The run folder to make; a path, or a URI.")],
    source: Source = None,
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Fetch the articles that pointers name and make the same pairs of them, or say why they are not the same."""
    from app import pointers_back
    from app.steps import counted, failed_in_words

    found = pointers_back.read_pointers(folder)
    refuse_no_folder(source)
    overrides = [*set_, *([f"source.origin={absolute(source)}"] if source else [])]
    with session(out, None, overrides, trains=False) as (config, place, bars):
        made = pointers_back.write_pairs(config, place, found, bars)
    say(of_table(made, found.table))
    for code, count in sorted((made.left_out | made.failed).items()):
        say(f"left out: {count:,} {code}")
    for line in failed_in_words(made):
        say(line)
    say(next_is("figray train " + ("raw" if found.table == "whole" else "processed"), run=out))
    ended(counted(made), as_json=as_json)


def _after_export(run: str, out: str, to: str) -> str:
    """The next command, or where it stands how the files are read."""
    if to in ("coco", "label-studio"):
        return f"next: figray import-review {shlex.quote(run)} FILE, with what was corrected"
    if to == "pointers":
        return f"next: figray fetch-pointers {shlex.quote(out)} NEW-RUN"
    return f"next: {out.rstrip('/')}/README.md says what there is and how it is read"


def _export(
    run: str, out: str, table: str, to: str, asked: "Wanted", *, per_shard: int, set_: list[str], as_json: bool
) -> None:
    """Plan, write here or on Ray, and say what was written."""
    from app import taking_away
    from app.steps import opened
    from core.places import Place
    from core.runs import refuse_missing
    from core.works import INLINE

    place, folder = Place.at(run), Place.at(out)
    refuse_missing(place)
    with opened(place, None, set_) as config:
        plan = taking_away.plan(place, table, folder, to, asked, per_shard=per_shard, seed=config.seed)
        export = partial(taking_away.export, place, table, folder, to, asked, plan, seed=config.seed)
        if plan is None or len(plan.works) <= INLINE:
            told = export()
        else:
            with connected(without_training(config), stopped=GOES_ON):
                from pipelines.stream import of_each  # not before Ray's environment is set

                told = export(each=partial(of_each, config, "export"))
    for line in told["lines"]:
        say(line)
    say(_after_export(run, out, to))
    ended({name: value for name, value in told.items() if name != "lines"}, as_json=as_json)
