"""All settings of one run, group by group."""

from typing import Self

from pydantic import model_validator

from core.settings.base import Settings
from core.settings.collecting import SelectSettings, SourceSettings, SplitSettings, TableSettings
from core.settings.evaluating import EvaluateSettings, ProbeSettings
from core.settings.mlip import MlipSettings
from core.settings.model import ModelSettings, ObjectiveSettings
from core.settings.reading import (
    CaptionSettings,
    DedupeSettings,
    DetectorSettings,
    LabelSettings,
    MatchSettings,
    SeparateSettings,
)
from core.settings.running import ClusterSettings, PhantomSettings
from core.settings.training import OptimSettings, SweepSettings, TrainSettings


class Config(Settings):
    """All settings of one run."""

    seed: int = 0  # of all that is random: splits, draws, weights from scratch
    source: SourceSettings = SourceSettings()
    select: SelectSettings = SelectSettings()
    separate: SeparateSettings = SeparateSettings()
    labels: LabelSettings = LabelSettings()
    captions: CaptionSettings = CaptionSettings()
    match: MatchSettings = MatchSettings()
    detector: DetectorSettings = DetectorSettings()
    split: SplitSettings = SplitSettings()
    dedupe: DedupeSettings = DedupeSettings()
    tables: TableSettings = TableSettings()
    model: ModelSettings = ModelSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    mlip: MlipSettings = MlipSettings()
    optim: OptimSettings = OptimSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    probe: ProbeSettings = ProbeSettings()
    sweep: SweepSettings = SweepSettings()
    cluster: ClusterSettings = ClusterSettings()
    phantom: PhantomSettings = PhantomSettings()

    @model_validator(mode="after")
    def _pools_fit_the_objective(self) -> Self:
        model, name = self.model, self.objective.name
        if name == "blip" and (model.pool == "all" or model.text_pool not in (None, model.pool) or not model.embedding):
            raise ValueError("objective blip pools both sides alike, by model.pool first or mean, into model.embedding")
        if name == "mlip" and not model.embedding and model.image_width != model.text_width:
            raise ValueError("model.embedding 0 needs model.image_width and model.text_width to be one")
        if name == "mlip" and model.pool == "all" and model.text_pool is None:
            raise ValueError("model.pool all is of images: state model.text_pool")
        return self

    @model_validator(mode="after")
    def _kept_states_stay_true(self) -> Self:
        train = self.train
        if self.train.inline and self.train.most_workers > 1:
            raise ValueError("train.inline has one worker: set train.workers to 1")
        if self.train.learnt_blocks and not train.frozen:
            raise ValueError("train.learnt_blocks counts blocks of frozen encoders: state train.frozen")
        if train.stays_whole("text") and self.model.dropout:
            raise ValueError("a text encoder that stays whole is kept without dropout: set model.dropout to 0")
        if train.stays_whole("image") and train.augment != "none":
            raise ValueError("what a frozen image encoder makes of images is kept: set train.augment to none")
        return self

    @property
    def training_cpus(self) -> float:
        """Logical CPUs that one training holds at the least: its workers, and a task that reads pairs for them."""
        return self.train.least_workers * self.train.cpus_per_worker + self.tables.task_cpus
