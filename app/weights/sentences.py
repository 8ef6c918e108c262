"""Trains the sentence splitter that figray ships by Stanza's own trainer, scores it, and writes its card."""

import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import torch
from safetensors.torch import load, save
from stanza.models.common.utils import set_random_seed
from stanza.models.tokenization.data import DataLoader
from stanza.models.tokenization.trainer import Trainer
from stanza.models.tokenizer import DEFAULT_FEAT_FUNCS, parse_args

from core.places import Place
from core.sentences import SHIPPED, SentenceSplitter
from phantom.punctuation import ABBREVIATIONS, Passage, draw_passages

OnStep = Callable[[int, int], None]

PASSAGES = 3000  # learnt from, with some 20,000 sentences
HELD_OUT = 400  # passages of another seed, scored
STEPS = 2500  # of 32 stretches; some minutes on one core
LOGGED = 50  # steps that a line of metrics.jsonl tells of
# Where they differ from what Stanza's trainer takes by itself: a smaller network with less dropped out of it,
# stretches long enough for a caption's sentence (longer ones it leaves out), and no words that stand for several.
ARGUMENTS: dict[str, Any] = {
    "lang": "en", "shorthand": "en_figray", "emb_dim": 24, "hidden_dim": 40, "max_seqlen": 250, "use_mwt": False,
    "num_dict_feat": 0, "dropout": 0.15, "unit_dropout": 0.15, "device": "cpu",
    "feat_funcs": DEFAULT_FEAT_FUNCS, "feat_dim": len(DEFAULT_FEAT_FUNCS),
}  # fmt: skip
KEPT = (  # what Stanza's trainer needs to build the network and to read a text
    "lang", "shorthand", "emb_dim", "hidden_dim", "vocab_size", "feat_funcs", "feat_dim", "use_mwt", "num_dict_feat",
    "use_dictionary", "skip_newline", "rnn_layers", "conv_res", "hierarchical", "hier_invtemp", "dropout",
    "feat_dropout", "tok_noise", "max_seqlen", "lr0", "weight_decay",
)  # fmt: skip
CARD = """# sentences.safetensors

Finds where sentences stand in reports and captions: Stanza's tokenizer (Qi et al., 2018; stanza {stanza}) with a small
network, {parameters} thousand parameters. `core/sentences.py` rebuilds it; arguments and characters stand in the
file's notes.

- Made by `figray train sentences --set seed={seed}` with Stanza's own trainer: {steps} steps of 32 stretches of text.
- Data: {passages} passages written by `phantom/punctuation.py`, whose sentences are known: chest reports,
  captions and paragraphs of articles with abbreviations, decimals, numbered lists, de-identified blanks and headings,
  words partly invented. No real text was seen.
- Meant for English radiology reports and biomedical captions. A blank line ends a sentence, a single new line does not.
- Licence: that of figray's code; no weights and no texts of others are in it.

On {scored} passages of another seed; a sentence counts if its start and its end are right:

{head}
{rows}

What it is worth on real reports and captions stands in `docs/results.md`.
"""
_PARAGRAPH = re.compile(r"\S.*?(?=\n\s*\n|\Z)", re.DOTALL)
_TOKEN = re.compile(
    "|".join(rf"\b{re.escape(each)}" for each in ABBREVIATIONS)
    + r"|\d+(?:[.,:/]\d+)*|_+|[A-Za-z]\w*(?:[-'’]\w+)*|\w+|\S"
)


def train_sentences(run: Place, *, seed: int, on_step: OnStep, steps: int = STEPS, passages: int = PASSAGES) -> str:
    """Train from scratch; `sentences.safetensors` and `metrics.jsonl` in the run. Gives the path of the weights."""
    torch.set_num_threads(1)
    logging.getLogger("stanza").setLevel(logging.ERROR)
    set_random_seed(seed)  # of random and numpy too, which Stanza draws from
    args, batches = read_by_stanza(list(draw_passages(seed, passages)), seed=seed)
    trainer = Trainer(args=args, vocab=batches.vocab, device="cpu")
    lines: list[str] = []
    losses: list[float] = []
    begun = monotonic()
    for step in range(1, steps + 1):
        trainer.change_lr(args["lr0"] * (1 - (step - 1) / steps))
        losses.append(trainer.update(batches.next(unit_dropout=args["unit_dropout"])))
        on_step(step, steps)
        if step % args["shuffle_steps"] == 0:
            batches.shuffle()
        if step % LOGGED == 0 or step == steps:
            entry = {"step": step, "seconds": round(monotonic() - begun, 1), "loss": round(mean(losses[-LOGGED:]), 5)}
            lines.append(json.dumps(entry))
            (run / "metrics.jsonl").write_bytes("\n".join(lines).encode())
            (run / SHIPPED).write_bytes(packed(trainer))
    return (run / SHIPPED).uri


