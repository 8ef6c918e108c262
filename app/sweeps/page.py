"""The page of a sweep: what was asked, every trial, what each setting did to each metric, and the recipe it ends in."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.papers.reproduced import Cell, Row, Table
from app.report.templates import percent, templates
from app.sweeps import plots as sweep_plots
from app.sweeps.plots import words
from core.settings import SweepSettings
from tuning.importance import FEWEST, INTERVAL, RESAMPLES, Importances
from tuning.spaces import Space, as_plain
from tuning.trials import Trial, as_text, best_trial, curve_of, front_of, names_of, ranked, values

LONGEST_ERROR = 300  # letters
EDGE = 0.05  # of a range: a best value nearer to its end asks for a wider range
VALIDATION = (
    "Every number here is of the validation split. The test split was not looked at: train the chosen recipe, then "
    "evaluate it on test, once."
)
PBT = (
    "Under pbt a trial's settings change on its way: those shown are the last, and the values before them were reached "
    "with others."
)


@dataclass(frozen=True, kw_only=True)
class SweepReport:
    """All that the page shows."""

    title: str
    made: str  # when, as it is to be read
    space_name: str
    space: Space
    asked: SweepSettings
    seed: int
    metrics: Sequence[str]
    rows: Sequence[Trial]
    importances: Mapping[str, Importances]  # by metric; those with too few trials are missing
    recipe: str | None  # the file with the best settings


def render(sweep: SweepReport) -> str:
    """One self-contained HTML page; the same for the same sweep."""
    best = best_trial(sweep.rows, sweep.metrics)
    front = front_of(sweep.rows, sweep.metrics) if len(sweep.metrics) > 1 else []
    return (
        templates("app.sweeps")
        .get_template("sweep.html")
        .render(
            title=sweep.title,
            sweep=sweep,
            best=best,
            sentences=sentences(sweep, best, front),
            notes=notes(sweep, best),
            asked=asked(sweep),
            ended=ended(sweep.rows),
            ranges=[(name, *line) for name, each in as_plain(sweep.space).items() for line in each.items()],
            table=trials(sweep, best, front),
            against=_against(sweep, best),
            mattered={words(metric): mattered(sweep.importances.get(metric), sweep.asked) for metric in sweep.metrics},
            importance_plot=_importance_plot(sweep),
            front_plot=sweep_plots.front_plot(sweep.rows, sweep.metrics, front, best) if front else None,
            curves_plot=sweep_plots.curves_plot(sweep.rows, sweep.metrics, best) if _has_curves(sweep) else None,
            as_text=as_text,
            statuses={row["status"] for row in sweep.rows},
            resamples=RESAMPLES,
            interval=INTERVAL,
        )
    )


def sentences(sweep: SweepReport, best: Trial | None, front: Sequence[Trial]) -> list[str]:
    """What the sweep found."""
    if best is None:
        return [f"None of {len(sweep.rows)} trials ran to its end with {_listed(sweep.metrics)}: there is no best one."]
    order = ranked(sweep.rows, sweep.metrics)
    reached = " and ".join(f"{words(name)} {_number(best['metrics'][name])}" for name in sweep.metrics)
    if len(sweep.metrics) == 1:
        of = f"the best of the {len(order)}" if len(order) > 1 else "the only one"
        return [f"Trial {best['trial']} is {of} that ran to {'their' if len(order) > 1 else 'its'} end: {reached}."]
    return [
        f"{len(front)} of the {len(order)} trials that ran to their end are on the Pareto front: no other is better in "
        f"one metric and no worse in the other.",
        f"Of them trial {best['trial']} has the best mean rank over both metrics, {order[0][1]:g} of {len(order)}: "
        f"{reached}. Who values one metric more may choose another of the front.",
    ]


def notes(sweep: SweepReport, best: Trial | None) -> list[str]:
    """What has to be known before a number is believed."""
    found = [VALIDATION]
    if best is not None and len(ranked(sweep.rows, sweep.metrics)) > 1:
        found.append("The best was chosen by the very numbers shown; elsewhere it will do a little worse than here.")
    if any(row["status"] == "stopped" for row in sweep.rows):
        found.append("Stopped trials are shown with the value they had then, after fewer steps than the others.")
    if sweep.asked.scheduler == "pbt":
        found.append(PBT)
    edges = at_the_edge(sweep.space, best["settings"]) if best is not None else []
    if edges:
        found.append(f"The best has {_listed(edges)} at the end of the range: a wider one may hold a better trial.")
    return found


def at_the_edge(space: Space, settings: Mapping[str, Any]) -> list[str]:
    """The settings whose value lies within a twentieth of its range from one of the ends."""
    found = []
    for name, each in space.items():
        if each.kind != "choice" and name in settings:
            scale = math.log if str(each.kind).startswith("log") else float
            low, high, value = (scale(number) for number in (*each.values, settings[name]))
            if min(value - low, high - value) < EDGE * (high - low):
                found.append(name)
    return found


def asked(sweep: SweepReport) -> dict[str, str]:
    """What was asked for, in words."""
    settings = sweep.asked
    at_once = "as many as fit" if settings.at_once is None else str(settings.at_once)
    scheduler = {
        "asha": f"asha: from {100 * settings.grace:g} % of the steps on, one of {settings.reduction} goes on, by "
        f"{words(settings.metrics[0])}",
        "pbt": "pbt: poor trials go on from good ones",
        "none": "none: every trial runs to its end",
    }
    return {
        "space": sweep.space_name,
        "metrics": _listed(sweep.metrics),
        "trials": f"{settings.trials}, at once {at_once}",
        "scheduler": scheduler[settings.scheduler],
        "executor": settings.executor,
        "validations of a trial": str(settings.validations),
        "restarts, at most": f"{settings.retries} of a trial" if settings.retries else str(settings.retries),
        "seed": str(sweep.seed),
    }


def ended(rows: Sequence[Trial]) -> dict[str, str]:
    """How many trials started, and how they ended. Started again: after a death, an interruption, or by pbt."""
    status = Counter(row["status"] for row in rows)
    again = [row["starts"] - 1 for row in rows if row["starts"] > 1]
    return {
        "started": str(sum(row["starts"] > 0 for row in rows)),
        "finished": str(status["finished"]),
        "stopped early": str(status["stopped"]),
        "failed": str(status["failed"]),
        "started again": f"{sum(again)}, of {len(again)} trial{'s' * (len(again) > 1)}" if again else "0",
        "time of all trials": _time(sum(row["seconds"] for row in rows)),
    }


def mattered(found: Importances | None, asked: SweepSettings) -> str:
    """How far the importances of one metric can be believed."""
    if asked.scheduler == "pbt":
        return "Under pbt settings change within a trial: nothing can be concluded."
    if found is None:
        return f"Fewer than {FEWEST} trials can be compared: nothing can be concluded."
    if not found.settings:
        return f"All {found.trials} trials have one value, or the same settings: there is nothing to explain."
    where = "each at its full length"
    if found.step is not None:
        where = (
            f"compared at step {found.step:,}, the last that {FEWEST} of them reached; what matters there may not "
            f"matter at the end"
        )
    worth = f"explains {percent(found.explained)} of the variance among trials that it has not seen."
    if found.explained <= 0:
        worth = "says nothing true of trials that it has not seen: the bars are chance."
    return f"{found.trials} trials, {where}. The forest {worth}"


def trials(sweep: SweepReport, best: Trial | None, front: Sequence[Trial]) -> Table:
    """Every trial: those that finished, best first, then the stopped ones by how far they came, then the failed."""
    groups: dict[str, list[str]] = {"validation": [words(name) for name in sweep.metrics]}
    names = sorted(names_of(sweep.rows, "settings"), key=lambda name: name.rpartition(".")[0])
    for name in names:
        group, _, own = name.rpartition(".")
        groups.setdefault(group or "settings", []).append(own)
    groups["run"] = ["steps", "time"]
    order, numbered = [row for row, _ in ranked(sweep.rows, sweep.metrics)], list(enumerate(front, start=1))
    rest = [row for row in sweep.rows if not any(row is one for one in order)]
    last = {"finished": 0, "stopped": 1, "failed": 2}
    rest.sort(key=lambda row: (last[row["status"]], -row["step"], *(-value for value in values(row, sweep.metrics))))
    return Table(
        title="Trials",
        caption="Those that ran to their end first, the best on top; then, grey, the stopped and the failed.",
        groups=groups,
        rows=[
            Row(
                head=row["trial"],
                meaning=_meaning(
                    row, is_best=row is best, place=next((at for at, one in numbered if one is row), None)
                ),
                cells=_cells(row, sweep.metrics, names, is_best=row is best),
                is_quiet=row["status"] != "finished",
            )
            for row in [*order, *rest]
        ],
    )


def _meaning(row: Trial, *, is_best: bool, place: int | None) -> str:
    """How a trial ended, and why; its place on the Pareto front; how often it had to be started."""
    lines = str(row["error"] or "").strip().splitlines() or [""]
    reason = lines[-1].strip()[:LONGEST_ERROR]
    how = {
        "finished": "best" * is_best,
        "stopped": f"stopped at step {row['step']:,}: {reason or 'others were ahead'}",
        "failed": f"failed after step {row['step']:,}: {reason or 'no reason was kept'}",
    }
    on_front = f"{place} on the Pareto front" if place else ""
    starts = f"started {row['starts']} times" if row["starts"] > 1 else ""
    return "; ".join(filter(None, (how[row["status"]], on_front, starts)))


def _cells(row: Trial, metrics: Sequence[str], names: Sequence[str], *, is_best: bool) -> list[Cell]:
    settings = row["settings"]
    return [
        *(Cell(value=_number(row["metrics"].get(name)), is_best=is_best) for name in metrics),
        *(Cell(value=_value(settings[name]) if name in settings else "–", is_best=is_best) for name in names),
        *(Cell(value=text) for text in (f"{row['step']:,}", _time(row["seconds"]))),
    ]


def _against(sweep: SweepReport, best: Trial | None) -> dict[str, Markup]:
    """The plot of all settings for each metric that any trial has."""
    return {
        words(metric): sweep_plots.settings_plot(sweep.rows, metric, best=best, space=sweep.space)
        for metric in sweep.metrics
        if any(row["settings"] and not math.isnan(values(row, [metric])[0]) for row in sweep.rows)
    }


def _importance_plot(sweep: SweepReport) -> Markup | None:
    drawn = {metric: each for metric, each in sweep.importances.items() if each.settings}
    return sweep_plots.importance_plot(drawn) if drawn else None


def _has_curves(sweep: SweepReport) -> bool:
    return any(curve_of(row, name) for row in sweep.rows for name in sweep.metrics)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(words(name) if name in sweep_plots.METRICS else name for name in names)


def _number(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.4f}"


def _value(value: Any) -> str:
    """A setting's value, numbers to three digits."""
    if isinstance(value, str):
        return value
    return f"{value:.3g}" if isinstance(value, float) else as_text(value)


def _time(seconds: float) -> str:
    """ "45 s", "12 min", "3.4 h"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
