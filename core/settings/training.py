"""Settings of the optimiser, the training job, and sweeps over many."""

from typing import Literal

from pydantic import Field, field_validator

from core.records import Kind, MatchedBy, Modality
from core.settings.base import Fraction, Settings


class OptimSettings(Settings):
    """The optimiser, AdamW, and its schedule, a function of the step alone."""

    lr: float = Field(1e-5, gt=0)  # MedVL, section 3
    weight_decay: float = Field(0.05, ge=0)  # BLIP, configs/pretrain.yaml; none on norms, biases and the temperature
    epochs: int = Field(60, ge=1)  # MedVL, section 3
    steps: int | None = Field(None, ge=1)  # instead of epochs, so that two sets of pairs get the same budget
    warmup_steps: int = Field(300, ge=0)  # MedVL's logs
    # epochs: times `decay` after each epoch (BLIP, pretrain.yaml). linear: after each epoch less by the same amount, to
    # nothing after the last (MLIP, 3.1).
    schedule: Literal["cosine", "epochs", "linear"] = "cosine"
    decay: Fraction = Field(0.9, gt=0, le=1)  # BLIP, configs/pretrain.yaml; MedVL's logs
    min_lr: float = Field(0.0, ge=0)  # 1e-6 in BLIP
    beta2: Fraction = Field(0.999, gt=0, lt=1)  # AdamW's; 0.95 in MAE
    clip: float | None = Field(1.0, gt=0)  # norm of the gradient; None: as it is (BLIP, ALBEF, MAE and MRM)
    # Of the temperature, times lr: it is learnt as its logarithm, which AdamW moves by about lr a step. BLIP learns the
    # temperature itself, which at 0.07 moves 1 / 0.07 = 14 times as far.
    temperature_rate: float = Field(1.0, gt=0)


class OnlySettings(Settings):
    """Which pairs are trained on, by the columns of their table; an empty list takes all."""

    kind: tuple[Kind, ...] = ()
    modality: tuple[Modality, ...] = ()
    matched_by: tuple[MatchedBy, ...] = ()  # how a pair's text was found
    licence: tuple[str, ...] = ()  # such as ["CC0", "CC BY"]
    min_score: Fraction = Field(0.0, ge=0, le=1)  # how likely a pair's text is right, at least
    reproduced: bool = True  # false: none of what is shown by a third party's permission, if the table has such pairs


