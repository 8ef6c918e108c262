"""Settings of MLIP's losses."""

from typing import Literal

from pydantic import Field, field_validator

from core.settings.base import Fraction, Settings


class MlipSettings(Settings):
    """MLIP, eq. 10: named losses in a weighted sum; one with weight 0 is not computed."""

    v2t: float = Field(1.0, ge=0)  # lambda_1 to lambda_4: "we set them to 1 for simplicity"
    t2v: float = Field(1.0, ge=0)  # text to image; v2t is image to text
    spm: float = Field(1.0, ge=0)  # sentence-patch matching
    mip: float = Field(1.0, ge=0)  # masked image prediction
    mask_ratio: Fraction = Field(0.5, ge=0, lt=1)  # of the patches, hidden in training; MLIP, 3.1
    temperature: float = Field(0.4, gt=0)  # MLIP, 3.1; at the start, where it is learnable
    learn_temperature: bool = False  # as CLIP, which begins at 0.07
    similarity: Literal["cosine", "dot"] = "cosine"  # the paper's < , > in eq. 2; dot: unnormalised
    # Eq. 4. exp_softmax: as printed, w between 1 and e, 1 + 1/N for all where phi says nothing. softmax_n: N times the
    # softmax, 1 on average. off: eq. 2 and 3.
    integrity: Literal["exp_softmax", "softmax_n", "off"] = "exp_softmax"
    # Eq. 6 as printed: the weight of the row scales it in both directions. image: in t2v each column's own weight.
    t2v_weight: Literal["anchor", "image"] = "anchor"
    # What other pairs of a batch with the very same text are: negatives, as published, or nothing.
    equal_texts: Literal["negatives", "left_out"] = "negatives"
    phi_rate: float = Field(1.0, gt=0)  # of phi, times the learning rate; the paper tells none
    # Eq. 8 has no negatives: 0. From scratch all states then soon become one, at no cost. More: an image is to be told
    # what its own report costs from what those of so many other pairs do, over the temperature, as GLoRIA tells them.
    # all: those of the whole batch. A report with the very same text is never one of them.
    spm_negatives: int | Literal["all"] = Field(0)
    # The sums of eq. 8's plan over sentences, which the paper does not state. uniform: each patch gives as much as the
    # others, as IPOT is commonly used; all of the image then has to pay for sentences. free: each sentence takes its
    # share from the patches that it likes, by a softmax of cosines over `patch_temperature`.
    patch_sums: Literal["uniform", "free"] = "uniform"
    patch_temperature: float = Field(0.1, gt=0)  # of that softmax
    # What a sentence weighs in the plan that asserts no finding ("No effusion."), where one that does weighs 1.
    silent_weight: Fraction = Field(1.0, ge=0, le=1)
    masks: int | None = Field(None, ge=1)  # of each image, among which every step draws; None: a new one each step
    # Of Stanza's tokenizer, which finds the sentences. None: the one figray comes with; stanza: Stanza's own, which it
    # downloads; or a folder of Stanza's, or a sentences.safetensors of `figray train sentences`.
    sentence_weights: str | None = None
    solver: Literal["ipot", "log_sinkhorn"] = "ipot"  # of the plan; log_sinkhorn: POT's, with beta 0.05 or less
    transport_beta: float = Field(0.5, gt=0)  # of IPOT; UNITER and ViLT. Of log_sinkhorn, its regularisation
    transport_steps: int = Field(50, ge=1)  # UNITER and ViLT
    decoder_width: int = Field(512, ge=8)  # MAE's decoder: 512 wide, 8 deep, 16 heads
    decoder_depth: int = Field(8, ge=1)  # layers
    decoder_heads: int = Field(16, ge=1)  # of attention
    # The pixels that eq. 9 is of. false: from -1 to 1, as the encoder sees them: four times less error than of what the
    # paper calls normalised. dataset: less the mean of chest radiographs, by their deviation, those of MRM. true: each
    # patch's less their own mean, by their own deviation (MAE).
    norm_pix: bool | Literal["dataset"] = False

    @field_validator("spm_negatives")
    @classmethod
    def _not_fewer_than_none(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 0:
            raise ValueError("spm_negatives: 0, more, or all")
        return value

    @field_validator("integrity", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: object) -> object:
        return "off" if value is False else value  # YAML takes off for false
