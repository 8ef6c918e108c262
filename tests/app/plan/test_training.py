"""Trainings in a plan, worked out by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.plan import training as plan_training
from app.plan.nodes import Machines, NodeGroup, PlanError
from app.plan.training import TrainingSet, trainers, training, training_set
from core.config import override
from core.settings import Config
from trainers.flops import step_flops

NUMBERS = {
    "core": 1.0, "lost_work": 1.0, "text_pieces": 45.0, "gpu_share": 0.25, "workers_share": 0.5, "cpu_flops": 1e10,
    "prepare_seconds_per_pair": 0.0, "training_seconds": 0.0,
}  # fmt: skip
GPU = NodeGroup(
    name="gpu", instance="g6e.2xlarge", cpus=8, cores=8, gpus=1, memory=64e9, most=4, price=2.0, spot=False,
    disk_price=0.0, flops=400e12,
)  # fmt: skip
CPU = replace(GPU, name="cpu", instance="c6i.4xlarge", gpus=0, flops=0.0)
MACHINES = Machines(head=CPU, cpu=CPU, gpu=GPU, idle=0.0)
ON_GPU = override(Config(), {"train.gpu": True, "train.cpus_per_worker": 2})


def test_steps_are_whole_batches_of_every_epoch() -> None:
    config = override(Config(), {"optim.epochs": 3, "train.batch_size": 80, "split.val": 0.1, "split.test": 0.1})
    assert training_set(config, 1000) == TrainingSet(pairs=800, seen=3 * 10 * 80)
    assert training_set(config, 1010).seen == 3 * 10 * 80  # 808 pairs: eight are left over
    assert training_set(override(config, {"optim.steps": 7}), 1000).seen == 7 * 80
    with pytest.raises(PlanError, match="40 pairs to train on do not fill one batch of 80"):
        training_set(config, 50)


def test_a_gpu_does_its_share_of_what_is_stated() -> None:
    seen = 1e6
    where = training(ON_GPU, [TrainingSet(1e6, seen)], trainers(ON_GPU, MACHINES, NUMBERS, models=1), NUMBERS)
    assert where.seconds == pytest.approx(seen * step_flops(ON_GPU, 45) / 100e12)
    assert (where.nodes, where.bound) == (1, "train.workers=1, a GPU each")


def test_two_workers_need_two_nodes_and_lose_what_they_say_to_each_other() -> None:
    config = override(ON_GPU, {"train.workers": 2})
    chosen = trainers(config, MACHINES, NUMBERS, models=1)
    assert (chosen.nodes, chosen.flops) == (2, 2 * 100e12 * 0.5)


def test_two_models_train_side_by_side_where_there_is_room_and_else_in_turn() -> None:
    sets = [TrainingSet(1e5, 1e6)] * 2
    both = training(ON_GPU, sets, trainers(ON_GPU, MACHINES, NUMBERS, models=2), NUMBERS)
    narrow = replace(MACHINES, gpu=replace(GPU, most=1))
    turns = training(ON_GPU, sets, trainers(ON_GPU, narrow, NUMBERS, models=2), NUMBERS)
    assert (both.nodes, turns.nodes) == (2, 1)
    assert turns.seconds == pytest.approx(2 * both.seconds)


def test_a_gpu_waits_for_images_that_its_node_cannot_decode_in_time() -> None:
    numbers = NUMBERS | {"prepare_seconds_per_pair": 7.0}
    chosen = trainers(ON_GPU, MACHINES, numbers, models=1)
    held = training(ON_GPU, [TrainingSet(1000, 1e6)], chosen, numbers)  # decoded once: they fit in memory
    assert held.bound == "train.workers=1, a GPU each"
    again = training(ON_GPU, [TrainingSet(1e6, 1e6)], chosen, numbers)
    assert again.seconds == pytest.approx(1e6 * 7 / 7)  # seven vCPUs beside the worker's own
    assert again.bound == "the CPUs beside them, which decode images"


def test_more_threads_than_cores_slow_each_other_down() -> None:
    config = override(Config(), {"train.cpus_per_worker": 0.5})
    one = replace(CPU, cpus=4, cores=2, most=1)
    machines = Machines(head=one, cpu=one, gpu=None, idle=0.0, one=True)
    flops = [trainers(config, machines, NUMBERS, models=models).flops for models in (1, 2, 4)]
    assert flops == [1e10, 1e10, 0.5e10]


def test_what_is_missing_is_said() -> None:
    with pytest.raises(PlanError, match="no group of nodes has a GPU"):
        trainers(ON_GPU, replace(MACHINES, gpu=None), NUMBERS, models=1)
    with pytest.raises(PlanError, match="a training holds 8 GPUs, and group gpu may have 4"):
        trainers(override(ON_GPU, {"train.workers": 8}), MACHINES, NUMBERS, models=1)


def test_images_are_held_as_the_training_job_holds_them() -> None:
    job = Path(plan_training.__file__).parents[2] / "trainers" / "feeding.py"  # read: its import takes seconds
    assert f"\nHELD = {plan_training.HELD} " in job.read_text(encoding="utf-8")
    assert plan_training.MOST == 2 * 2**30 and "\nMOST = 2 * 2**30 " in job.read_text(encoding="utf-8")
