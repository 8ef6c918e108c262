"""Settings of reading figures and captions: panels, letters, subcaptions, matching, copies, and the detector."""

from typing import Literal

from pydantic import Field

from core.settings.base import Fraction, Settings


class SeparateSettings(Settings):
    """Figures into panels."""

    # learned: a detector sees panels and letters, classical cuts show their true edges. classical: those cuts alone.
    method: Literal["learned", "classical"] = "learned"
    weights: str | None = None  # a separator.onnx of `figray train separator`; None: the one figray comes with
    min_panel: Fraction = Field(0.1, gt=0, lt=1)  # shortest side of a panel, of the figure's same side
    max_panels: int = Field(40, ge=1)  # more than this is texture, not a layout


class LabelSettings(Settings):
    """Printed letters."""

    weights: str | None = None  # a folder with inference.onnx and inference.yml; None: PP-OCRv6 from rapidocr's wheel
    min_score: Fraction = Field(0.3, ge=0, le=1)  # below it a reading does not count; its run judges the rest


class CaptionSettings(Settings):
    """Captions into subcaptions."""

    min_confidence: Fraction = Field(0.5, ge=0, le=1)  # below it the caption stays whole


class MatchSettings(Settings):
    """Panels to subcaptions."""

    # paper: MedVL, section 2.1, a letter that matches none or several takes the whole caption. joint: letters, order
    # and counts of a figure decided together. whole: the figure as published with its whole caption, the "raw data" of
    # MedVL, Table 1.
    rule: Literal["paper", "joint", "whole"] = "joint"
    # full: what the caption says of all panels at its beginning and end stands around a panel's own words. own: its own
    # words alone (MedVL's subcaptions), after the beginning where they are too few.
    text: Literal["full", "own"] = "full"
    # A pair's score is about the share of such pairs whose text is right. Below min_score a panel gets the whole
    # caption, or is left out with that reason.
    min_score: Fraction = Field(0.0, ge=0, le=1)
    below: Literal["whole", "left_out"] = "whole"  # what becomes of a panel below min_score

    @property
    def doubted(self) -> float:
        """The score below which a panel's own text gives way to the whole caption."""
        return self.min_score if self.below == "whole" else 0.0


class DedupeSettings(Settings):
    """What becomes of copies, and of images that are no pictures."""

    # Of two thumbnails laid on each other; copies/dedupe.py. At 0.98 no two of 300 different X-rays are one (the
    # nearest, of one patient, are just below), and at least 99 % of their resized, recompressed and trimmed copies are.
    min_similarity: Fraction = Field(0.98, gt=0, le=1)
    keep: Literal["all", "first"] = "all"  # of the copies of one image; all: each stays, on the same side of the split
    kinds: tuple[Literal["picture", "graphic"], ...] = ("picture", "graphic")  # pairs of other kinds are left out


class DetectorSettings(Settings):
    """The training of the separator, `figray train separator`."""

    steps: int = Field(5000, ge=1)  # of eight figures
    begin: str | None = None  # weights to go on from: a .safetensors file, or "shipped"; None begins anew
    lr: float = Field(2e-3, gt=0)  # of AdamW, at its highest
    warmup_steps: int = Field(150, ge=0)  # over which lr rises from 0
    averaged: Fraction = Field(0.998, ge=0, lt=1)  # decay of the mean of the weights, which is what is kept
    threads: int = Field(1, ge=1)  # of torch; see train.threads
    drawers: int = Field(1, ge=0)  # processes that draw figures; 0 draws between the steps