def read_by_stanza(passages: Sequence[Passage], *, seed: int) -> tuple[dict[str, Any], Any]:
    """The arguments of Stanza's trainer, and its batches of these passages."""
    args = parse_args([]) | ARGUMENTS | {"seed": seed}
    with TemporaryDirectory() as folder:
        text, labels = Path(folder, "text"), Path(folder, "labels")
        found = [each for passage in passages for each in paragraphs(passage)]
        # Stanza shuffles sentences with the white space before them. Reports seldom leave it out, so most of those that
        # begin a paragraph get some.
        blanks = [1 if place % 4 else 0 for place in range(len(found))]
        text.write_text("".join(" " * n + f"{words}\n\n" for n, (words, _) in zip(blanks, found)), encoding="utf-8")
        labels.write_text("".join("0" * n + f"{marks}\n\n" for n, (_, marks) in zip(blanks, found)), encoding="utf-8")
        batches = DataLoader(args, input_files={"txt": str(text), "label": str(labels)})
    return args | {"vocab_size": len(batches.vocab)}, batches


def paragraphs(passage: Passage) -> Iterator[tuple[str, str]]:
    """What stands between blank lines, and Stanza's label of every character: 2 where a sentence ends, 1 where another
    token does, else 0."""
    marks = ["0"] * len(passage.text)
    for sentence in passage.sentences:
        for token in _TOKEN.finditer(passage.text, sentence.start, sentence.end):
            marks[token.end() - 1] = "1"
        marks[sentence.end - 1] = "2"
    for match in _PARAGRAPH.finditer(passage.text):
        yield match[0], "".join(marks[match.start() : match.end()])


def packed(trainer: Any) -> bytes:
    """Stanza's network as safetensors, with its arguments and its characters as notes."""
    state = {name: values.contiguous() for name, values in trainer.model.state_dict().items()}
    args = {name: trainer.args[name] for name in KEPT}
    characters = [trainer.vocab.id2unit(place) for place in range(len(trainer.vocab))]
    return save(state, metadata={"args": json.dumps(args), "characters": json.dumps(characters)})


def score(splitter: SentenceSplitter, passages: Sequence[Passage]) -> dict[str, float]:
    """Precision, recall and F1 of whole sentences, start and end right, and the share of passages without a fault."""
    found = [set(map(astuple, each)) for each in splitter([passage.text for passage in passages])]
    true = [set(map(astuple, passage.sentences)) for passage in passages]
    right = sum(len(one & other) for one, other in zip(found, true, strict=True))
    precision, recall = right / max(1, sum(map(len, found))), right / max(1, sum(map(len, true)))
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(1e-9, precision + recall),
        "passages without a fault": sum(one == other for one, other in zip(found, true, strict=True)) / len(passages),
    }


def write_card(run: Place, *, seed: int, beside: str | None, steps: int = STEPS, passages: int = PASSAGES) -> str:
    """Score the run's weights on passages of another seed; `scores.json` and `sentences.md` in the run.

    beside: other weights, as SentenceSplitter takes them, scored on the same.
    """
    drawn, weights = list(draw_passages(seed + 1, HELD_OUT)), (run / SHIPPED).uri
    scores = {"these": score(SentenceSplitter(weights), drawn)}
    if beside is not None:
        scores["beside"] = score(SentenceSplitter(beside), drawn)
    (run / "scores.json").write_json(scores)
    head = f"| measure | {' | '.join(scores)} |\n|{'---|' * (1 + len(scores))}"
    rows = "\n".join(
        f"| {name} | " + " | ".join(f"{each[name]:.3f}" for each in scores.values()) + " |" for name in scores["these"]
    )
    state = load((run / SHIPPED).read_bytes())
    card = CARD.format(
        stanza=version("stanza"), parameters=round(sum(each.numel() for each in state.values()) / 1000),
        seed=seed, steps=steps, passages=passages, scored=len(drawn), head=head, rows=rows,
    )  # fmt: skip
    (run / "sentences.md").write_bytes(card.encode())
    return (run / "sentences.md").uri
