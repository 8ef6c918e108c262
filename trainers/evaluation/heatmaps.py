"""Where a model looks for a term: Grad-CAM on cross-attention (ALBEF, section 5 and figure 4; MedVL, section 4.2)."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from textwrap import shorten
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.records import Box
from trainers.batch import Collate, prepare
from trainers.blip import Blip
from trainers.texts import number

DEPTH = 2 / 3  # of the fusion encoder, where to look: block 8 of 12 in MedVL's code


class TermError(UserError):
    """The term cannot be looked for in this text or by this model."""


@dataclass(frozen=True)
class Located:
    """A term among the pieces of a text."""

    tokens: tuple[int, ...]  # of the whole text as the model reads it
    places: tuple[int, ...]  # of the term's pieces among them
    pieces: tuple[str, ...]  # at these places
    found: tuple[tuple[int, int], ...]  # first character and end of each occurrence


@dataclass(frozen=True)
class TermMap:
    """What of an image speaks for the match of a text, seen from a term in it."""

    map: Tensor  # (h, w), the grid of patches; 0 to 1, or 0 everywhere if nothing speaks for the match
    pieces: tuple[str, ...]  # the word pieces that were averaged
    found: tuple[tuple[int, int], ...]  # first character and end of each occurrence


def row_maps(
    model: Blip, tokenizer: PreTrainedTokenizerFast, rows: Sequence[Mapping[str, Any]], term: str
) -> list[TermMap]:
    """The maps of rows of the pairs table, letterboxed as in training; errors as of term_maps()."""
    size = model.settings.image_size
    batch = Collate(tokenizer, size, model.settings.max_tokens)([prepare(row, size) for row in rows])
    images = batch.images.to(model.log_temperature.device)
    return term_maps(model, tokenizer, images, [row["text"] for row in rows], term)


def term_maps(
    model: Blip,
    tokenizer: PreTrainedTokenizerFast,
    images: Tensor,
    texts: Sequence[str],
    term: str,
    *,
    layer: int | None = None,
) -> list[TermMap]:
    """A map for each image and its text, mean over the pieces of all occurrences of the term in that text.

    images: (N, 3, H, W), -1 to 1. layer: of the fusion encoder, from 0; None: at two thirds of its depth. Raises
    TermError if a text lacks the term, or the model does not read it whole or was not trained to match.
    """
    if not model.matches:
        raise TermError("this model was trained without matching (objective.itm 0), so that nothing speaks for a match")
    model.eval()
    located = [locate(tokenizer, text, term, max_tokens=model.settings.max_tokens) for text in texts]
    depth = model.settings.text_depth
    chosen = min(round(depth * DEPTH), depth - 1) if layer is None else layer
    return [
        TermMap(_map(model, image, each, layer=chosen), each.pieces, each.found)
        for image, each in zip(images, located, strict=True)
    ]


def text_map(model: Blip, tokenizer: PreTrainedTokenizerFast, image: Tensor, text: str) -> Tensor:
    """(h, w), 0 to 1: the map of all the words of a text together. image: (3, H, W), -1 to 1."""
    model.eval()
    tokens = tuple(tokenizer(text, truncation=True, max_length=model.settings.max_tokens)["input_ids"])
    depth = model.settings.text_depth
    words = Located(tokens, tuple(range(1, max(2, len(tokens) - 1))), (), ())  # between [CLS] and [SEP]
    return _map(model, image, words, layer=min(round(depth * DEPTH), depth - 1))


def locate(tokenizer: PreTrainedTokenizerFast, text: str, term: str, *, max_tokens: int) -> Located:
    """The pieces of every whole occurrence of a term, however it is cut and written in capitals or not.

    max_tokens: the text is cut there. Raises TermError if no occurrence is left that the tokenizer knows.
    """
    spans = occurrences(text, term)
    if not spans:
        raise TermError(f"the term “{term}” is not in the text “{_short(text)}”")
    read = tokenizer(text, truncation=True, max_length=max_tokens, return_offsets_mapping=True)
    offsets = read["offset_mapping"]  # (0, 0) for [CLS] and [SEP]
    inside = {
        span: [p for p, (first, end) in enumerate(offsets) if first < span[1] and end > span[0]] for span in spans
    }
    whole = {span: places for span, places in inside.items() if places and offsets[places[-1]][1] >= span[1]}
    if not whole:
        raise TermError(f"the term “{term}” stands after the first {max_tokens} pieces of the text “{_short(text)}”")
    places = tuple(chain.from_iterable(whole.values()))
    tokens = tuple(read["input_ids"])
    if any(tokens[place] == tokenizer.unk_token_id for place in places):
        raise TermError(f"the tokenizer has no pieces for the term “{term}”")
    pieces = tokenizer.convert_ids_to_tokens([tokens[place] for place in places])
    return Located(tokens, places, tuple(pieces), tuple(whole))


def occurrences(text: str, term: str) -> list[tuple[int, int]]:
    """First character and end of each place where the words of the term stand in a text, whole, in either case."""
    words = r"\s+".join(re.escape(word) for word in term.split())
    return [found.span() for found in re.finditer(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE)] if words else []


def attended(model: Blip, states: Tensor, tokens: Tensor, *, layer: int) -> tuple[Tensor, Tensor]:
    """The match logits (1, 2) of one image and one text, and the attention (1, heads, T, P) of a layer behind them.

    states: (1, P, image_width). tokens: (1, T), without padding. The logits are those of match_logits().
    """
    bert = model.text_encoder.bert
    seen: list[Tensor] = []
    watched = model.text_encoder.cross_attentions()[layer]
    handle = watched.register_forward_hook(lambda module, given, made: seen.append(made[1]))
    usual = bert.config._attn_implementation
    bert.set_attn_implementation("eager")  # scaled-dot-product attention never makes the weights
    try:
        logits = model.match_logits(states, tokens, torch.ones_like(tokens, dtype=torch.bool))
    finally:
        bert.set_attn_implementation(usual)
        handle.remove()
    return logits, seen[0]


def _map(model: Blip, image: Tensor, located: Located, *, layer: int) -> Tensor:
    """(h, w), 0 to 1, on the CPU. image: (3, H, W)."""
    tokens = torch.tensor([located.tokens], device=image.device)
    with torch.no_grad():
        states = model.embed_images(image[None])[1]
    with torch.enable_grad():
        logits, attention = attended(model, states.requires_grad_(), tokens, layer=layer)
        # The gradient of log p(match) is that of the log odds times p(no match), which rounds to 0 for a sure model.
        gradient = torch.autograd.grad(logits[0, 1] - logits[0, 0], attention)[0]
    grid = [side // model.settings.patch for side in image.shape[1:]]
    return grad_cam(attention.detach()[0], gradient[0], located.places).view(grid).cpu()


def grad_cam(attention: Tensor, gradient: Tensor, places: Sequence[int]) -> Tensor:
    """(P - 1,), 0 to 1: attention * positive gradient, mean over heads and the places, without the first state.

    attention, gradient: (heads, T, P), the first of P states the whole image's. places: rows of T.
    """
    cam = (attention * gradient.clamp(min=0)).mean(dim=0)[list(places), 1:].mean(dim=0)
    return cam / cam.max().clamp(min=torch.finfo(cam.dtype).tiny)


def examples_with(
    term: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    n: int,
    models: Sequence[tuple[Blip, PreTrainedTokenizerFast]] = (),
) -> list[Mapping[str, Any]]:
    """At most n held-out pairs whose text has the term, from as many articles as possible; the same ones every time.

    rows: of the pairs table, of a split not trained on. models: those to be shown; each must read the term in the text.
    """
    by_article: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: number(f"{term}:{row['pair_id']}")):
        if occurrences(row["text"], term) and all(reads_term(*model, row["text"], term) for model in models):
            by_article[row["article_id"]].append(row)
    turns = zip_longest(*by_article.values())
    return [row for row in chain.from_iterable(turns) if row is not None][:n]


def reads_term(model: Blip, tokenizer: PreTrainedTokenizerFast, text: str, term: str) -> bool:
    """Whether a model reads a term in a text whole."""
    try:
        locate(tokenizer, text, term, max_tokens=model.settings.max_tokens)
    except TermError:
        return False
    return True


def points_at(heat: Tensor, box: Box, size: tuple[int, int]) -> bool:
    """Whether the middle of the hottest patch lies in the box (the pointing game; Zhang et al., 2016).

    heat: (h, w), of the letterboxed image. box: pixels of the image as it was. size: its width and height. A map
    that is 0 everywhere points at nothing.
    """
    if not heat.any():
        return False
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    left, top, right, bottom = _in_patches(box, size, heat.shape)
    return left <= column + 0.5 < right and top <= row + 0.5 < bottom


def share_inside(heat: Tensor, box: Box, size: tuple[int, int]) -> float:
    """The share of all heat that lies in the box; arguments as of points_at(). 0 if there is no heat."""
    left, top, right, bottom = _in_patches(box, size, heat.shape)
    total = heat.sum()
    if not total:
        return 0.0
    return (_covered(top, bottom, heat.shape[0]) @ heat @ _covered(left, right, heat.shape[1]) / total).item()


def inside_of(boxes: Sequence[Box], size: tuple[int, int], grid: tuple[int, int]) -> float:
    """The share of a map's patches whose middle lies in one of the boxes: what points_at() finds by chance.

    grid: rows and columns of the map. boxes, size: as of points_at().
    """
    middles = [(row + 0.5, column + 0.5) for row in range(grid[0]) for column in range(grid[1])]
    places = [_in_patches(box, size, grid) for box in boxes]
    hits = [any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in places) for y, x in middles]
    return sum(hits) / len(hits)


def _in_patches(box: Box, size: tuple[int, int], grid: Sequence[int]) -> tuple[float, float, float, float]:
    """The box on the map, in patches: the image lies in the middle of a square, see `prepare`."""
    side = max(size)
    margins = [(side - length) / 2 for length in size]
    cells = (grid[1], grid[0])
    left, top, right, bottom = ((box[i] + margins[i % 2]) / side * cells[i % 2] for i in range(4))
    return left, top, right, bottom


def _covered(first: float, end: float, cells: int) -> Tensor:
    """(cells,): how much of each cell of length 1 lies between two places."""
    begins = torch.arange(cells)
    return ((begins + 1).clamp(max=end) - begins.clamp(min=first)).clamp(min=0).float()


def _short(text: str) -> str:
    return shorten(text, 80, placeholder="…")
