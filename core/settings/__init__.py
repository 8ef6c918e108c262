"""Every setting of figray, with its unit, its default and the source of its number.

In: values by dotted name, checked by core/config.py. Out: `Config`, frozen, which every station reads its group of.
Begin with the module of your station (collecting, reading, model, training, evaluating); config.py joins them.
"""

from core.settings.base import Settings
from core.settings.collecting import SelectSettings, SourceSettings, SplitSettings, TableSettings
from core.settings.config import Config
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
from core.settings.training import OnlySettings, OptimSettings, SweepSettings, TrainSettings

__all__ = [
    "CaptionSettings",
    "ClusterSettings",
    "Config",
    "DedupeSettings",
    "DetectorSettings",
    "EvaluateSettings",
    "LabelSettings",
    "MatchSettings",
    "MlipSettings",
    "ModelSettings",
    "ObjectiveSettings",
    "OnlySettings",
    "OptimSettings",
    "PhantomSettings",
    "ProbeSettings",
    "SelectSettings",
    "SeparateSettings",
    "Settings",
    "SourceSettings",
    "SplitSettings",
    "SweepSettings",
    "TableSettings",
    "TrainSettings",
]
