"""An evaluation by Ray's actors: what retrieval.Here does in one process, file by file and block by block.

The driver holds embeddings, tokens and what is kept of each query, never images, their states or N x N scores: the
states of an image are made again when it is matched, which costs a tenth of the matching. Every piece of work is the
same whatever the number of actors, so that a killed node changes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import ray
import ray.data
import torch
from ray.data import ActorPoolStrategy
from safetensors.torch import load, save
from torch import Tensor

from core.cluster import nodes
from core.settings import Config
from core.stations import told_plainly
from trainers.asking import Asked
from trainers.checkpoint import load_blip, load_model
from trainers.evaluation import radiographs
from trainers.evaluation.kept_films import read_rows
from trainers.evaluation.pool import Pool, Reading, embed, joined, read_batches, read_columns
from trainers.evaluation.radiographs import Features
from trainers.evaluation.ranking import Both, Ranked, blocks, rank_all, ranked
from trainers.evaluation.ranking import joined as as_one
from trainers.evaluation.rerank import Pairs, match_pairs

HERE = 20_000  # pairs that are ranked in this process: seconds, where actors take longer to start
PARTS = ("image", "text", "states", "tokens", "mask", "text_group")  # the tensors of a pool
Row = dict[str, Any]
Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Actors:
    """What an actor asks for, and how many there are."""

    least: int
    most: int
    cpus: float
    gpu: bool

    def work(self, made: type, arguments: Sequence[Any], items: Sequence[Row]) -> Iterator[Tensors]:
        """What actors make of the items, in their order. made: called with an item, returns tensors."""
        rows = ray.data.from_items(
            [{"number": number, **item} for number, item in enumerate(items)], override_num_blocks=len(items)
        )
        found = rows.map(
            cast(Any, _Worker),  # Ray takes a class, and does not say so in its types
            fn_constructor_args=(made, tuple(arguments), self),
            compute=ActorPoolStrategy(min_size=self.least, max_size=max(self.least, min(self.most, len(items)))),
            num_cpus=self.cpus,
            num_gpus=1 if self.gpu else None,
            resources=nodes("trainers" if self.gpu else "pipelines") or None,
        )
        with told_plainly("evaluate", "the same command evaluates again"):
            by_number = {row["number"]: row["found"] for row in found.iter_rows()}
        yield from (load(by_number.pop(number)) for number in range(len(items)))


class _Worker:
    """An actor: tensors cross Ray as the bytes of a safetensors file."""

    def __init__(self, made: type, arguments: tuple[Any, ...], actors: Actors) -> None:
        torch.set_num_threads(max(1, int(actors.cpus)))
        device = "cuda" if actors.gpu and torch.cuda.is_available() else "cpu"
        self.work = made(*(ray.get(each) if isinstance(each, ray.ObjectRef) else each for each in arguments), device)

    def __call__(self, row: Row) -> Row:
        found = {name: each.cpu().contiguous() for name, each in self.work(row).items()}
        return {"number": row["number"], "found": save(found)}


class OnRay:
    """See retrieval.Machine."""

    def __init__(self, config: Config) -> None:
        least, most = config.evaluate.actors
        self.actors = Actors(least, most, config.evaluate.actor_cpus, config.train.gpu)

    def embed(self, reading: Reading) -> Pool:
        """The pairs in the order of the files; no states."""
        by_file = _by_file(reading)
        ids = [pair for pairs in by_file.values() for pair in pairs]
        about = read_columns(reading.files, ("article_id",), articles=reading.articles)
        articles = [row["article_id"] for row in about.values()]
        items = [{"file": file} for file in by_file]
        parts = [Pool((), (), **tensors) for tensors in self.actors.work(_Embed, (reading,), items)]
        return replace(joined(parts), pair_ids=tuple(ids), article_ids=tuple(articles))

    def rank(self, pool: Pool, groups: Tensor, *, nearest: int) -> Both:
        """Block by block, each an item."""
        if len(pool.pair_ids) <= HERE:
            return rank_all(pool.image, pool.text, groups, nearest=nearest)
        held = ray.put((pool.image, pool.text, groups, nearest))
        count = len(pool.pair_ids)
        items = [{"side": side, "first": block.start, "end": block.stop} for side in (0, 1) for block in blocks(count)]
        found = [Ranked(**tensors) for tensors in self.actors.work(_Rank, (held,), items)]
        half = len(items) // 2
        return Both(as_one(found[:half]), as_one(found[half:]))

    def match(self, reading: Reading, pool: Pool, pairs: Pairs) -> Tensor:
        """File by file: the states of its images are made again, and its part of the pairs is matched."""
        held, items, first = ray.put((pool.tokens, pool.mask, pairs)), [], 0
        for file, ids in _by_file(reading).items():
            items.append({"file": file, "first": first, "end": first + len(ids)})
            first += len(ids)
        return torch.cat([tensors["logits"] for tensors in self.actors.work(_Match, (reading, held), items)])


def _by_file(reading: Reading) -> dict[str, list[str]]:
    """The pairs of each file that has any."""
    found = {file: list(read_columns([file], (), articles=reading.articles)) for file in reading.files}
    return {file: ids for file, ids in found.items() if ids}


def encode_images(config: Config, folder: str, files: Sequence[str]) -> Iterator[Tensor]:
    """As asking.Asked.files(), each file by an actor."""
    items = [{"file": file} for file in files]
    found = OnRay(config).actors.work(_Images, (folder, config.evaluate.batch_size), items)
    yield from (tensors["image"] for tensors in found)


def encode_films(config: Config, folder: str, files: Sequence[str]) -> Features:
    """As radiographs.encode_films(), file by file."""
    items = [{"file": file} for file in files]
    found = list(OnRay(config).actors.work(_Films, (folder, config.evaluate.batch_size), items))
    embeddings, states = (torch.cat([part[name] for part in found]).numpy() for name in ("embeddings", "states"))
    return Features(embeddings=embeddings, states=states, rows=read_rows(files))


class _Films:
    def __init__(self, folder: str, batch_size: int, device: str) -> None:
        self.model, self.batch_size, self.device = load_model(folder)[0], batch_size, device

    def __call__(self, item: Row) -> Tensors:
        found = radiographs.encode_films(self.model, [item["file"]], batch_size=self.batch_size, device=self.device)
        return {"embeddings": torch.from_numpy(found.embeddings), "states": torch.from_numpy(found.states)}


class _Images:
    def __init__(self, folder: str, batch_size: int, device: str) -> None:
        self.asked, self.batch_size = Asked(folder, device=device), batch_size

    def __call__(self, item: Row) -> Tensors:
        return {"image": self.asked.file(item["file"], batch_size=self.batch_size)}


class _Embed:
    def __init__(self, reading: Reading, device: str) -> None:
        self.reading, self.device = reading, device
        self.model, self.tokenizer = load_model(reading.folder)
        self.model.to(device)

    def __call__(self, item: Row) -> Tensors:
        reading = replace(self.reading, files=(item["file"],))
        batches = read_batches(reading, self.model, self.tokenizer, device=self.device)
        pool = embed(self.model, batches, keeps_states=False)
        return {name: getattr(pool, name) for name in PARTS}


class _Rank:
    def __init__(self, held: tuple[Tensor, Tensor, Tensor, int], device: str) -> None:
        image, text, groups, self.nearest = held
        self.image, self.text, self.groups = (each.to(device) for each in (image, text, groups))

    def __call__(self, item: Row) -> Tensors:
        sides = (self.image, self.text)
        one, other = sides if item["side"] == 0 else sides[::-1]
        return ranked(range(item["first"], item["end"]), one, other, self.groups, nearest=self.nearest)._asdict()


class _Match:
    def __init__(self, reading: Reading, held: tuple[Tensor, Tensor, Pairs], device: str) -> None:
        self.reading, self.device = reading, device
        tokens, mask, self.pairs = held
        self.tokens, self.mask = tokens.to(device), mask.to(device)
        self.model, self.tokenizer = load_blip(reading.folder)
        self.model.to(device)

    def __call__(self, item: Row) -> Tensors:
        begin, end = torch.searchsorted(self.pairs.image, torch.tensor([item["first"], item["end"]])).tolist()
        pairs = Pairs(*(each[begin:end].to(self.device) for each in self.pairs))
        return {"logits": match_pairs(self.model, self._states(item), self.tokens, self.mask, pairs)}

    @torch.inference_mode()
    def _states(self, item: Row) -> Iterator[tuple[int, Tensor]]:
        reading, at = replace(self.reading, files=(item["file"],)), item["first"]
        for batch in read_batches(reading, self.model, self.tokenizer, device=self.device):
            yield at, self.model.embed_images(batch.images)[1]
            at += len(batch)
