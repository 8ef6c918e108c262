"""Where the sentences of a text stand, by Stanza's tokenizer (Qi et al., CoNLL 2018; MLIP, section 2.3)."""

import json
import logging
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import lru_cache
from importlib.resources import files
from itertools import accumulate
from typing import Any

from core.config import UserError
from core.places import Place
from core.records import Sentence

SHIPPED = "sentences.safetensors"
PUBLISHED = "stanza"
BETWEEN = "\n\n"  # Stanza ends a sentence at every blank line, so no two texts share one
BATCH = 128  # paragraphs that the network sees at once


class SentenceSplitter:
    """Stanza's tokenizer with one set of weights; a blank line ends a sentence, a single new line does not."""

    def __init__(self, weights: str | None = None) -> None:
        """weights: None, the small ones that come with figray; "stanza", Stanza's own English ones, which it fetches;
        a folder of Stanza's models; or a `sentences.safetensors` of `figray train sentences`. UserError if they are
        not there."""
        if weights == PUBLISHED:
            self._tokenizer = _published()
        elif weights is None or weights.endswith(".safetensors"):
            self._tokenizer = _rebuilt(weights)
        else:
            self._tokenizer = _from_folder(weights)

    def __call__(self, texts: Sequence[str]) -> list[list[Sentence]]:
        """The sentences of each text in their order, without the white space around them; none in an empty text."""
        found: list[list[Sentence]] = [[] for _ in texts]
        starts = [0, *accumulate(len(text) + len(BETWEEN) for text in texts)]
        for start, end in self._spans(BETWEEN.join(texts)):
            which = bisect_right(starts, start) - 1
            found[which].append(Sentence(start=start - starts[which], end=end - starts[which]))
        return found

    def _spans(self, text: str) -> list[tuple[int, int]]:
        # Stanza takes seconds to import, and most of figray has no need of it.
        import torch
        from stanza.models.tokenization.data import TokenizationDataset
        from stanza.models.tokenization.utils import output_predictions

        if not text.strip():
            return []
        trainer = self._tokenizer
        paragraphs = TokenizationDataset(
            trainer.args, input_text=text, vocab=trainer.vocab, evaluation=True, dictionary=trainer.dictionary
        )
        # Beyond its longest sequence Stanza goes by windows, which depend on the texts around; so none is too long.
        with torch.inference_mode():
            *_, found = output_predictions(
                None, trainer, paragraphs, trainer.vocab, None, max_seqlen=len(text), orig_text=text
            )
        return [(tokens[0]["start_char"], tokens[-1]["end_char"]) for tokens in found]


@lru_cache
def splitter(weights: str | None = None) -> SentenceSplitter:
    """The splitter with these weights, loaded once in a process."""
    return SentenceSplitter(weights)


def with_sentences(rows: Iterable[dict[str, Any]], split: SentenceSplitter) -> list[dict[str, Any]]:
    """Rows of pairs; those whose `sentences` are missing or none get those of their `text`, as start and end."""
    filled = [dict(row) for row in rows]
    bare = [row for row in filled if row.get("sentences") is None or len(row["sentences"]) == 0]
    for row, sentences in zip(bare, split([row["text"] for row in bare]), strict=True):
        row["sentences"] = [asdict(sentence) for sentence in sentences]
    return filled


def _rebuilt(weights: str | None) -> Any:
    """Stanza's trainer, which holds network and vocabulary, from a safetensors file; None: the one figray ships."""
    from safetensors import safe_open
    from stanza.models.tokenization.trainer import Trainer
    from stanza.models.tokenization.vocab import Vocab

    place = Place.at(weights or str(files("core").joinpath("weights", SHIPPED)))
    if not place.exists():
        raise UserError(f"no weights of a sentence splitter at {place}: `figray train sentences` makes them")
    with place.near() as path, safe_open(path, framework="pt") as file:
        about = file.metadata()
        state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    characters = json.loads(about["characters"])
    vocab = Vocab.load_state_dict(
        {"lang": "en", "_id2unit": characters, "_unit2id": {each: place for place, each in enumerate(characters)}}
    )
    logging.getLogger("stanza").setLevel(logging.ERROR)  # it tells of every optimiser
    trainer = Trainer(args=json.loads(about["args"]) | {"batch_size": BATCH}, vocab=vocab, device="cpu")
    trainer.model.load_state_dict(state)
    return trainer


def _published() -> Any:
    """Stanza's own English tokenizer, fetched by Stanza where it is not in its folder yet."""
    try:
        return _pipeline()
    except OSError as error:  # those of requests and of Stanza's missing files are its kin
        fetch = "python -c \"import stanza; stanza.download('en', processors='tokenize')\""
        raise UserError(
            f"Stanza could not fetch its English tokenizer ({error}): run `{fetch}` where there is a network and copy "
            "~/stanza_resources here, or leave the weights out: figray comes with its own"
        ) from error


def _from_folder(folder: str) -> Any:
    """An English tokenizer in a folder as Stanza lays it out."""
    try:
        return _pipeline(dir=folder, download_method=None)
    except OSError as error:
        raise UserError(
            f"{folder} is neither a .safetensors file nor a folder of Stanza's English models, with resources.json and "
            f"en/tokenize: {error}"
        ) from error


def _pipeline(**where: Any) -> Any:
    import stanza

    pipeline = stanza.Pipeline("en", processors="tokenize", verbose=False, use_gpu=False, **where)
    return pipeline.processors["tokenize"].trainer
