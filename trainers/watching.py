"""Each checkpoint's recall on the validation split, found by a task of Ray's beside the training."""

from collections.abc import Sequence
from typing import Any, cast

import ray.train
from ray.train import ValidationConfig, ValidationTaskConfig

from core.cluster import nodes
from core.places import Place
from core.settings import Config
from trainers.trackers import WATCHED
from trainers.validation import mean_recall


def watching(config: Config, folder: Place, files: Sequence[str]) -> ValidationConfig:
    """How Ray has a task of its own look at each checkpoint: on a CPU, for the GPUs train."""
    arguments = {
        "files": list(files),
        "out": folder.uri,
        "batch_size": config.evaluate.batch_size,
        "pool": config.evaluate.pool,
    }
    return ValidationConfig(
        fn=cast(Any, look_at),
        task_config=ValidationTaskConfig(fn_kwargs=arguments),
        ray_remote_kwargs={"num_cpus": config.evaluate.actor_cpus, "resources": nodes("pipelines") or None},
    )


def look_at(
    checkpoint: ray.train.Checkpoint, *, files: Sequence[str], out: str, batch_size: int, pool: int | None
) -> dict[str, float]:
    """The mean recall of a checkpoint on pairs of the files, kept as `validation/STEP.json` too."""
    step = int(checkpoint.path.rstrip("/").rpartition("step-")[2])
    with checkpoint.as_directory() as folder:
        found = {"mean_recall": mean_recall(folder, files, batch_size=batch_size, pool=pool)}
    (Place.at(out) / WATCHED / f"{step:08d}.json").write_json({"step": step, **found})
    return found
