"""A trained model as a folder, path or URI: weights, config.json, tokenizer/, the articles and images it has seen."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pyarrow.compute as pc
from safetensors.torch import load_model as load_weights
from safetensors.torch import save_model as save_weights
from transformers import PreTrainedTokenizerFast

from core.checksums import refuse_damaged, seal
from core.config import UserError
from core.places import Place
from core.records import Pair
from core.settings import MlipSettings, ModelSettings, ObjectiveSettings, Settings
from core.tables import rows_of
from trainers.batch import load_tokenizer, save_tokenizer
from trainers.blip import Blip
from trainers.losses.masked import Masking
from trainers.mlip import Mlip
from trainers.seen import point_to, seen_by, seen_rows, write_seen_in
from trainers.texts import TextReader
from trainers.towers import UNKNOWN, Towers
from trainers.training_set import MARKS
from trainers.wheels import begun_with

GROUPS = ("model", "objective", "mlip")  # of settings, in config.json
WHOLE = "config.json"  # while a model's folder has it, it has all
PUBLISHED = "published"  # in config.json, where a model comes from that others have trained; and the folder it is in
ON_THE_WAY = ("progress.pt",)  # of a checkpoint, and not of the model that it ends as


def masking(objective: ObjectiveSettings, tokenizer: PreTrainedTokenizerFast) -> Masking:
    """How MLM hides the pieces of a tokenizer."""
    return Masking(
        probability=objective.mlm_probability,
        mask_id=tokenizer.mask_token_id,
        special_ids=tuple(tokenizer.all_special_ids),
        vocabulary=len(tokenizer),
    )


def save_model(
    folder: str | Path,
    model: Towers,
    *,
    settings: Sequence[Settings],
    tokenizer: PreTrainedTokenizerFast,
    articles: Iterable[str] = (),
    images: Iterable[str] = (),
    seen: str | None = None,
    told: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write the folder, whole or not at all.

    settings: the groups `model`, `objective` and, of MLIP, `mlip`. articles, images: what it was trained on, by id and
    by `image_marks`; seen: the folder where that is told, instead. told: what else config.json says: `only`, what its
    pairs were restricted to; `published`, whose weights they were.
    """
    config: dict[str, Any] = {n: group.model_dump(mode="json") for n, group in zip(GROUPS, settings, strict=False)}
    if model.kept:
        config["frozen"] = sorted(model.kept)
    config |= told
    with Place.at(folder).written(last=WHOLE) as draft:
        save_weights(model, str(draft / "model.safetensors"))
        (draft / "config.json").write_text(json.dumps(config, indent=1))
        save_tokenizer(tokenizer, draft / "tokenizer")
        if begun := begun_with(model.settings):
            (draft / "README.md").write_text(f"{begun}\n")
        if seen is not None:
            point_to(draft, seen)
        else:
            write_seen_in(draft, [seen_rows("article", sorted(set(articles))), seen_rows("image", sorted(set(images)))])
        seal(draft)


def load_model(folder: str | Path) -> tuple[Towers, PreTrainedTokenizerFast]:
    """The model, in evaluation mode, and its tokenizer; raises DamagedFolder where a file is not as it was written."""
    with Place.at(folder).near() as here:
        refuse_damaged(Place.at(here), extra=ON_THE_WAY)
        config = json.loads((here / "config.json").read_text())
        if (here / PUBLISHED).is_dir():
            return _load_published(config[PUBLISHED]["library"], here / PUBLISHED)
        tokenizer = load_tokenizer(here / "tokenizer")
        settings, objective = ModelSettings(**config["model"]), ObjectiveSettings(**config["objective"])
        is_mlip = objective.name == "mlip"
        model = Mlip(settings, MlipSettings(**config["mlip"])) if is_mlip else Blip(settings, objective)
        load_weights(model, str(here / "model.safetensors"))
    model.keep(config.get("frozen", ()))
    if PUBLISHED in config:
        model.note = UNKNOWN
    return model.eval(), tokenizer


def _load_published(library: str, folder: Path) -> tuple[Towers, PreTrainedTokenizerFast]:
    """A model that stays its library's; what reads its texts stands for a tokenizer."""
    if library == "open_clip":
        from trainers.published.of_open_clip import read
    else:
        from trainers.published.of_transformers import read
    model, texts = read(folder)
    return model, cast(PreTrainedTokenizerFast, texts)


def load_reader(folder: str | Path) -> tuple[TextReader, int]:
    """What reads texts for the model of a folder, and the size of the images that it sees, in pixels."""
    with Place.at(folder).near() as here:
        settings = ModelSettings(**json.loads((here / "config.json").read_text())["model"])
        return TextReader(load_tokenizer(here / "tokenizer"), settings.max_tokens), settings.image_size


def load_blip(folder: str | Path) -> tuple[Blip, PreTrainedTokenizerFast]:
    """The same of a BLIP; UserError if the folder holds another model."""
    model, tokenizer = load_model(folder)
    if not isinstance(model, Blip):
        raise UserError(f"the model in {folder} is no BLIP: it has no fusion encoder")
    return model, tokenizer


def training_articles(folder: str | Path, among: Collection[str] | None = None) -> set[str]:
    """The ids of the articles that the model of a folder was trained on; among: of these alone."""
    return seen_by(folder, "article", among)


def training_images(folder: str | Path, among: Collection[str] | None = None) -> set[str]:
    """The marks of the images that the model of a folder was trained on; none if it was saved without them."""
    return seen_by(folder, "image", among)


def image_marks(files: Sequence[str], *, articles: Collection[str] | None = None) -> dict[str, str]:
    """What images of pairs tables are known by wherever they stand, each with an article that shows it.

    The MD5 of the published figure, and the group of duplicates that the image is of; files that lack them give none.
    articles: of these alone; None: of all.
    """
    wanted = None if articles is None else pc.field("article_id").isin(sorted(articles))
    table = rows_of(files, Pair)
    marks = [name for name in MARKS if name in table.schema.names]
    rows = table.to_table(columns=["article_id", *marks], filter=wanted).to_pylist()
    return {row[name]: row["article_id"] for row in rows for name in marks if row[name] is not None}
