"""A pair's text as numbers: its word pieces, whose sentence each is of, and what tells it from others in a batch."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from transformers import PreTrainedTokenizerFast

from core.sentences import splitter, with_sentences
from trainers.assertions import asserts

SENTENCES = "sentences"  # the column of where a text's sentences stand, if a table has it
SIDED = re.compile(r"\b(left|right)", re.IGNORECASE)
Span = tuple[int, int]  # first character and end
Read = tuple[list[int], list[int]]  # pieces, and the sentence of each


@dataclass(frozen=True)
class TextReader:
    """Texts into word pieces."""

    tokenizer: PreTrainedTokenizerFast
    max_tokens: int  # longer texts are cut

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What a batch needs of pairs beside their images: the columns of permuted.Fed but the image."""
        spans = [[(each["start"], each["end"]) for each in row.get(SENTENCES) or ()] for row in rows]
        read = self.read([row["text"] for row in rows], spans)
        return [self._row(row, places, *found) for row, places, found in zip(rows, spans, read, strict=True)]

    def _row(self, row: Mapping[str, Any], spans: Sequence[Span], tokens: list[int], of: list[int]) -> dict[str, Any]:
        text = row["text"]
        telling = [asserts(text[first:end]) for first, end in spans]
        return {
            "pair_id": row["pair_id"],
            "article_id": row["article_id"],
            "tokens": tokens,
            "sentence_of": of,
            "asserts": [each >= 0 and telling[each] for each in of],
            "text_group": number(normalise(text)),
            "figure_group": number(row["figure_id"]),
            "sided": bool(SIDED.search(text)),
        }

    def read(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[Read]:
        """Of each text its pieces, and the sentence that each is of, -1 for none.

        sentences: first character and end of those of each text. A text that is too long is cut; where its sentences
        are known, after the last one that is whole.
        """
        found = self.tokenizer(list(texts), truncation=True, max_length=self.max_tokens, return_offsets_mapping=True)
        return [
            self._whole(ids, sentence_places(offsets, spans if len(ids) < self.max_tokens else _ended(spans, offsets)))
            for ids, offsets, spans in zip(found["input_ids"], found["offset_mapping"], sentences, strict=True)
        ]

    def _whole(self, ids: list[int], places: list[int]) -> Read:
        """A text that was cut, without the pieces after its last whole sentence."""
        last = max((place for place, number in enumerate(places) if number >= 0), default=None)
        if len(ids) < self.max_tokens or last is None:
            return ids, places
        return [*ids[: last + 1], self.tokenizer.sep_token_id], [*places[: last + 1], -1]


def cut(rows: Iterable[Mapping[str, Any]], weights: str) -> list[dict[str, Any]]:
    """Rows of pairs with their texts cut into sentences. weights: of core.sentences.splitter; "": figray's own."""
    return with_sentences([{**row, SENTENCES: None} for row in rows], splitter(weights or None))


def sentence_places(offsets: Sequence[Span], sentences: Sequence[Span]) -> list[int]:
    """The number of the sentence that each piece stands in, -1 for none; sentences without a piece are not counted.

    offsets: first character and end of each piece, (0, 0) for those of no text.
    """
    of = [next((n for n, (first, end) in enumerate(sentences) if first <= a < b <= end), -1) for a, b in offsets]
    numbers = {old: new for new, old in enumerate(sorted(set(of) - {-1}))}
    return [numbers.get(each, -1) for each in of]


def _ended(sentences: Sequence[Span], offsets: Sequence[Span]) -> list[Span]:
    """The sentences that end before the text was cut."""
    cut = max(end for _, end in offsets)
    return [span for span in sentences if span[1] <= cut]


def normalise(text: str) -> str:
    """The text as compared with others: lower case, single spaces."""
    return " ".join(text.lower().split())


def number(text: str) -> int:
    """63 bits that stand for a text, the same in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1
