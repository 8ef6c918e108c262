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
from trainers.interchange import downloaded, fill
from trainers.published import of_open_clip, of_transformers
from trainers.seen import write_seen_in
from trainers.transformers_blip import WEIGHTS, read_blip

OF_OPEN_CLIP = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
WORDS = ("*.json", "*.txt", "*.model")  # of a folder, beside the weights
MATCHING = "match_head.weight"  # of a BLIP that can say whether a text belongs to an image


def name_in_run(source: str) -> str:
    """What a published model is called in a run, "hf-openai-clip-vit-base-patch32"; of a folder by its last name."""
    library, _, name = source.partition(":")
    named = Path(name).name if Path(name).is_dir() else name
    kept = "".join(sign if sign.isalnum() or sign in "._" else "-" for sign in named).strip("-.")
    if not kept:
        raise UserError(f"{source} names no model: write {library}:ORGANISATION/NAME, or {library}:FOLDER")
    return f"{library}-{kept}"


def bring(source: str, out: Place, *, pickled: bool) -> None:
    """Write the folder. source: hf: or open_clip:, and a name on the hub, or a folder.

    BLIP becomes a model of figray, whose matching re-ranks; CLIP, SigLIP and open_clip's stay those of their library.
    pickled: whether weights that are pickles may be read. Raises UserError for what cannot be had or read.
    """
    library, _, name = source.partition(":")
    kinds = OF_OPEN_CLIP if library == "open_clip" else WEIGHTS
    folder = Path(name).expanduser()
    if not folder.is_dir():
        there = "take open_clip:FOLDER or hf:FOLDER of it"
        folder = downloaded(name, kinds, pickled=pickled, beside=WORDS, otherwise=there)
    if not (folder / (of_open_clip.CONFIG if library == "open_clip" else "config.json")).is_file():
        raise UserError(
            f"{source}: the folder has no {of_open_clip.CONFIG if library == 'open_clip' else 'config.json'}"
        )
    chosen = weights_of(folder, kinds, pickled=pickled, source=source)
    if library == "hf" and json.loads((folder / "config.json").read_text()).get("model_type") == "blip":
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
    found = next((files for kind in kinds if (files := sorted(folder.glob(kind)))), [])
    if not found:
        raise UserError(f"{source}: the folder has none of {', '.join(kinds)}")
    if found[0].suffix == ".bin" and not pickled:
        raise UserError(
            f"{source} has no weights as safetensors; pickles can run commands: if you trust whoever made them, "
            "--set model.pickled_weights=true"
        )
    index = folder / f"{found[0].name.split('-')[0].removesuffix(found[0].suffix)}{found[0].suffix}.index.json"
    return [*found, *([index] if index.exists() else [])]


READERS = {"hf": of_transformers.read, "open_clip": of_open_clip.read}
