"""figray dataset: radiographs as published, or drawn, to the tables `radiographs/` and `pairs/` of a run."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from app import steps
from app.options import columns_named
from core.config import SettingError, UserError
from core.copies.signatures import Asked as Alike
from core.places import Place
from core.records import Radiograph, Split
from core.runs import Table, claim, digest
from core.sentences import splitter
from core.settings import Config
from core.suggestions import meant
from trainers.datasets import csv_folder, mimic_cxr, nih, reading, rsna, siim
from trainers.datasets.alike import on_one_side_by_pixels
from trainers.datasets.containment import UNKNOWN
from trainers.datasets.copies import on_one_side
from trainers.datasets.nih_mapping import mapping_in, read_mapping
from trainers.datasets.split_lists import by_lists, read_split_lists
from trainers.datasets.tables import (
    Source,
    Terms,
    counts_of,
    make_part,
    pair_table,
    parts_for,
    radiograph_table,
    slices,
)

PHANTOM, SIDE = "phantom", "train_side"
DRAWN = Terms(licence="CC0", attribution="drawn by figray")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A set of radiographs, and how it is to be read."""

    kind: str  # of KINDS, or phantom
    folder: Path  # of its files
    side: int = 512  # pixels of the short side
    train_side: int | None = None  # tables.train_side
    views: tuple[str, ...] = ()  # that are kept; none: all
    columns: Mapping[str, str] = field(default_factory=dict)  # csv: its names of csv_folder.COLUMNS
    mask_target: str = "mask"  # csv: what its masks show
    mapping: Path | None = None  # rsna: of its images to NIH's; None: the file beside the data, if there is one
    splits: tuple[str, ...] = ()  # published lists of which image is in which split; none: the set's own, or by hash


def asked(
    kind: str, folder: Path | None, *, views: str = "", columns: Sequence[str] = (), mapping: Path | None = None
) -> Asked:
    """A set as the command line names it, views as "PA,AP", columns as "patient_id=subject"; or SettingError."""
    if kind not in (*KINDS, PHANTOM):
        known = (*KINDS, PHANTOM, "pairs")
        raise SettingError(f"no data set {kind}: there are {', '.join(known)}{meant(kind, known)}")
    if kind != PHANTOM and (folder is None or not folder.exists()):
        raise SettingError(f"there is no {folder}" if folder else f"{kind} is read from a folder: name it")
    if mapping is not None and (kind != "rsna" or not mapping.is_file()):
        raise SettingError(f"there is no {mapping}" if kind == "rsna" else "--mapping is for rsna alone")
    return Asked(
        kind=kind,
        folder=(folder or Path()).resolve(),
        views=tuple(view for each in views.split(",") if (view := each.strip().upper())),
        columns=columns_named(columns, such_as="patient_id"),
        mapping=mapping.resolve() if mapping else None,
    )


def source_of(asked: Asked, config: Config) -> Source[Any]:
    """What is asked, listed and ready to be read; or UserError, naming the file that is missing or not as published.

    Patients who share an image file are on one side of the split, but where a published list says who is where.
    """
    if asked.kind == PHANTOM:
        return drawn(config)
    asked = replace(asked, train_side=config.tables.train_side)
    source = KINDS[asked.kind](asked, config.seed)
    if asked.splits:
        listed = read_split_lists(asked.splits)
        works, told = by_lists(source.works, listed, " and ".join(Path(each).name for each in asked.splits))
        named = {**source.asked, "splits": digest([f"{image} {side}" for image, side in sorted(listed.items())])}
        return replace(source, works=works, asked=named, notes=(*source.notes, *told))
    works, told = on_one_side(source.works, asked.folder if asked.folder.is_dir() else asked.folder.parent)
    return replace(source, works=works, notes=(*source.notes, *told))


def draw_chests(config: Config, run: Place, progress: steps.Progress) -> Table:
    """Drawn chest radiographs with reports, findings and masks: the tables of write_tables()."""
    return write_tables(config, run, drawn(config), progress)


def drawn(config: Config) -> Source[int]:
    """Every patient of the drawn set, at the size that models of these settings see."""
    from phantom.chest.patients import draw_patient

    phantom = config.phantom
    told = {"seed": phantom.seed, "patients": phantom.patients, "size": config.model.image_size}
    draw = partial(draw_patient, **told, train_side=config.tables.train_side)
    return Source(range(phantom.patients), draw, DRAWN, {"kind": PHANTOM, **told})


def of_mimic(asked: Asked, seed: int) -> Source[Any]:
    """MIMIC-CXR-JPG, by the official splits; frontal views, if no others are asked for."""
    asked = replace(asked, views=asked.views or mimic_cxr.FRONTAL)
    terms = Terms(mimic_cxr.LICENCE, mimic_cxr.ATTRIBUTION)
    return Source(mimic_cxr.works(asked.folder), _told(mimic_cxr.read, asked), terms, _named(asked))


def of_rsna(asked: Asked, seed: int) -> Source[Any]:
    """The RSNA Pneumonia Detection Challenge, by NIH's patients where RSNA's mapping is there."""
    terms, file = Terms(rsna.LICENCE, rsna.ATTRIBUTION), mapping_in(asked.folder, asked.mapping)
    mapping = read_mapping(file) if file else None
    works = rsna.works(asked.folder, seed=seed, mapping=mapping)
    named = _named(asked, seed=seed, patients="NIH's" if mapping else "unknown")
    notes = tuple(rsna.told_of_patients(works, seed=seed, mapping=mapping))
    return Source(works, _told(reading.read, asked), terms, named, notes)