class TrainSettings(Settings):
    """The training job."""

    scheme: Literal["raw", "processed"] = "processed"  # raw: whole figures with whole captions; MedVL, Table 1
    fraction: Fraction = Field(1.0, gt=0, le=1)  # of the training articles; MedVL, Figure 3
    only: OnlySettings = OnlySettings()  # of their pairs; the table and the pools of evaluation stay as they are
    batch_size: int = Field(80, ge=2)  # pairs over all workers; MedVL's logs, 10 on each of 8 GPUs
    accumulate: int = Field(
        1, ge=1
    )  # parts in which a worker's batch passes the encoders; contrasted whole all the same
    # Encoders that stay as they began, but for their last `learnt_blocks` blocks with the norm after them. Of one that
    # stays whole, what it makes of each image or text is kept; patches are then hidden after it, unless mlip.mip asks
    # for pixels: a departure from MLIP's eq. 1, in which hidden patches tell the others nothing.
    frozen: tuple[Literal["image", "text"], ...] = ()
    learnt_blocks: int = Field(0, ge=0)  # the last blocks of a frozen encoder that learn all the same
    # A folder where the permuted copy of the pairs stays for the next training; it is made where they do not fit in
    # memory (trainers/permuted.py). None: it lies in the training's own folder, until the training ends.
    kept_pairs: str | None = None
    kept_states: str | None = None  # a folder where they are kept for the next training; None: in memory alone
    # small: zoom, shift and light a little, never mirrored. papers: a random part, resized, and mirrored where the text
    # says neither left nor right (BLIP, MAE and MRM mirror all). blip: after that RandAugment as BLIP has it, 2
    # operations of magnitude 5, without AutoContrast and Equalize, which change the grey values that films are read by.
    # none: as they are, which is what states are kept of.
    augment: Literal["small", "papers", "blip", "none"] = "small"
    inline: bool = False  # in the process of the command, without Ray Train: for models of seconds, one worker
    # Processes that train side by side. [2, 8]: at least 2 and at most 8, as many as find room, and more or fewer when
    # nodes come or go; the batch is divided among them, and what does not divide is left out of it.
    workers: int | tuple[int, int] = 1
    feeders: int = Field(2, ge=1, le=8)  # processes beside each worker that make its batches of pairs not in memory
    cpus_per_worker: float = Field(0.5, gt=0)  # logical; fewer than all, or Ray Data has none left to feed it
    # Of torch in a worker on CPUs. On shared cores a second thread spins at every barrier: 296 pairs/s with one and 17
    # with two were seen on the demo's model; two trainings side by side use two cores better.
    threads: int = Field(1, ge=1)
    gpu: bool = False  # whether each worker has a GPU
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of the encoders; auto: bfloat16 on a GPU
    gradient_checkpointing: bool = False  # the encoders' layers are computed twice, and need far less memory
    compile: bool = False  # torch.compile of the encoders
    failures: int = Field(2, ge=0)  # restarts from the latest checkpoint before giving up
    checkpoint_minutes: float = Field(10.0, gt=0)  # between two checkpoints
    checkpoint_steps: int | None = Field(None, ge=1)  # whichever of the two comes first
    # Checkpoints reach storage while training goes on. One is lost if its worker dies meanwhile; that before it counts.
    background_uploads: bool = False
    # Each checkpoint's recall on validation pairs is found by a task beside the training, on CPUs, and drawn in the
    # report. Alpha in Ray 2.60. At most evaluate.pool pairs are looked at.
    background_validation: bool = False
    log_seconds: float = Field(2.0, gt=0)  # between two lines of metrics.jsonl
    trackers: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ("tensorboard",)  # beside metrics.jsonl

    def stays_whole(self, side: Literal["image", "text"]) -> bool:
        """Whether nothing of an encoder learns, so that what it makes is kept."""
        return side in self.frozen and not self.learnt_blocks

    @field_validator("workers")
    @classmethod
    def _are_some(cls, workers: int | tuple[int, int]) -> int | tuple[int, int]:
        least, most = workers if isinstance(workers, tuple) else (workers, workers)
        if not 1 <= least <= most:
            raise ValueError("a number from 1, or the fewest and the most of them as [2, 8]")
        return workers

    @property
    def least_workers(self) -> int:
        """The fewest that train."""
        return self.workers[0] if isinstance(self.workers, tuple) else self.workers

    @property
    def most_workers(self) -> int:
        """The most that train."""
        return self.workers[1] if isinstance(self.workers, tuple) else self.workers


class SweepSettings(Settings):
    """Many trainings by settings drawn from a space (Ray Tune), judged on validation alone."""

    trials: int = Field(16, ge=1)  # trainings, each with other settings
    # What is sought, on the validation split: mean_recall of retrieval, or zero_shot_auc; both: the Pareto front.
    metrics: tuple[Literal["mean_recall", "zero_shot_auc"], ...] = Field(("mean_recall",), min_length=1)
    # asha stops the poorer trials early; pbt lets poor ones go on from good ones with other settings.
    scheduler: Literal["asha", "pbt", "none"] = "asha"
    # inline: the loop in the trial's own process. ray_train: fit(), with workers of its own for each trial.
    executor: Literal["inline", "ray_train"] = "inline"
    validations: int = Field(5, ge=1)  # of a trial, at equal numbers of steps; the last after its last step
    grace: Fraction = Field(0.2, gt=0, le=1)  # of a trial's steps, before asha may stop it
    reduction: int = Field(3, ge=2)  # of so many trials that reach a rung of asha, one goes on
    at_once: int | None = Field(None, ge=1)  # trials; None: as many as the machines hold
    retries: int = Field(2, ge=0)  # of a trial that died, each from its latest checkpoint
