"""Every setting of figray, with its unit, its default and the source of its number."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

Fraction = float


class Settings(BaseModel):
    """A group of settings: frozen, and no name is taken that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class SourceSettings(Settings):
    """Where articles come from, and how politely."""

    # pmc: ESearch selects, the PMC Cloud delivers. bucket:PATH or URL: every article of a bucket laid out as PMC's.
    origin: str = Field("pmc", pattern=r"^(pmc|bucket:.+)$")
    query: str = (  # MedVL, section 2.1: case reports with "brain" in the caption; field names as ESearch spells them
        '"case reports"[Filter] AND brain[Figure/Table Caption] AND open_access[Filter] '
        "AND (cc0_license[Filter] OR cc_by_license[Filter] OR cc_by-sa_license[Filter])"
    )
    max_articles: int | None = Field(None, ge=1)  # None: all that the query finds
    esearch_url: str = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi"
    bucket_url: str = "https://pmc-oa-opendata.s3.amazonaws.com"
    email: str | None = None  # NCBI asks callers to name themselves
    api_key: SecretStr | None = None  # better in the environment, NCBI_API_KEY
    esearch_per_second: float = Field(2.8, gt=0)  # NCBI allows 3 without a key, 10 with one; 2.8 holds 3 in any window
    # Of the bucket, over the whole cluster. Amazon promises 5,500 for a prefix to all its readers together (S3 User
    # Guide); this is 2 % of them, and what 8 connections of 80 ms get.
    bucket_per_second: float = Field(100.0, gt=0)
    connections: int = Field(8, ge=1, le=64)  # open at once to the bucket, over the whole cluster
    timeout: float = Field(60.0, gt=0)  # seconds for one whole download
    attempts: int = Field(6, ge=1)  # of one request, with growing pauses
    max_bytes: int = Field(64 * 2**20, ge=1)  # of one download


class SelectSettings(Settings):
    """What makes a figure worth keeping."""

    keyword: str = "brain"  # in the caption; MedVL, section 2.1. "" keeps every caption
    # None: case reports where a query selects; any type where the user names the articles (a bucket).
    article_types: tuple[str, ...] | None = None
    licences: tuple[str, ...] = ("CC0", "CC BY", "CC BY-SA")  # others are left out; crops of ND works are derivatives
    min_side: int = Field(64, ge=1)  # pixels
    max_aspect: float = Field(12.0, gt=1)  # longer side over shorter side


class SeparateSettings(Settings):
    """Figures into panels."""

    # learned: a detector sees panels and letters, classical cuts show their true edges. classical: those cuts alone.
    method: Literal["learned", "classical"] = "learned"
    weights: str | None = None  # a separator.safetensors of `figray train separator`; None: the one figray comes with
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


class DetectorSettings(Settings):
    """The training of the separator, `figray train separator`."""

    steps: int = Field(5000, ge=1)  # of eight figures
    lr: float = Field(2e-3, gt=0)
    warmup_steps: int = Field(150, ge=0)
    averaged: Fraction = Field(0.998, ge=0, lt=1)  # decay of the mean of the weights, which is what is kept
    threads: int = Field(1, ge=1)  # of torch; see train.threads
    drawers: int = Field(1, ge=0)  # processes that draw figures; 0 draws between the steps


class SplitSettings(Settings):
    """Articles into train, val and test."""

    val: Fraction = Field(0.125, ge=0, lt=1)  # 2,849 of 22,795: MedVL's code, run8.log
    test: Fraction = Field(0.125, ge=0, lt=1)

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError(f"val {self.val} and test {self.test} leave nothing to train on")
        return self


class DedupeSettings(Settings):
    """What becomes of copies, and of images that are no pictures."""

    # Of two thumbnails laid on each other; pipelines/dedupe.py. At 0.98 no two of 300 different X-rays are one (the
    # nearest, of one patient, are just below), and at least 99 % of their resized, recompressed and trimmed copies are.
    min_similarity: Fraction = Field(0.98, gt=0, le=1)
    keep: Literal["all", "first"] = "all"  # of the copies of one image; all: each stays, on the same side of the split
    kinds: tuple[Literal["picture", "graphic"], ...] = ("picture", "graphic")  # pairs of other kinds are left out


class TableSettings(Settings):
    """Tables on disk, and the machines' share for each station."""

    # Each is committed whole; work lost by a kill is at most the parts in hand. None: so many that a part holds about
    # 250 articles, which bounds memory however large the corpus is; at least 16.
    parts: int | None = Field(None, ge=1)
    collectors: int = Field(2, ge=1)  # parts fetched at once
    readers: tuple[int, int] = (
        1,
        2,
    )  # fewest and most actors that separate and read letters, weights loaded once in each
    reader_cpus: float = Field(0.5, gt=0)  # logical CPUs of one such actor
    task_cpus: float = Field(0.25, gt=0)  # logical CPUs of a collector or of a task that makes pairs