def of_siim(asked: Asked, seed: int) -> Source[Any]:
    """The SIIM-ACR Pneumothorax Segmentation."""
    terms = Terms(siim.LICENCE, siim.ATTRIBUTION)
    return Source(siim.works(asked.folder, seed=seed), _told(reading.read, asked), terms, _named(asked, seed=seed))


def of_nih(asked: Asked, seed: int) -> Source[Any]:
    """NIH ChestX-ray14."""
    terms = Terms(nih.LICENCE, nih.ATTRIBUTION)
    return Source(nih.works(asked.folder, seed=seed), _told(reading.read, asked), terms, _named(asked, seed=seed))


def of_csv(asked: Asked, seed: int) -> Source[Any]:
    """A user's own images, and a CSV that says what is known of them."""
    table = csv_folder.table_in(asked.folder)
    works = csv_folder.works(table, columns=asked.columns, mask_target=asked.mask_target, seed=seed)
    told = _named(asked, seed=seed, columns=dict(asked.columns), mask_target=asked.mask_target)
    read = _told(reading.read, replace(asked, folder=table.parent))
    notes = csv_folder.notes(table, asked.columns)
    return Source(works, read, Terms(csv_folder.LICENCE, table.name), told, notes)


KINDS: dict[str, Callable[[Asked, int], Source[Any]]] = {
    "mimic": of_mimic,
    "rsna": of_rsna,
    "siim": of_siim,
    "nih": of_nih,
    "csv": of_csv,
}


def _told(read: Callable[..., Any], asked: Asked) -> Callable[[Any], Any]:
    """A reader that has been told what was asked."""
    return partial(read, root=asked.folder, side=asked.side, train_side=asked.train_side, views=asked.views)


def _named(asked: Asked, **more: Any) -> dict[str, Any]:
    """What a table depends on, by name."""
    return {"kind": asked.kind, "side": asked.side, "views": list(asked.views), **more}


def write_tables(config: Config, run: Place, source: Source[Any], progress: steps.Progress) -> Table:
    """A set as tables of a run: its radiographs, and as pairs those with a report. What is there already stays.

    Raises RunConflict if the tables were made from other works, or of works otherwise read; UserError if there are no
    works of use.
    """
    from pipelines.stages import by_tasks, make_missing  # not before Ray's environment is set: they import it

    table, side = radiograph_table(run), config.tables.train_side
    parts, weights = parts_for(len(source.works), config.tables.parts), config.mlip.sentence_weights
    for each in (table, pair_table(run)):
        asked = {"station": "dataset", "parts": parts, "sentence_weights": weights, SIDE: side, **source.asked}
        claim(each.place, asked, before={SIDE: side})  # an older table takes any
    task = partial(
        make_part,
        run=run,
        read=source.read,
        shape=type(source.works[0]),
        open_cut=partial(splitter, weights),
        terms=source.terms,
    )
    stage = by_tasks(task, cpus=config.tables.task_cpus, at_once=config.tables.readers[1])
    with steps.timed(run, "radiographs"):
        make_missing("radiographs", table, slices(source.works, parts), progress, stage)
    if not table.rows:
        reasons = ", ".join(f"{count:,} {code}" for code, count in sorted(table.left_out.items()))
        raise UserError(f"no radiograph could be used: {reasons}; {table.place}/rejects-*.parquet says more")
    return table


def copies_told(config: Config, run: Place, asked: Asked, beside: Sequence[Place]) -> list[str]:
    """Patients who share a picture, in the run or with runs beside, on one side; what is said of it.

    Drawn patients share none, and a published list of splits stays as it is.
    """
    from pipelines.stream import of_parts  # not before Ray's environment is set

    for each in beside:
        steps.table(each, "radiographs", Radiograph)  # what is missing is said
    if asked.kind == PHANTOM or asked.splits:
        return []
    tables = config.tables
    how = Alike(config.dedupe.min_similarity, tables.copies_exact_below, tables.copies_nearest, tables.task_cpus)
    every = [part for each in (run, *beside) for part in radiograph_table(each).parts()]
    return on_one_side_by_pixels(run, beside, how, of_parts(config, "copies", every))


def summary(table: Table) -> Iterator[str]:
    """What a table of radiographs holds, line by line: splits, how common each finding is, what was left out."""
    told = counts_of(table)
    for split in get_args(Split):
        rows = table.read(f"split={split}", ["patient_id", "dataset"])
        patients = f"of {len(set(rows['patient_id'].to_pylist())):,} patients"
        if any(name.endswith(UNKNOWN) for name in set(rows["dataset"].to_pylist())):
            patients = "whose patients are unknown"
        of = {name: told[f"{split}/{name}"] for name in ("images", "reports", "regions", "masks")}
        yield (
            f"{split}: {of['images']:,} images {patients}; "
            f"{of['reports']:,} with a report, {of['regions']:,} with regions, {of['masks']:,} with masks"
        )
    yield from _findings(told)
    for code, count in sorted(table.left_out.items()):
        yield f"left out: {count:,} {code}"


def _findings(told: Counter[str]) -> Iterator[str]:
    """Of each finding, the share of the judged images that show it, by split."""
    judged = dict.fromkeys(name.split("/", 2)[2] for name in told if "/judged/" in name)
    for target in judged:
        shares = []
        for split in get_args(Split):
            of, there = (told[f"{split}/{what}/{target}"] for what in ("judged", "present"))
            shares.append(
                f"{there:,} of {of:,} {split} ({100 * there / of:.1f} %)" if of else f"none judged in {split}"
            )
        yield f"{target}: {', '.join(shares)}"
