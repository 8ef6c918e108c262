"""What a reproduction is made with, and what it leaves in the run: NAME.html, NAME.json and NAME.csv."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app import steps
from app.csv_text import as_csv
from app.papers import reproduced
from app.papers.reproduced import Reproduced
from app.progress import Bars
from app.report.from_run import changed_settings
from core.places import Place
from core.settings import Config


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a reproduction is made with."""

    run: Place
    recipe: str  # of pre-training
    config: Config  # its settings
    overrides: Sequence[str]  # that its recipe was changed by
    scale: str
    seeds: int
    terms: Sequence[str]
    on: Sequence[Place]  # runs whose radiographs models are probed with
    bars: Bars


def train(job: Job, models: Mapping[str, Config]) -> None:
    """Train what is not trained yet, by name."""
    steps.train_models(models, job.run, job.bars.step)


def about(job: Job) -> dict[str, Any]:
    """What every page says of its run."""
    return {
        "about": f"Scale {job.scale}, {job.seeds} seed{'s' * (job.seeds > 1)}, run {job.run.name}.",
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "settings": changed_settings(job.config),
    }


def write(job: Job, name: str, page: Reproduced, rows: Sequence[dict[str, Any]]) -> str:
    """NAME.html, NAME.json and NAME.csv in the run; returns the page's path."""
    (job.run / f"{name}.json").write_json({"about": page.about, "said": list(page.sentences), "numbers": list(rows)})
    (job.run / f"{name}.csv").write_bytes(as_csv(rows))
    file = job.run / f"{name}.html"
    file.write_bytes(reproduced.render(page).encode())
    return file.uri
