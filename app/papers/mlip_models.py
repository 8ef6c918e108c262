"""The tables of MLIP (section 3) as plans: which models to train, and what the probes of them say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from app.papers.mlip_published import TABLE_4
from app.papers.seeds import Lead, lead
from core.config import override
from core.settings import Config

PLAIN, FULL, UNTRAINED = "contrast", "integrity + SPM + MIP", "untrained"
# The rows of MLIP, Table 4. Patches are masked in all of them; the contrast is over what is left.
ROWS: dict[str, dict[str, Any]] = {
    PLAIN: {"mlip.integrity": "off", "mlip.spm": 0.0, "mlip.mip": 0.0},
    "integrity": {"mlip.spm": 0.0, "mlip.mip": 0.0},
    "contrast + SPM": {"mlip.integrity": "off", "mlip.mip": 0.0},
    "integrity + SPM": {"mlip.mip": 0.0},
    FULL: {},
}
assert ROWS.keys() == TABLE_4.keys()
BEST = "integrity + SPM, best form"
# What of the losses is not stated, as it does best: sentences take from the patches what they like, every report of the
# batch is a negative, one with an equal text is none, and sentences of no finding hardly count. Weight and temperature
# were chosen on one seed that no table shows.
BEST_FORM: dict[str, Any] = {
    "mlip.patch_sums": "free", "mlip.spm_negatives": "all", "mlip.equal_texts": "left_out", "mlip.silent_weight": 0.1,
    "mlip.patch_temperature": 0.03, "mlip.spm": 1.0, "mlip.mip": 0.0,
}  # fmt: skip
# Of an encoder that stays whole: eq. 9 would teach the decoder alone, so its row is left out.
TRAINED_ROWS: dict[str, dict[str, Any]] = {name: ROWS[name] for name in ROWS if name != FULL} | {BEST: BEST_FORM}


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model of a plan."""

    row: str  # of Table 4, or UNTRAINED
    seed: int
    config: Config

    @property
    def name(self) -> str:
        """Of its folder in the run."""
        kind = "mlip" if self.row == FULL else self.row.replace(" + ", "-").replace(", ", "-").replace(" ", "-").lower()
        return f"{kind}-seed{self.seed}"


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number that a probe has found of a model; values in percent."""

    model: Model
    dataset: str
    task: str  # zero-shot, few-shot, segmentation, pointing, pointing-apart, pointing-seen
    metric: str
    value: float
    low: float | None = None  # 95 %, over the patients
    high: float | None = None
    target: str = ""  # "": the mean over the targets
    share: float | None = None  # of the training patients


def full(config: Config, *, seeds: int) -> list[Model]:
    """MLIP as the settings have it, over seeds."""
    return [of_row(config, FULL, seed) for seed in range(seeds)]


def untrained(config: Config, *, seeds: int) -> list[Model]:
    """What the seeds of `full` begin with, as a floor."""
    return [of_row(config, UNTRAINED, seed) for seed in range(seeds)]


def ablated(config: Config, *, seeds: int) -> list[Model]:
    """The rows of Table 4, over seeds; of frozen encoders those of `TRAINED_ROWS`."""
    rows = TRAINED_ROWS if is_frozen(config) else ROWS
    return [of_row(config, row, seed) for seed in range(seeds) for row in rows]


def is_frozen(config: Config) -> bool:
    """Whether the image encoder stays whole: all models of a table have one start and one encoder."""
    return config.train.stays_whole("image")


def of_row(config: Config, row: str, seed: int) -> Model:
    """A row's model of one seed, counted from the settings' own."""
    changed = (ROWS | {BEST: BEST_FORM}).get(row, {})
    return Model(row=row, seed=seed, config=override(config, {**changed, "seed": config.seed + seed}))


def scores(model: Model, dataset: str, found: Mapping[str, Mapping[str, Any]]) -> list[Score]:
    """What the probes found, by task, as JSON keeps it (see trainers.evaluation), as scores in percent."""
    return [
        Score(model=model, dataset=dataset, task=task, **each)
        for task, read in READERS.items()
        if task in found
        for each in read(found[task])
    ]


def of_zero_shot(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every metric of every target, its prevalence too, and their means."""
    for target, judged in [("", found["mean"]), *found["targets"].items()]:
        for metric, value in {**judged["metrics"], "prevalence": judged["prevalence"]}.items():
            if value is not None:
                yield _percent(metric, value, judged["intervals"].get(metric)) | {"target": target}
    for target, told in found.get("by_side", {}).items():
        for side, auc in told.items():
            yield _percent(f"auc_{side}", auc, None) | {"target": target}


def of_few_shot(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The AUC of every target, and of their mean, at every share."""
    for share in found["shares"]:
        for target, told in [("", share["mean"]), *share["targets"].items()]:
            if told["auc"] is not None:
                yield _percent("auc", told["auc"], told["interval"]) | {"target": target, "share": share["share"]}


def of_segmentation(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every kind of Dice."""
    for metric, value in found["metrics"].items():
        yield _percent(metric, value, found["intervals"].get(metric)) | {"target": found["target"]}


def of_pointing(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """How often each finding is hit, and all of them; the ratio to a random patch is none of percent."""
    for target, hits in [("", found["overall"]), *found["by_finding"].items()]:
        for metric in ("hit_rate", "random_rate"):
            yield _percent(metric, hits[metric], None) | {"target": target}
        if "mean_iou" in hits:
            yield _percent("mean_iou", hits["mean_iou"], None) | {"target": target}
        low, high = hits["interval"] or (None, None)
        yield {"metric": "ratio", "value": hits["ratio"], "low": low, "high": high, "target": target}


READERS = {
    "zero-shot": of_zero_shot,
    "few-shot": of_few_shot,
    "segmentation": of_segmentation,
    "pointing": of_pointing,
    "pointing-apart": of_pointing,
    "pointing-seen": of_pointing,
}


def _percent(metric: str, value: float, interval: Sequence[float] | None) -> dict[str, Any]:
    low, high = (100 * bound for bound in interval) if interval else (None, None)
    return {"metric": metric, "value": 100 * value, "low": low, "high": high}


def chosen(found: Iterable[Score], **wanted: object) -> list[Score]:
    """Those whose row, seed, dataset, task, metric, target or share is as wanted."""
    return [
        each
        for each in found
        if all(getattr(each.model if name in ("row", "seed") else each, name) == want for name, want in wanted.items())
    ]


def averages(found: Iterable[Score]) -> list[Score]:
    """AVG of every model: the mean of its zero-shot AUC and its few-shot AUC.

    Each is the mean over targets; of several data sets and shares, over these. How the paper makes its own does not
    follow from its tables.
    """
    means = chosen(found, metric="auc", target="")
    by_model: dict[str, list[Score]] = {}
    for each in means:
        by_model.setdefault(each.model.name, []).append(each)
    made = []
    for scores_of in by_model.values():
        tasks = [[each.value for each in chosen(scores_of, task=task)] for task in ("zero-shot", "few-shot")]
        if all(tasks):
            value = mean(mean(values) for values in tasks)
            made.append(Score(model=scores_of[0].model, dataset="", task="average", metric="auc", value=value))
    return made


def by_seed(found: Iterable[Score]) -> dict[int, float]:
    """The values of one number by seed."""
    return {each.model.seed: each.value for each in found}


def lead_of(found: Sequence[Score], above: str, below: str) -> Lead | None:
    """By how much one row is ahead of another in one number, seed by seed."""
    return lead(by_seed(chosen(found, row=above)), by_seed(chosen(found, row=below)))
