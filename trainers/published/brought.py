"""bring(): a published model as a folder of a run, with all that it needs, so that no machine asks a network again."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from core.checksums import seal
from core.config import UserError
from core.places import Place
from core.settings import ObjectiveSettings
from trainers.blip import Blip
from trainers.checkpoint import GROUPS, PUBLISHED, WHOLE, save_model
from trainers.interchange import downloaded, fill, pickles_alone
from trainers.published import of_open_clip, of_transformers
from trainers.seen import write_seen_in
from trainers.transformers_blip import WEIGHTS, read_blip, weight_files

OF_OPEN_CLIP = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
WORDS = ("*.json", "*.txt", "*.model")  # of a folder, beside the weights; an index of their shards is among them
MATCHING = "match_head.weight"  # of a BLIP that can say whether a text belongs to an image


def name_in_run(source: str) -> str:
    """What a published model is called in a run, "hf-openai-clip-vit-base-patch32"; of a folder by its last name."""
    library, _, name = source.partition(":")
    folder = folder_of(source)
    named = folder.name if folder else name
    kept = "".join(sign if sign.isalnum() or sign in "._" else "-" for sign in named).strip("-.")
    if not kept:
        raise UserError(f"{source} names no model: write {library}:ORGANISATION/NAME, or {library}:FOLDER")
    return f"{library}-{kept}"


def folder_of(source: str) -> Path | None:
    """The folder that stands in the place of a name, if one does."""
    name = source.partition(":")[2]
    folder = Path(name).expanduser()
    return folder.resolve() if name and folder.is_dir() else None


def bring(source: str, out: Place, *, pickled: bool) -> None:
    """Write the folder. source: hf: or open_clip:, and a name on the hub, or a folder.

    BLIP becomes a model of figray, whose matching re-ranks; CLIP, SigLIP and open_clip's stay those of their library.
    pickled: whether weights that are pickles may be read. Raises UserError for what cannot be had or read.
    """
    library, _, name = source.partition(":")
    kinds, config = (OF_OPEN_CLIP, of_open_clip.CONFIG) if library == "open_clip" else (WEIGHTS, "config.json")
    folder = folder_of(source)
    if folder is None:
        there = "take open_clip:FOLDER or hf:FOLDER of it"
        folder = downloaded(name, kinds, pickled=pickled, beside=WORDS, otherwise=there)
    if not (folder / config).is_file():
        raise UserError(f"{source}: the folder has no {config}")
    chosen = weights_of(folder, kinds, pickled=pickled, source=source)
    if library == "hf" and json.loads((folder / config).read_text()).get("model_type") == "blip":
        _bring_blip(source, folder, out)
        return
    with out.written(last=WHOLE) as draft:
        inner = draft / PUBLISHED
        inner.mkdir()
        for file in [*chosen, *(file for kind in WORDS for file in sorted(folder.glob(kind)))]:
            shutil.copy(file, inner / file.name)
        if library == "open_clip":
            of_open_clip.bring_text_encoder(inner)
        model, _ = READERS[library](inner)
        told = dict(zip(GROUPS, [model.settings.model_dump(mode="json"), {"name": PUBLISHED}], strict=False))
        (draft / WHOLE).write_text(json.dumps({**told, PUBLISHED: {"library": library, "source": source}}, indent=1))
        write_seen_in(draft, [])
        seal(draft)


def _bring_blip(source: str, folder: Path, out: Place) -> None:
    weights = read_blip(folder)
    objective = ObjectiveSettings(itm=1.0 if MATCHING in weights.tensors else 0.0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        blip = Blip(weights.settings, objective)
    fill(blip, weights.tensors, source)
    save_model(
        out.uri,
        blip,
        settings=[weights.settings, objective],
        tokenizer=weights.tokenizer,
        told={PUBLISHED: {"library": "hf", "source": source}},
    )


def weights_of(folder: Path, kinds: Sequence[str], *, pickled: bool, source: str) -> list[Path]:
    """The files with a model's weights, of the first kind that there is; UserError where there are none to be read."""
    found = weight_files(folder, kinds)
    if not found:
        raise UserError(f"{source}: the folder has none of {', '.join(kinds)}")
    if found[0].suffix == ".bin" and not pickled:
        raise pickles_alone(source)
    return found


READERS = {"hf": of_transformers.read, "open_clip": of_open_clip.read}
