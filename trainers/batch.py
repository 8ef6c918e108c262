"""Pairs into batches: word pieces (BERT's normaliser, WordPiece), square images, and who is nobody's negative."""

import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import WordPieceTrainer
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample
from transformers import PreTrainedTokenizerFast

from core.records import Pair
from core.tables import rows_of
from trainers.texts import SENTENCES, Read, Span, TextReader, number

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
COLUMNS = ("pair_id", "figure_id", "article_id", "image", "text")  # of a pair, what a batch is made of
SMALL = "small"  # and, where the table has it, the image of training size; SENTENCES likewise
READ = 256  # rows read from a file at once
BUCKET = 8  # lengths are rounded up to a multiple of this, so that few shapes occur


def train_tokenizer(texts: Iterable[str], *, size: int) -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer with at most `size` pieces, lower-case; the same texts give the same pieces and numbers."""
    texts = list(texts)
    normalizer = normalizers.BertNormalizer(lowercase=True)
    counts = Counter(character for text in texts for character in normalizer.normalize_str(text) if character != " ")
    room = max(1, (size - len(SPECIALS)) // 3)
    alphabet = sorted(sorted(counts, key=lambda character: (-counts[character], character))[:room])
    tokenizer = _word_pieces({}, normalizer)
    # Left alone, the trainer numbers the pieces "##a" in the order of a hash map, which differs from run to run.
    numbered = [*SPECIALS, *(f"##{character}" for character in alphabet)]
    trainer = WordPieceTrainer(
        vocab_size=size,
        special_tokens=numbered,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _as_transformers(_word_pieces(tokenizer.get_vocab(), normalizer))


def _word_pieces(vocabulary: dict[str, int], normalizer: normalizers.Normalizer) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _as_transformers(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    vocabulary = tokenizer.get_vocab()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    pad, unknown, first, last, masked = SPECIALS
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=pad,
        unk_token=unknown,
        cls_token=first,
        sep_token=last,
        mask_token=masked,
    )


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: str | Path) -> None:
    """Write the tokenizer as a folder that transformers reads."""
    tokenizer.save_pretrained(str(folder))


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a folder that `save_tokenizer` or transformers wrote."""
    return PreTrainedTokenizerFast.from_pretrained(str(folder))