class ModelSettings(Settings):
    """The encoders."""

    # Weights to begin with: hf:ORGANISATION/NAME or a folder, of BLIP as transformers keeps it or of a model of figray;
    # run:NAME, a model of the same run. Shape and tokenizer are then the weights' own; image_size, max_tokens and
    # dropout stay as they stand here.
    init: str | None = None
    # Encoders to begin with, for mlip: a name that timm knows, and hf:ORGANISATION/NAME or a folder of a BERT, whose
    # tokenizer is taken too. Their shapes have to be those stated here.
    image_init: str | None = None
    text_init: str | None = None
    image_size: int = Field(224, ge=16)  # pixels; BLIP, configs/pretrain.yaml
    patch: int = Field(16, ge=2)  # pixels
    image_width: int = 768  # ViT-B/16
    image_depth: int = 12
    image_heads: int = 12
    image_eps: float = Field(1e-6, gt=0)  # of the image encoder's norms; BLIP, models/vit.py
    text_width: int = 768  # BERT-base
    text_depth: int = 12
    text_heads: int = 12
    max_tokens: int = Field(200, ge=8)  # MedVL's code; BLIP has 30
    # Width of the shared space; BLIP. 0: no heads lead there, the encoders' widths are one (MLIP, 2.1).
    embedding: int = Field(256, ge=0)
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
    itm: float = Field(1.0, ge=0)
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
    # How strongly itm's negatives are drawn by similarity: 1 as BLIP draws them, 0 at random. Against hard ones a small
    # model from scratch never learns to match; it does where they become hard slowly.
    hardness: Fraction = Field(1.0, ge=0, le=1)
    hardness_epochs: float = Field(0.0, ge=0)  # over which it rises from 0
    # Of a batch, the share that the fusion encoder sees for itm and text; hard negatives still come from all of it.
    # Four fusion passes a pair cost more than everything else together, and ITC alone needs the whole batch.
    fusion_share: Fraction = Field(1.0, gt=0, le=1)
    mlm_probability: Fraction = Field(0.15, gt=0, lt=1)  # BERT and ALBEF: 15 %, of them 80 masked, 10 random, 10 kept
    label_smoothing: Fraction = Field(0.1, ge=0, lt=1)  # of lm; BLIP, models/med.py


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
    clip: float = Field(1.0, gt=0)  # norm of the gradient


class TrainSettings(Settings):
    """The training job."""

    scheme: Literal["raw", "processed"] = "processed"  # raw: whole figures with whole captions; MedVL, Table 1
    fraction: Fraction = Field(1.0, gt=0, le=1)  # of the training articles; MedVL, Figure 3
    batch_size: int = Field(80, ge=2)  # pairs over all workers; MedVL's logs, 10 on each of 8 GPUs
    accumulate: int = Field(
        1, ge=1
    )  # parts in which a worker's batch passes the encoders; contrasted whole all the same
    workers: int = Field(1, ge=1)
    cpus_per_worker: float = Field(0.5, gt=0)  # logical; fewer than all, or Ray Data has none left to feed it
    # Of torch in a worker on CPUs. On shared cores a second thread spins at every barrier: 296 pairs/s with one and 17
    # with two were seen on the demo's model; two trainings side by side use two cores better.
    threads: int = Field(1, ge=1)
    gpu: bool = False
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of the encoders; auto: bfloat16 on a GPU
    gradient_checkpointing: bool = False  # the encoders' layers are computed twice, and need far less memory
    compile: bool = False  # torch.compile of the encoders
    failures: int = Field(2, ge=0)  # restarts from the latest checkpoint before giving up
    checkpoint_minutes: float = Field(10.0, gt=0)
    checkpoint_steps: int | None = Field(None, ge=1)  # whichever of the two comes first
    log_seconds: float = Field(2.0, gt=0)
    trackers: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ("tensorboard",)  # beside metrics.jsonl


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
    mask_target: str | None = None  # the finding that is segmented; None: the one with the most masks
    mask_share: Fraction = Field(0.1, gt=0, le=1)  # of the training patients, for segmentation; MLIP, Table 3
    mask_steps: int = Field(400, ge=1)  # of the segmentation head
    resamples: int = Field(1000, ge=0)  # of the patients, for intervals; CheXzero


class SweepSettings(Settings):
    """Many trainings by settings drawn from a space (Ray Tune), judged on validation alone."""

    trials: int = Field(16, ge=1)
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


class ClusterSettings(Settings):
    """Where it runs. An address, or RAY_ADDRESS, means a cluster; otherwise Ray is started on this machine."""

    address: str | None = None
    cpus: int | None = Field(None, ge=1)  # logical CPUs of local Ray; None: at least 4, however few cores there are
    object_store: int = Field(2 * 2**30, ge=80 * 2**20)  # bytes, local Ray
    progress_timeout: int = Field(300, ge=1)  # seconds without progress before a station is named and the job stopped


class PhantomSettings(Settings):
    """The embedded corpora."""

    articles: int = Field(240, ge=1)
    patients: int = Field(1500, ge=1)  # of the drawn chest radiographs, one or two studies each
    seed: int = 0


class Config(Settings):
    """All settings of one run."""

    seed: int = 0
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

    @property
    def training_cpus(self) -> float:
        """Logical CPUs that one training holds at once: its workers, and a task that reads pairs for them."""
        return self.train.workers * self.train.cpus_per_worker + self.tables.task_cpus
