"""The radiographs of a run as they are probed: without those of patients whom a model has seen, where sets overlap."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from app import steps
from core.config import UserError
from core.places import Place
from core.records import Radiograph, Split
from core.runs import Table, digest
from core.tables import rows_of
from trainers.checkpoint import training_articles
from trainers.datasets.containment import UNKNOWN, containment, family, patient_numbers, relation, whole_of
from trainers.evaluation.retrieval import LeakError

POOLS = ("val", "test")  # what a model may not have seen; heads may learn from what it has
BATCH = 256  # radiographs copied at once
COMPLETE = "left_out.json"  # while a pool's folder has it, it has all
TWIN = "-untrained"  # ends the name of a model as its training began: it is asked what the trained one is


@dataclass(frozen=True)
class Films:
    """The radiographs of a run, and what is known of them."""

    run: str  # its name
    dataset: str
    files: dict[str, list[str]]  # by split
    masked: list[str]  # findings of which each split has masks, the most frequent first
    placed: list[str]  # findings with a place in the test split
    digest: str
    notes: tuple[str, ...] = ()  # what was left out for a model, and what it may have seen


def read_films(run: Place) -> Films:
    """The radiographs of a run; RunConflict if it has none, UserError if a split has none."""
    table = _table(run)
    files = {split: table.files(f"split={split}") for split in get_args(Split)}
    empty = [split for split, each in files.items() if not each]
    if empty:
        raise UserError(f"{run / 'radiographs'} has none in {' and '.join(empty)}: probes need train, val and test")
    masked, placed = _findings(files)
    names = ", ".join(sorted(set(table.read("split=test", columns=["dataset"])["dataset"].to_pylist())))
    return Films(run.name, names, files, masked, placed, table.digest)


def comparable(run: Place, name: str, films: Films) -> Films:
    """The films that a model of a run can be asked of: without patients of its training, where sets hold each other.

    Where the sets are related and patients cannot be told apart, a part of what the model was trained on, or its
    whole, is refused by LeakError, and a set that is only taken from the same whole gets a note. Patients of one set
    are left to the probes, which refuse them.
    """
    trained = _articles(run, name)
    sets = _trained_on(run, trained) if trained else set[str]()
    for probed in films.dataset.split(", "):
        _refuse_unlike(sets, probed)
        related = {each: how for each in sorted(sets) if (how := relation(each, probed))}
        whole = whole_of(probed)
        if not related or whole is None:
            continue
        seen = set(patient_numbers(trained, whole).values())
        listed = {patient for split in POOLS for patient in _patients(films.files[split])}
        known = patient_numbers(listed, whole)
        if seen and known:
            films = _without(run, name, films, seen, known, whole)
        else:
            films = replace(films, notes=(*films.notes, _unknown(related, probed)))
    return films


def _articles(run: Place, name: str) -> set[str]:
    """What a model was trained on; a twin as its training began is asked what the trained one is."""
    trained = name.removesuffix(TWIN)
    there = (run / "models" / trained / "checkpoint").exists()
    return training_articles(steps.checkpoint(run, trained if there else name))


def _trained_on(run: Place, trained: Iterable[str]) -> set[str]:
    """The sets of a model's patients: as the radiographs of its run are named, and as their own names say.

    Patients of RSNA are named as NIH's: a set of the run explains the names of its whole.
    """
    labelled = _sets(run, "train")
    explained = {whole_of(each) for each in labelled}
    return labelled | {each for each in map(family, trained) if each and each not in explained}


def refuse_related(run: Place, on: Place) -> None:
    """Refuse to judge models of a run on the validation radiographs of another whose patients cannot be told apart.

    Those that can are compared by name, by who judges. Raises LeakError.
    """
    for probed in sorted(_sets(on, "val")):
        related = {each: how for each in sorted(_sets(run, "train")) if (how := relation(each, probed))}
        whole = whole_of(probed)
        if related and whole and not patient_numbers(_patients(_table(on).files("split=val")), whole):
            _unknown(related, probed)


def _table(run: Place) -> Table:
    return steps.table(run, "radiographs", Radiograph)


def _sets(run: Place, split: str) -> set[str]:
    """What the radiographs of a run's split are called; nothing where it has none."""
    if not (run / "radiographs").exists():
        return set()
    return set(_table(run).read(f"split={split}", columns=["dataset"])["dataset"].to_pylist())


def _refuse_unlike(sets: Iterable[str], probed: str) -> None:
    """Refuse a set of which one table knows the patients and the other does not."""
    own = [each for each in sorted(sets) if family(each) and family(each) == family(probed)]
    unlike = [each for each in own if each.endswith(UNKNOWN) != probed.endswith(UNKNOWN)]
    if unlike:
        raise LeakError(
            f"the model was trained on {unlike[0]} and would be probed on {probed}: patients of one cannot be found in "
            "the other; make both tables with the mapping of patients, or both without"
        )


