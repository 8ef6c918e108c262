"""The tables and figures of MedVL (sections 3 and 4) as plans: which models to train, and what their results say.

A plan is settings by model name, in waves of which each begins from the one before; it trains nothing itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from app.papers import seeds as over_seeds
from app.papers.seeds import Summary
from core.config import override
from core.settings import Config
from trainers.evaluation import bootstrap

SCHEMES = ("raw", "processed")
STAGES = ("PT", "PT+FT")  # pre-trained; then fine-tuned for retrieval
PERCENTS = (25, 50, 75, 100)  # of the training articles; MedVL, Figure 3
LEFT_OUT = {"all": {}, "no ITM": {"objective.itm": 0.0}, "no text": {"objective.text": 0.0}}
RESAMPLES = 1000  # of the pool's articles


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model of a plan."""

    scheme: str  # of pre-training
    seed: int
    config: Config
    stage: str = "PT"
    percent: int = 100
    without: str = "all"
    budget: str = "epochs"  # epochs: as the paper. steps: raw for as many steps as processed has, several times more

    @property
    def name(self) -> str:
        """Of its folder in the run."""
        share = f"-{self.percent}" if self.percent < 100 else ""
        without = f"-{self.without.replace(' ', '-').lower()}" if self.without != "all" else ""
        tuned = "-finetune" if self.stage == "PT+FT" else ""
        budget = "-equal-steps" if self.budget == "steps" else ""
        return f"{self.scheme}{share}{without}{budget}-seed{self.seed}{tuned}"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a model finds in one pool; values in percent."""

    model: Model
    pool: str
    split: str
    size: int  # pairs in the pool
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]  # 95 %, over the pool's articles
    chance: Mapping[str, float]
    articles: Sequence[str]  # of the queries
    found: Mapping[str, Sequence[float]]  # by metric, of each query the chance that it finds a right one


Ratio = bootstrap.Interval  # a mean over seeds by another one


def pretrained(config: Config, *, seeds: int, percents: Sequence[int] = (100,)) -> list[Model]:
    """PT by both schemes: the same settings but for the scheme, the seed and the share of articles."""
    return [
        Model(scheme=scheme, seed=seed, percent=percent, config=_changed(config, scheme, seed, percent=percent))
        for percent in percents
        for seed in range(seeds)
        for scheme in SCHEMES
    ]


def of_equal_steps(config: Config, *, seeds: int, steps: int) -> list[Model]:
    """PT on whole figures for as many steps as processed pairs get: is it the cut, or the longer training?"""
    return [
        Model(
            scheme="raw", seed=seed, budget="steps",
            config=override(_changed(config, "raw", seed), {"optim.steps": steps}),
        )
        for seed in range(seeds)
    ]  # fmt: skip


def finetuned(config: Config, begun: Iterable[Model]) -> list[Model]:
    """PT+FT: each model trained on with whole figures, whatever it was pre-trained on, as the logs of MedVL's code."""
    return [
        Model(
            scheme=model.scheme,
            seed=model.seed,
            stage="PT+FT",
            budget=model.budget,
            config=override(_changed(config, "raw", model.seed), {"model.init": f"run:{model.name}"}),
        )
        for model in begun
    ]


def ablated(config: Config, *, seeds: int) -> list[Model]:
    """PT on processed pairs with all three losses, and with one of them taken away."""
    return [
        Model(
            scheme="processed",
            seed=seed,
            without=without,
            config=override(_changed(config, "processed", seed), changes),
        )
        for seed in range(seeds)
        for without, changes in LEFT_OUT.items()
    ]


def _changed(config: Config, scheme: str, seed: int, *, percent: int = 100) -> Config:
    return override(config, {"train.scheme": scheme, "seed": config.seed + seed, "train.fraction": percent / 100})


def result(model: Model, pool: str, split: str, found: Mapping[str, Any]) -> Result:
    """What was found in a pool (a trainers.evaluation.retrieval.Retrieval as JSON keeps it) as a result in percent."""
    return Result(
        model=model,
        pool=pool,
        split=split,
        size=found["pool"],
        metrics={name: 100 * value for name, value in found["metrics"].items()},
        intervals={name: (100 * low, 100 * high) for name, (low, high) in found["intervals"].items()},
        chance={name: 100 * value for name, value in found["chance"].items()},
        articles=found["articles"],
        found=found["found"],
    )


def summary(results: Sequence[Result], metric: str) -> Summary | None:
    """A metric over the seeds; None without results."""
    return over_seeds.summary([each.metrics[metric] for each in results])


def ratio(above: Sequence[Result], below: Sequence[Result], metric: str) -> Ratio | None:
    """How many times more the first find, both over seeds, in one pool; None where the second find nothing.

    The interval is over the pool's articles, each query with its mean over the seeds.
    """
    if not above or not below or not any(sum(each.found[metric]) for each in below):
        return None
    first, second = (
        [mean(query) for query in zip(*(each.found[metric] for each in results))] for results in (above, below)
    )
    return Ratio(*bootstrap.ratio(first, second, above[0].articles, resamples=RESAMPLES, seed=0))


def chosen(results: Iterable[Result], **wanted: object) -> list[Result]:
    """Those whose pool, split, scheme, stage, percent or without is as wanted."""
    return [
        each
        for each in results
        if all(
            getattr(each if name in ("pool", "split") else each.model, name) == wish for name, wish in wanted.items()
        )
    ]
