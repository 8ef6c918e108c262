"""`figray evaluate` of a model on the pools of its run: the numbers, and the rows of queries that make them."""

import sys
from dataclasses import asdict
from typing import Any

import torch

from app import steps
from app.report.evaluated import retrieval_file
from core.config import UserError
from core.places import Place
from core.records import Pair
from core.settings import Config
from core.tables import written
from trainers.evaluation.retrieval import Here, Machine, Plan, evaluate
from trainers.flops import LEAST_ON_RAY, evaluation_flops


def retrieve(config: Config, run: Place, name: str) -> dict[str, Any]:
    """Retrieval of one model on every pool of the run; another split, pool or depth of re-ranking makes another file.

    Beside the numbers stand the rows of all queries that they are made from, one Parquet file for each pool.
    """
    torch.set_num_threads(config.train.threads)
    settings, file = config.evaluate, retrieval_file(run, name, config)
    folder = steps.checkpoint(run, name)
    if file.exists():
        return file.read_json()
    plan = Plan(
        batch_size=settings.batch_size,
        rerank=settings.rerank,
        resamples=settings.resamples,
        seed=config.seed,
        pool=settings.pool,
    )
    with steps.timed(run, f"evaluate {name}"):
        found = {}
        for pool, where in steps.POOLS.items():
            if where == "whole" and not (run / where).exists():
                continue  # reports have no whole figures
            pairs = steps.table(run, where, Pair)
            files = pairs.files(f"split={settings.split}")
            rows = sum(
                file.rows
                for part in pairs.parts()
                for file in part.files
                if file.name.startswith(f"split={settings.split}/")
            )
            if not rows:
                raise UserError(
                    f"{pairs.place} has no pair in its split {settings.split}; raise split.{settings.split} "
                    "where pairs are made, or evaluate another split: --set evaluate.split=val"
                )
            # Of the validation split itself nothing is left to choose on.
            chooses = settings.rerank_sum == "chosen" and settings.split != "val"
            result = evaluate(
                folder,
                files,
                plan,
                machine=machine_for(config, rows),
                weigh_on=(pairs.files("split=val") or None) if chooses else None,
            )
            found[pool] = asdict(result.told)
            predictions = file.name.replace("retrieval-", "predictions-").replace(".json", f"-{where}.parquet")
            (run / "models" / name / predictions).write_bytes(written(result.answers))
    file.write_json(found)
    return file.read_json()


def machine_for(config: Config, pairs: int) -> Machine:
    """What evaluates a pool drawn from so many pairs: Ray's actors, or this process where it is small or has no Ray.

    A model that trained here on an image encoder that stays whole is asked here too: what the encoder makes of an image
    is kept, and each actor would make it again for each model.
    """
    ray = sys.modules.get("ray")
    kept_here = config.train.inline and config.train.stays_whole("image")
    if ray is None or not ray.is_initialized() or kept_here:
        return Here(steps.device_of(config))
    from trainers.evaluation.on_ray import OnRay

    pool = min(pairs, config.evaluate.pool or pairs)
    work = pool * evaluation_flops(config, config.model.max_tokens)
    return Here(steps.device_of(config)) if work < LEAST_ON_RAY else OnRay(config)
