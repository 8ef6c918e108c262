"""Settings of retrieval, and of the probes of radiographs."""

from typing import Literal

from pydantic import Field

from core.settings.base import Fraction, Settings


class EvaluateSettings(Settings):
    """Retrieval."""

    split: Literal["val", "test"] = "test"  # whose pairs are retrieved from
    # Pairs that are retrieved from at most, drawn by whole articles with the run's seed; null: all of the split. Recall
    # falls as a pool grows: numbers of two pools compare only at one size.
    pool: int | None = Field(5000, ge=1)
    batch_size: int = Field(64, ge=1)  # images or texts encoded at once
    # Fewest and most actors that encode, rank and match a pool that one core would need more than a minute for; each
    # takes a GPU where train.gpu is set.
    actors: tuple[int, int] = (1, 8)
    actor_cpus: float = Field(1.0, gt=0)  # logical CPUs of one such actor, and its threads
    rerank: int = Field(16, ge=0)  # candidates of ITC that ITM scores again; BLIP has 256 (brain); 0 leaves ITC alone
    # What candidates are ordered by. chosen: cosine / T + w x ITM's logit, w chosen on the validation split, 0 where
    # ITM adds nothing. blip: cosine + logit, which hands their order to ITM.
    rerank_sum: Literal["chosen", "blip"] = "chosen"
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
    # A CSV of phrases with boxes, in the columns of MS-CXR: where does an mlip see each phrase? P@1 and mean IoU.
    phrases: str | None = None
    mask_target: str | None = None  # the finding that is segmented; None: the one with the most masks
    mask_share: Fraction = Field(0.1, gt=0, le=1)  # of the training patients, for segmentation; MLIP, Table 3
    mask_width: int = Field(32, ge=8)  # inside the segmentation head, for two cores; MRM has 768
    # Where the penalty of few-shot's heads is chosen: by three folds of the labelled share, which are all the labels
    # that there are; or on the whole validation split, which has far more.
    penalty: Literal["labelled", "validation"] = "labelled"
    mask_steps: int = Field(400, ge=1)  # of the segmentation head
    resamples: int = Field(1000, ge=0)  # of the patients, for intervals; CheXzero
