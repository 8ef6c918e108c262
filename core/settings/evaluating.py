"""Settings of retrieval, and of the probes of radiographs."""

from typing import Literal

from pydantic import Field

from core.settings.base import Fraction, Settings


class EvaluateSettings(Settings):
    """Retrieval."""

    split: Literal["val", "test"] = "test"
    batch_size: int = Field(64, ge=1)
    rerank: int = Field(16, ge=0)  # candidates of ITC that ITM scores again; BLIP has 256 (brain); 0 leaves ITC alone
    resamples: int = Field(1000, ge=0)  # of the pool's articles, for the intervals


class ProbeSettings(Settings):
    """What a model of radiographs is worth: MLIP, Tables 1 to 3."""

    prompts: str | None = None  # a YAML file of prompt sets; None: the one figray comes with
    prompt_set: str = "plain"  # the name of a set in that file
    shares: tuple[Fraction, ...] = (0.01, 0.1)  # of the training patients, for few-shot; MLIP, Table 2
    fewest: int = Field(8, ge=1)  # patients that a share has at least, however small it is
    seeds: int = Field(5, ge=1)  # draws of each share
    # How MLIP's pointing is asked: by a prompt's map, by that less the map of its contrary, by what the image shows.
    maps: tuple[Literal["pointing", "pointing-apart", "pointing-seen"], ...] = (
        "pointing",
        "pointing-apart",
        "pointing-seen",
    )
    mask_target: str | None = None  # the finding that is segmented; None: the one with the most masks
    mask_share: Fraction = Field(0.1, gt=0, le=1)  # of the training patients, for segmentation; MLIP, Table 3
    mask_steps: int = Field(400, ge=1)  # of the segmentation head
    resamples: int = Field(1000, ge=0)  # of the patients, for intervals; CheXzero