def rows_in(files: pa.Table, *, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of the files that a table names.

    Here and not in fit.py: a process that reads loads no more than it needs.
    """
    for rows in rows_of(files["file"].to_pylist(), Pair).to_batches(columns=list(columns), batch_size=READ):
        if rows.num_rows:
            yield pa.Table.from_batches([rows])


def read_pairs(
    files: Sequence[str], *, batch_size: int, articles: Collection[str] | None = None
) -> Iterator[list[dict[str, Any]]]:
    """The rows of a pairs table, `columns_of` it, in the order of the files; the last list may be shorter.

    articles: of these alone; None: of all, a list ending with each file.
    """
    table = rows_of(files, Pair)
    columns = columns_of(table.schema.names)
    if articles is None:
        for part in table.to_batches(columns=columns, batch_size=batch_size):
            if part.num_rows:
                yield part.to_pylist()
        return
    held: list[dict[str, Any]] = []
    wanted = pc.field("article_id").isin(sorted(articles))
    for part in table.to_batches(columns=columns, filter=wanted, batch_size=batch_size):
        held += part.to_pylist()
        while len(held) >= batch_size:
            yield held[:batch_size]
            held = held[batch_size:]
    if held:
        yield held


def columns_of(names: Collection[str]) -> list[str]:
    """What a batch is made of, of the columns of a pairs table."""
    return [*COLUMNS, *(name for name in (SMALL, SENTENCES) if name in names)]


@dataclass(frozen=True)
class Batch:
    """N pairs. Equal group numbers mean the same text or the same figure, on every worker."""

    images: Tensor  # (N, 3, H, W) float, -1 to 1; of a packed batch uint8, which to() scales on its device
    tokens: Tensor  # (N, T) int64, padded
    mask: Tensor  # (N, T) bool, false on padding
    sentence_of: Tensor  # (N, T) int64, which sentence of its text a token is of; -1: of none that is whole
    text_group: Tensor  # (N,) int64, equal for equal normalised texts
    figure_group: Tensor  # (N,) int64, equal for pairs of one figure
    pair_ids: tuple[str, ...]
    article_ids: tuple[str, ...]
    sided: Tensor | None = None  # (N,) bool, texts that say left or right: their images are never mirrored
    asserts: Tensor | None = None  # (N, T) bool, tokens of sentences that say a finding is there; None: not looked at

    def __len__(self) -> int:
        return len(self.images)

    def at(self, rows: Tensor) -> "Batch":
        """Some of its pairs. rows: (R,)."""
        numbers = rows.tolist()
        kept: dict[str, Any] = {
            name: v if v is None else v[rows] if isinstance(v, Tensor) else tuple(v[row] for row in numbers)
            for name, v in vars(self).items()
        }
        return Batch(**kept)

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch with its tensors on a device; a GPU fetches them while the CPU goes on."""
        fetched = torch.device(device).type == "cuda"
        moved: dict[str, Any] = {
            name: (v.pin_memory() if fetched else v).to(device, non_blocking=fetched)
            for name, v in vars(self).items()
            if isinstance(v, Tensor)
        }
        return replace(self, **moved).scaled()

    def scaled(self) -> "Batch":
        """The same batch with images from -1 to 1."""
        if self.images.dtype != torch.uint8:
            return self
        return replace(self, images=self.images.float() / 127.5 - 1)


@dataclass(frozen=True)
class Collate:
    """Rows with prepared images into a Batch."""

    tokenizer: PreTrainedTokenizerFast
    image_size: int  # pixels
    max_tokens: int  # longer texts are cut

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> Batch:
        """rows: what `prepare` returns for pairs."""
        return self.packed(rows).scaled()

    def packed(self, rows: Sequence[Mapping[str, Any]]) -> Batch:
        """The same with images as they are, a quarter of the bytes on their way to a device."""
        return self.stacked(self.reader.rows(rows), self.pixels([row["image"] for row in rows]))

    def pixels(self, images: Sequence[bytes]) -> NDArray[np.uint8]:
        """(N, H, W, 3) of letterboxed images."""
        flat = np.stack([np.frombuffer(each, np.uint8) for each in images])
        return flat.reshape(len(images), self.image_size, self.image_size, 3)

    def stacked(self, rows: Sequence[Mapping[str, Any]], pixels: NDArray[np.uint8]) -> Batch:
        """A packed batch of rows that TextReader made. pixels: (N, H, W, 3)."""
        tokens, mask, sentence_of = self._padded([(row["tokens"], row["sentence_of"]) for row in rows])
        return Batch(
            images=torch.from_numpy(pixels).permute(0, 3, 1, 2),
            tokens=tokens,
            mask=mask,
            sentence_of=sentence_of,
            text_group=torch.tensor([row["text_group"] for row in rows]),
            figure_group=torch.tensor([row["figure_group"] for row in rows]),
            pair_ids=tuple(row["pair_id"] for row in rows),
            article_ids=tuple(row["article_id"] for row in rows),
            sided=torch.tensor([row["sided"] for row in rows]),
            asserts=filled([row["asserts"] for row in rows], tokens.shape[1], False),
        )

    @property
    def reader(self) -> TextReader:
        """What reads its texts."""
        return TextReader(self.tokenizer, self.max_tokens)

    def tokenize(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Tokens and mask, (N, T) each, of texts of which no sentences are known."""
        return self.read(texts, [[] for _ in texts])[:2]

    def read(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens, mask and sentence_of, (N, T) each; see TextReader.read."""
        return self._padded(self.reader.read(texts, sentences))

    def _padded(self, read: Sequence[Read]) -> tuple[Tensor, Tensor, Tensor]:
        longest = max(len(ids) for ids, _ in read)
        length = min(self.max_tokens, -(-longest // BUCKET) * BUCKET)
        tokens = filled([ids for ids, _ in read], length, self.tokenizer.pad_token_id)
        mask = filled([[True] * len(ids) for ids, _ in read], length, False)
        return tokens, mask, filled([places for _, places in read], length, -1)


def filled(rows: Sequence[Sequence[int]], length: int, rest: int) -> Tensor:
    """(N, length) of rows that are no longer; beyond each its rest."""
    table = torch.full((len(rows), length), rest)
    for place, row in enumerate(rows):
        table[place, : len(row)] = torch.tensor(row, dtype=table.dtype)
    return table


def prepare(row: Mapping[str, Any], size: int) -> dict[str, Any]:
    """A row of the pairs table with its image decoded and letterboxed: size * size * 3 bytes, RGB.

    Nothing is cut off and the proportions stay. The small image is read where it has as many pixels as are asked for.
    Raises ValueError, naming the pair, if the image does not open.
    """
    kept = {name: value for name, value in row.items() if name != SMALL}
    return kept | {"image": letterboxed(image_for(row, size), size, pair_id=row["pair_id"])}


def image_for(row: Mapping[str, Any], size: int) -> bytes:
    """The file that a model of this image size sees of a row: its small image, if that has pixels enough."""
    small: bytes | None = row.get(SMALL)
    if small is None:
        return bytes(row["image"])
    try:
        side = max(Image.open(io.BytesIO(small)).size)
    except OSError:
        return small  # who opens it names the pair
    return small if side >= size else bytes(row["image"])


def letterboxed(file: bytes, size: int, *, pair_id: str) -> bytes:
    """The pixels of an image file: size * size * 3 bytes, RGB; raises ValueError as `prepare` does."""
    try:
        image = Image.open(io.BytesIO(file)).convert("RGB")
    except OSError as error:
        raise ValueError(f"the image of pair {pair_id} does not open: {error}") from error
    return ImageOps.pad(image, (size, size), method=Image.Resampling.BICUBIC).tobytes()


def augment(images: Tensor, generator: torch.Generator, *, zoom: float = 0.12, light: float = 0.15) -> Tensor:
    """The images, each zoomed, shifted and brightened a little; never mirrored, as captions say left and right.

    images: (N, 3, H, W), -1 to 1. zoom, light: the largest change of scale, shift and brightness, as fractions.
    Done here because torchvision's transforms draw once for a whole batch.
    """
    n = len(images)
    scale, across, down, gain, lift = (2 * torch.rand(5, n, generator=generator) - 1).to(images.device)
    theta = torch.zeros(n, 2, 3, device=images.device)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 + zoom * scale
    theta[:, 0, 2], theta[:, 1, 2] = zoom * across / 2, zoom * down / 2
    grid = affine_grid(theta, list(images.shape), align_corners=False)
    # Beyond the border lies 0; shifted by one, 0 is the black of the letterbox.
    moved = grid_sample(images + 1, grid, align_corners=False) - 1  # (N, 3, H, W)
    lit = moved * (1 + light * gain)[:, None, None, None] + (light * lift)[:, None, None, None]
    return lit.clamp(-1, 1)


def crop_and_mirror(images: Tensor, generator: torch.Generator, *, sided: Tensor | None) -> Tensor:
    """The images as BLIP, MAE and MRM have them: a part of .2 to 1 of the area, 3:4 to 4:3, and half of them mirrored.

    images: (N, 3, H, W), -1 to 1. sided: (N,) bool, of those that are never mirrored; None: of none is it known, and
    none is. BLIP's RandAugment comes after it: trainers/rand_augment.py.
    """
    n = len(images)
    area, shape, across, down, turned = torch.rand(5, n, generator=generator).to(images.device)
    area, shape = 0.2 + 0.8 * area, (4 / 3) ** (2 * shape - 1)
    width, height = (area * shape).sqrt().clamp(max=1), (area / shape).sqrt().clamp(max=1)
    theta = torch.zeros(n, 2, 3, device=images.device)
    mirrored = (turned < 0.5) & (torch.zeros_like(turned, dtype=torch.bool) if sided is None else ~sided)
    theta[:, 0, 0], theta[:, 1, 1] = torch.where(mirrored, -width, width), height
    theta[:, 0, 2], theta[:, 1, 2] = (1 - width) * (2 * across - 1), (1 - height) * (2 * down - 1)
    grid = affine_grid(theta, list(images.shape), align_corners=False)
    return grid_sample(images, grid, align_corners=False, padding_mode="border").clamp(-1, 1)


def augment_batch(batch: Batch, *, seed: str, how: str = "small") -> Batch:
    """The batch with its images augmented, as a function of the seed and of which pairs it holds.

    how: small, augment(); papers, crop_and_mirror(); blip, that and rand_augment(); none, as they are.
    """
    if how == "none":
        return batch
    generator = torch.Generator().manual_seed(number(f"{seed}:{','.join(batch.pair_ids)}"))
    if how in ("papers", "blip"):
        images = crop_and_mirror(batch.images, generator, sided=batch.sided)
        if how == "blip":
            from trainers.rand_augment import rand_augment  # timm is not for those who only read

            images = rand_augment(images, seed=int(torch.randint(2**32, (), generator=generator)))
        return replace(batch, images=images)
    return replace(batch, images=augment(batch.images, generator))
