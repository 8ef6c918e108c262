"""Settings of MLIP's losses."""

from typing import Literal

from pydantic import Field, field_validator

from core.settings.base import Fraction, Settings


class MlipSettings(Settings):
    """MLIP, eq. 10: named losses in a weighted sum; one with weight 0 is not computed."""

    v2t: float = Field(1.0, ge=0)  # lambda_1 to lambda_4: "we set them to 1 for simplicity"
    t2v: float = Field(1.0, ge=0)
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
    spm_negatives: int = Field(0, ge=0)
    # Of Stanza's tokenizer, which finds the sentences. None: the one figray comes with; stanza: Stanza's own, which it
    # downloads; or a folder of Stanza's, or a sentences.safetensors of `figray train sentences`.
    sentence_weights: str | None = None
    solver: Literal["ipot", "log_sinkhorn"] = "ipot"  # of the plan; log_sinkhorn: POT's, with beta 0.05 or less
    transport_beta: float = Field(0.5, gt=0)  # of IPOT; UNITER and ViLT. Of log_sinkhorn, its regularisation
    transport_steps: int = Field(50, ge=1)  # UNITER and ViLT
    decoder_width: int = Field(512, ge=8)  # MAE's decoder: 512 wide, 8 deep, 16 heads
    decoder_depth: int = Field(8, ge=1)
    decoder_heads: int = Field(16, ge=1)
    norm_pix: bool = False  # each patch's pixels less their mean, by their deviation (MAE); eq. 9 has plain pixels

    @field_validator("integrity", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: object) -> object:
        return "off" if value is False else value  # YAML takes off for false
