"""Batches drawn at random whose texts are as long as real ones."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from core.settings import ModelSettings
from trainers.batch import Batch

# Word pieces of a text with its [CLS] and [SEP], every twentieth of the way from the shortest to the longest. Counted
# with a tokenizer trained as figray trains it on 862 real captions of compound and single figures (the case reports of
# Open-i and the captions of the NLM's and of the prostate cancer panel sets): PANELS are the 3,030 texts of their
# panels (match.text: full), CAPTIONS the captions as published.
PANELS = (3, 14, 17, 20, 22, 24, 27, 29, 32, 35, 38, 41, 44, 49, 54, 61, 70, 79, 94, 124, 475)
CAPTIONS = (6, 21, 27, 34, 39, 46, 51, 55, 64, 73, 81, 89, 98, 108, 119, 133, 149, 171, 213, 265, 553)
# The texts of 165 real chest radiographs, from a line to a long report, by a tokenizer trained on them.
REPORTS = (8, 14, 19, 23, 28, 33, 42, 48, 54, 58, 66, 70, 77, 85, 90, 93, 99, 104, 129, 170, 319)
FIRST_WORD = 5  # pieces before it are special
SENTENCE = 12  # pieces, of which the last may have fewer


def draw_lengths(texts: int, quantiles: Sequence[int], rng: np.random.Generator) -> NDArray[np.int64]:
    """(texts,) word pieces. quantiles: evenly spaced, from the shortest to the longest."""
    drawn = np.interp(rng.random(texts), np.linspace(0, 1, len(quantiles)), quantiles)
    return drawn.round().astype(np.int64)


def draw_batch(pairs: int, model: ModelSettings, *, lengths: Sequence[int] = PANELS, seed: int = 0) -> Batch:
    """Pairs of noise, no two alike. lengths: quantiles of the texts'; the model cuts the longest."""
    rng = np.random.default_rng(seed)
    long = torch.from_numpy(draw_lengths(pairs, lengths, rng).clip(3, model.max_tokens))  # (N,)
    width = min(model.max_tokens, -(-int(long.max()) // 8) * 8)
    places = torch.arange(width)
    mask = places < long[:, None]  # (N, T)
    inside = (places > 0) & (places < long[:, None] - 1)  # between [CLS] and [SEP]
    words = torch.from_numpy(rng.integers(FIRST_WORD, model.vocabulary, (pairs, width)))
    pixels = torch.from_numpy(rng.random((pairs, 3, model.image_size, model.image_size), dtype=np.float32))
    return Batch(
        images=2 * pixels - 1,
        tokens=words.masked_fill(~mask, 0),
        mask=mask,
        sentence_of=torch.where(inside, (places - 1) // SENTENCE, -1),
        text_group=torch.arange(pairs) + seed * pairs,
        figure_group=torch.arange(pairs) + seed * pairs,
        pair_ids=tuple(f"{seed}/{k}" for k in range(pairs)),
        article_ids=tuple(f"{seed}/{k}" for k in range(pairs)),
    )
