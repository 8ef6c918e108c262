"""What a sweep leaves in its folder: the table of its trials, the best recipe, and the page that shows them."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow.parquet as pq

from app.csv_text import as_csv
from app.sweeps.page import SweepReport, render
from core.places import Place
from core.settings import Config
from tuning.importance import importance
from tuning.spaces import Space
from tuning.trials import Trial, best_recipe, best_trial, trials_table


def write_results(
    place: Place, rows: Sequence[Trial], *, space_name: str, space: Space, metrics: Sequence[str], config: Config
) -> str:
    """Write `trials.parquet`, `trials.csv`, `best.yaml` and the page `sweep.html`; the page's place.

    rows: every trial, also those that were stopped or failed. config: what the sweep began with. A sweep none of whose
    trials finished has no best recipe.
    """
    table, buffer = trials_table(rows), io.BytesIO()
    pq.write_table(table, buffer)
    (place / "trials.parquet").write_bytes(buffer.getvalue())
    (place / "trials.csv").write_bytes(as_csv(table.to_pylist()))
    best = best_trial(rows, metrics)
    if best is not None:
        (place / "best.yaml").write_bytes(best_recipe(config, best["settings"]).encode())
    compared = metrics if config.sweep.scheduler != "pbt" else ()  # under pbt settings change within a trial
    sweep = SweepReport(
        title=f"figray: sweep {place.name}",
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        space_name=space_name,
        space=space,
        asked=config.sweep,
        seed=config.seed,
        metrics=metrics,
        rows=rows,
        importances={name: found for name in compared if (found := importance(rows, name, config.seed))},
        recipe=(place / "best.yaml").uri if best is not None else None,
    )
    page = place / "sweep.html"
    page.write_bytes(render(sweep).encode())
    return page.uri
