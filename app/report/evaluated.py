"""The retrieval of every model of one run or several, as one table: pools are told apart where their queries differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.report.retrieval_table import Intervals, Modalities, Pool, Results
from core.places import Place
from core.settings import Config

UNTRAINED = "-untrained"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The retrieval of one model, as it was kept."""

    model: str  # as the page calls it
    file: str  # "retrieval-test-rerank0.json"
    run: str = ""  # where several runs stand side by side
    pools: Mapping[str, Mapping[str, Any]]  # pool -> what its evaluation told


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The same of all models, in percent."""

    retrieval: Results = field(default_factory=dict)
    intervals: Intervals = field(default_factory=dict)
    modalities: Modalities = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)


def models_of(run: Place) -> list[str]:
    """Every model of a run that has begun to train, those as training began them last."""
    folder = run / "models"
    found = [name for name in folder.folders() if (folder / name / "settings.json").exists()]
    return sorted(found, key=lambda name: (name.endswith(UNTRAINED), name))


def retrieval_file(run: Place, scheme: str, config: Config) -> Place:
    """Where the retrieval of a scheme's model lies: another split, pool or depth of re-ranking is another file."""
    settings = config.evaluate
    usual = settings.pool == type(settings)().pool
    pool = "" if usual else f"-pool{settings.pool}" if settings.pool else "-all"
    return run / "models" / scheme / f"retrieval-{settings.split}-rerank{settings.rerank}{pool}.json"


def read_evaluation(run: Place, model: str, config: Config, *, named: str | None = None) -> Evaluation | None:
    """The evaluation by the run's own settings, or else the first of the test split, or of another; None without one.

    named: what the page calls the model beside those of other runs, "RUN/MODEL".
    """
    folder, usual = run / "models" / model, retrieval_file(run, model, config).name
    names = [name for name in folder.files() if name.startswith("retrieval-") and name.endswith(".json")]
    if not names:
        return None
    file = min(names, key=lambda name: (name != usual, not name.startswith("retrieval-test"), name))
    of = named.rpartition("/")[0] if named else ""
    return Evaluation(model=named or model, file=file, run=of, pools=(folder / file).read_json())


def merged(evaluations: Sequence[Evaluation]) -> Evaluated:
    """One table of all. Pools of one name but other queries get the name of the file, or of the run, beside theirs."""
    queries: dict[str, Sequence[str]] = {}
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    pools: dict[str, Pool] = {}
    for one in evaluations:
        for pool, told in one.pools.items():
            of_run = f"{pool} of {one.run}" if one.run else pool
            of_file = f"{of_run}, {one.file.removeprefix('retrieval-').removesuffix('.json')}"
            names = (pool, of_run, of_file, f"{pool} of {one.model}")
            label = next((name for name in names if queries.get(name, told["queries"]) == told["queries"]), names[-1])
            queries[label] = told["queries"]
            found.setdefault(one.model, {})[label] = told
            pools[label] = Pool(images=told["pool"], texts=told["pool"], chance=percent(told["chance"]))
    return Evaluated(
        retrieval=_each(found, lambda told: percent(told["metrics"])),
        intervals=_each(found, lambda told: _bounds(told.get("intervals", {}))),
        modalities=_each(found, lambda told: _by_modality(told.get("by_modality", {}))),
        pools=pools,
    )


def percent(metrics: Mapping[str, float]) -> dict[str, float]:
    """Shares of 1 in percent."""
    return {name: 100 * value for name, value in metrics.items()}


def _each(found: Mapping[str, Mapping[str, Mapping[str, Any]]], of: Any) -> dict[str, dict[str, Any]]:
    return {model: {pool: of(told) for pool, told in pools.items()} for model, pools in found.items()}


def _bounds(intervals: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, float]]:
    return {name: (100 * low, 100 * high) for name, (low, high) in intervals.items()}


def _by_modality(found: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Recalls in percent; the number of queries stays one."""
    return {name: percent(values) | {"queries": values["queries"]} for name, values in found.items()}
