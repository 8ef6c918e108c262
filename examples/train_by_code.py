"""A training by code, in this process: the settings of a recipe on the pairs of a run.

    python examples/train_by_code.py RUN OUT

`figray train` does the same on Ray, with any number of workers.
"""

import shutil
import sys
from pathlib import Path

from core.config import load, override
from core.settings import Config
from trainers.inline import fit_inline
from trainers.loop import Record


def train(config: Config, pairs: list[str], out: Path) -> list[Record]:
    """Train a model on Parquet files of pairs; its checkpoint is `out`. What the loop recorded, in order."""
    records: list[Record] = []

    def keep(folder: str, step: int) -> None:
        shutil.copytree(folder, out, dirs_exist_ok=True)

    fit_inline(config, train_files=pairs, on_checkpoint=keep, on_record=records.append)
    return records


if __name__ == "__main__":
    files = sorted(str(file) for file in Path(sys.argv[1]).glob("pairs/split=train/*.parquet"))
    for record in train(override(load("demo"), {"optim.steps": 50}), files, Path(sys.argv[2])):
        print(record)  # noqa: T201  # an example speaks to its user
