"""What `figray export` and `import-review` do: a run's tables to a folder of another's form, and corrections back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from typing import Any

from app import steps
from app.attribution import FILE as ATTRIBUTION
from app.attribution import write_attribution
from app.exports import written
from app.exports.annotations import write_annotations
from app.exports.cards import write_cards
from app.exports.forms import FORMS, POINTERS
from app.exports.items import HELD_APART
from app.exports.written import Plan
from core.config import SettingError, UserError
from core.places import Place
from core.records import Pair, Radiograph, SeparatedFigure
from core.runs import Table, figray_version
from core.settings import Config
from core.suggestions import meant
from core.wanted import COLUMNS, Wanted
from core.works import Each, here
from pipelines.pointers import Pointer
from pipelines.reviews import ReviewedPanel, Verdict, write_reviews

RECORDS = {"pairs": Pair, "whole": Pair, "radiographs": Radiograph}
ANNOTATIONS = ("coco", "label-studio")


def plan(run: Place, name: str, out: Place, form: str, asked: Wanted, *, per_shard: int, seed: int) -> Plan | None:
    """What is to be written; None for figures to mend. Raises UserError before anything is written."""
    if form not in (*FORMS, *ANNOTATIONS):
        known = (*FORMS, *ANNOTATIONS)
        raise SettingError(f"--to {form}: there are {', '.join(known)}{meant(form, known)}")
    if out.is_file():
        raise UserError(f"{out} is a file; name a folder to write")
    if not out.is_empty():
        raise UserError(f"{out} is not empty; name another folder, or empty it")
    if form in ANNOTATIONS:
        if name != "pairs":
            raise SettingError(f"--to {form} writes figures with their panels, and only `export pairs` has them")
        if asked != Wanted():
            raise SettingError(f"--to {form} writes every figure; it takes no filter")
        _table(run, "separated")
        return None
    if form == POINTERS:
        if name == "radiographs":
            raise SettingError(f"--to {form} is of pairs: they alone were cut from files that can be fetched again")
        if not Table(run / "separated", SeparatedFigure).parts():
            raise UserError(f"{run} has no table separated: its pairs were not collected, and nothing points to them")
    return written.planned(_table(run, name), asked, per_shard=per_shard, seed=seed)


def export(
    run: Place, name: str, out: Place, form: str, asked: Wanted, found: Plan | None, *, seed: int,
    each: Each = here,
) -> dict[str, Any]:  # fmt: skip
    """Write all of it; what is told in the end, `lines` for a person."""
    told = {
        "title": f"{run.name}: {name} by figray", "run": run.name, "table": name, "form": form, "seed": seed,
        "figray": figray_version(), "day": datetime.now(UTC).date().isoformat(),
        "wanted": {**vars(asked), "without": sorted(asked.without)},
    }  # fmt: skip
    if found is None:
        count = write_annotations(_table(run, "separated"), Table(run / "pairs", Pair), out, form=form)
        write_attribution(run, out)
        (out / "export.json").write_json(told)
        return {"out": out.uri, "figures": count, "lines": [f"{out}: {count:,} figures as {form}"]}
    table = Table(run / name, RECORDS[name])
    written.write(table, found, asked, out, form=form, seed=seed, each=each)
    numbers = written.statistics(found)
    write_cards(out, told, numbers, form=form, columns=columns_of(table.record, form))
    if name != "radiographs":
        kept = [column for column in COLUMNS if column in {each.name for each in fields(Pair)}]
        write_attribution(run, out, name, columns=kept, keep=partial(written.leaving, table=table, wanted=asked))
    rows, left_out = numbers["rows"], numbers["left_out"]
    splits = ", ".join(f"{split} {number:,}" for split, number in rows.items())
    shards = "1 shard" if len(found.works) == 1 else f"{len(found.works):,} shards"
    lines = [f"{out}: {sum(rows.values()):,} rows as {form} ({splits}) in {shards}"]
    if left_out:
        lines.append("left out: " + ", ".join(f"{count:,} by {reason}" for reason, count in left_out.items()))
    if name != "radiographs":
        lines.append(f"whom to name: {out / ATTRIBUTION}")
    return {"out": out.uri, **numbers, "lines": lines}


def columns_of(record: type, form: str) -> list[str]:
    """The fields of a row as it is written."""
    if form == POINTERS:
        return [each.name for each in fields(Pointer)]
    if FORMS[form].columns:
        return list(FORMS[form].columns)
    image = "file_name" if form == "imagefolder" else "image"
    return [image, "text", *(each.name for each in fields(record) if each.name not in HELD_APART)]


def mend(
    config: Config, run: Place, found: Mapping[str, Sequence[ReviewedPanel]], progress: steps.Progress,
    *, verdicts: Mapping[str, Verdict] | None = None,
) -> None:  # fmt: skip
    """Keep corrections by figure id and verdicts by pair id, and make the pairs of the run anew."""
    from pipelines import build  # not before Ray's environment is set

    write_reviews(run / "separated", found, verdicts)
    build.pair(config, _table(run, "separated"), run / "pairs", progress)
    write_attribution(run, run)


def unheard(run: Place, said: Mapping[str, Verdict]) -> int:
    """How many verdicts say nothing of the pairs that were made anew: theirs has changed, or is not there."""
    made = Table(run / "pairs", Pair)
    rows = made.select("pair_id", said).select(["pair_id", "matched_by"]).to_pylist()
    kept = {row["pair_id"]: row["matched_by"] for row in rows}
    gone = {row["item_id"] for row in made.rejects().to_pylist() if row["code"] == "reviewed"}
    heard = (kept.get(name) == "reviewed" if verdict.right else name in gone for name, verdict in said.items())
    return len(said) - sum(heard)


def known_figures(run: str, names: Collection[str]) -> None:
    """Raise UserError where corrections are of figures that the run does not have."""
    table = _table(Place.at(run), "separated")
    there = set(table.select("figure_id", names).column("figure_id").to_pylist()) if names else set()
    unknown = sorted(set(names) - there)
    if unknown:
        raise UserError(
            f"{run} has no figure {unknown[0]}" + (f", nor {len(unknown) - 1} others" if unknown[1:] else "")
        )


def _table(run: Place, name: str) -> Table:
    """A table of the run; UserError where it is not there."""
    found = Table(run / name, {**RECORDS, "separated": SeparatedFigure}[name])
    if not found.parts():
        made = "`figray dataset` makes it" if name == "radiographs" else "`figray pair` makes it"
        raise UserError(f"{run} has no table {name}; {made}")
    return found