def _unknown(related: Mapping[str, str], probed: str) -> str:
    """What is said of related sets whose patients cannot be told apart; LeakError where one holds the other."""
    trained, how = next(iter(related.items()))
    found = containment(trained, probed)
    assert found is not None  # since they are related
    said = f"{found.part} is taken from {found.whole}: {found.known}"
    if how == "sibling":
        return (
            f"{probed}: the model was trained on {trained}, and both are taken from {found.whole}; patients may be in "
            "both, and cannot be told apart"
        )
    remedy = "; `figray dataset rsna` with RSNA's mapping file tells them apart" if found.part == "RSNA" else ""
    raise LeakError(
        f"the model was trained on {trained} and would be probed on {probed}. {said}. Its patients cannot be told "
        f"apart here, so it may have seen the answers{remedy}"
    )


def _without(run: Place, name: str, films: Films, seen: set[int], known: dict[str, int], whole: str) -> Films:
    """The films without patients of the training, and without those of whom nobody knows who they are."""
    told = {split: _counts(films.files[split], seen, known) for split in POOLS}
    note = "; ".join(_in_words(split, each) for split, each in told.items())
    for split, each in told.items():
        if not each["kept"]:
            raise LeakError(f"{films.dataset}: by {whole}'s patients {_in_words(split, each)}; none remain")
    films = replace(films, notes=(*films.notes, f"{films.dataset}: left out, by {whole}'s patients: {note}"))
    if not any(each["seen"] or each["unknown"] for each in told.values()):
        return films
    marks = digest([films.digest, *map(str, sorted(seen))])[:8]
    folder = run / "models" / name / f"pool-{films.run}-{marks}"
    if not (folder / COMPLETE).exists():
        with folder.written(last=COMPLETE) as draft:
            for split in POOLS:
                _copy(films.files[split], draft / f"{split}.parquet", seen, known)
            (draft / COMPLETE).write_text(json.dumps(told))
    files = films.files | {split: [(folder / f"{split}.parquet").uri] for split in POOLS}
    masked, placed = _findings(files)
    return replace(films, files=files, masked=masked, placed=placed, digest=digest([films.digest, marks]))


def _in_words(split: str, counts: Counter[str]) -> str:
    """What is left out of a split, and why."""
    unknown = f", {counts['unknown']:,} of unknown ones" if counts["unknown"] else ""
    return f"{counts['seen']:,} of {counts.total():,} in {split} are of patients that the model was trained on{unknown}"


def _kinds(patients: Iterable[str], seen: set[int], known: Mapping[str, int]) -> list[str]:
    """Of each patient whether the model was trained on it: kept, seen or unknown."""
    numbers = (known.get(patient) for patient in patients)
    return ["unknown" if each is None else "seen" if each in seen else "kept" for each in numbers]


def _counts(files: Sequence[str], seen: set[int], known: Mapping[str, int]) -> Counter[str]:
    """How many radiographs are of which kind."""
    return Counter(dict.fromkeys(("kept", "seen", "unknown"), 0)) + Counter(_kinds(_patients(files), seen, known))


def _copy(files: Sequence[str], out: Path, seen: set[int], known: Mapping[str, int]) -> None:
    """The rows that are kept into a file, a few at a time."""
    rows = rows_of(files, Radiograph)
    with pq.ParquetWriter(out, rows.schema) as writer:
        for batch in rows.to_batches(batch_size=BATCH):
            kinds = _kinds(batch["patient_id"].to_pylist(), seen, known)
            writer.write_batch(batch.filter(pa.array([kind == "kept" for kind in kinds])))


def _patients(files: Sequence[str]) -> list[str]:
    """The patient of each radiograph."""
    patients: list[str] = rows_of(files, Radiograph).to_table(columns=["patient_id"])["patient_id"].to_pylist()
    return patients


def _findings(files: dict[str, list[str]]) -> tuple[list[str], list[str]]:
    """Findings of which each split has masks, the most frequent in training first; those with a place in test."""
    regions = {split: _regions(each) for split, each in files.items()}
    masked = [Counter(each["target"] for each in found if each["mask"]) for found in regions.values()]
    names = [name for name, _ in masked[0].most_common() if all(name in each for each in masked)]
    return names, sorted({each["target"] for each in regions["test"]})


def _regions(files: Sequence[str]) -> list[dict[str, Any]]:
    rows = rows_of(files, Radiograph).to_table(columns=["regions"])["regions"].to_pylist()
    return [region for each in rows for region in each]
