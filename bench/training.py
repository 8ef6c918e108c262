"""`python -m bench.training OUT.json`: a training step and re-ranking beside their published arrangements, in one run.

All on one thread and, but for the wait for data, in CPU time, so that other load on the machine weighs on neither side;
the sides take turns. Exits 1 where a goal is missed.
"""

import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from pyarrow.parquet import write_table
from torch import Tensor

from bench.drawn import CAPTIONS, FIRST_WORD, PANELS, draw_batch, draw_lengths
from bench.numbers import Numbers, measure
from bench.reference_blip import ReferenceBlip
from bench.step import Step
from core.settings import Config, ModelSettings, ObjectiveSettings
from trainers.blip import Blip
from trainers.evaluation.pool import Pool, embed
from trainers.evaluation.ranking import rank_all
from trainers.evaluation.rerank import judged, match_pairs, wanted
from trainers.losses.masked import Masking
from trainers.objectives.blip import BlipObjective

# The goals: times the published step, the share of its time that training waits, times a loop that encodes again.
LEAST_STEP, MOST_WAIT, LEAST_RERANK = 2.0, 0.03, 5.0
SAME = 1e-4  # losses and scores of both sides differ by less
# A third as wide and as deep as a ViT-B/16 and a BERT-base, so that two cores step it in seconds; the image's size, its
# patches and the most tokens are theirs. Without dropout both sides compute the same losses.
MODEL = ModelSettings(
    image_width=256, image_depth=4, image_heads=4, text_width=256, text_depth=4, text_heads=4, vocabulary=8000,
    dropout=0.0,
)  # fmt: skip
PAIRS, STEPS = 16, 3  # of a batch; timed
FED_PAIRS, FED_STEPS = 96, 13  # of the corpus, six steps an epoch; in all
# Proportioned like the same two: both encoders equally deep and wide, and far more patches than words.
RERANKER = ModelSettings(
    image_width=64, image_depth=2, image_heads=2, text_width=64, text_depth=2, text_heads=2, embedding=64,
    vocabulary=1000, dropout=0.0,
)  # fmt: skip
POOL, CANDIDATES, SAMPLED = 2000, 64, 12  # pairs; of each query; queries each way that the loop is timed on


def main() -> None:
    """Time all three, write the numbers, say which goals were missed."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/bench-training.json")
    torch.set_num_threads(1)
    measure((step_numbers, rerank_numbers, wait_numbers), out, missed)


def missed(told: Numbers) -> list[str]:
    """The goals that a run missed, in words."""
    step, wait, rerank = told["times_reference_step"], told["wait_share"], told["times_rerank_loop"]
    found = [f"{step:.2f} times the reference step, of {LEAST_STEP:g}"] if step < LEAST_STEP else []
    found += [f"{wait:.1%} of a step waited for data, of {MOST_WAIT:.0%}"] if wait >= MOST_WAIT else []
    found += [f"{rerank:.1f} times the re-ranking loop, of {LEAST_RERANK:g}"] if rerank < LEAST_RERANK else []
    differing = [name for name in ("loss_difference", "score_difference") if not told[name] < SAME]
    return found + [f"{name} {told[name]:.1e}, of {SAME:g}" for name in differing]


def step_numbers(model: ModelSettings = MODEL, *, pairs: int = PAIRS, steps: int = STEPS) -> Numbers:
    """What a step costs here and in the published arrangement, batch by batch in turns, and that the losses agree."""
    torch.manual_seed(0)
    settings = ObjectiveSettings()
    masking = Masking(
        probability=settings.mlm_probability, mask_id=4, special_ids=range(FIRST_WORD), vocabulary=model.vocabulary
    )
    ours = BlipObjective(Blip(model, settings), settings, masking=masking, queue=64 * pairs, epoch=100)
    reference = ReferenceBlip(ours)
    batch = draw_batch(pairs, model, seed=steps)
    with torch.no_grad():  # the first time costs more; it is not timed
        mine, theirs = ours(batch), reference.repeat(batch)
    sides = Step(ours), Step(reference)
    told = {"loss_difference": max(abs(float(mine[name] - theirs[name])) for name in mine)}
    for kind, lengths in (("", PANELS), ("_whole_captions", CAPTIONS)):
        batches = [draw_batch(pairs, model, lengths=lengths, seed=number) for number in range(steps)]
        costs = [[cpu_seconds(side, batch, number) for side in sides] for number, batch in enumerate(batches)]
        told |= {
            f"tokens{kind}": float(np.mean([float(batch.mask.sum()) / pairs for batch in batches])),
            f"step_cpu_seconds{kind}": median(cost[0] for cost in costs),
            f"reference_step_cpu_seconds{kind}": median(cost[1] for cost in costs),
            f"times_reference_step{kind}": median(cost[1] / cost[0] for cost in costs),
        }
    return told


def rerank_numbers(model: ModelSettings = RERANKER, *, pairs: int = POOL, k: int = CANDIDATES) -> Numbers:
    """What re-ranking costs, the encoding of the pool included, and what the loop would on as many candidates."""
    torch.manual_seed(0)
    blip = Blip(model, ObjectiveSettings()).eval()
    batches = [draw_batch(50, model, seed=seed) for seed in range(pairs // 50)]
    begun = process_time()
    pool = embed(blip, batches)
    both = rank_all(pool.image, pool.text, pool.text_group[None], nearest=k)
    asked = wanted(both, k=k)
    found = judged(both, asked, match_pairs(blip, [(0, pool.states)], pool.tokens, pool.mask, asked), k=k)
    ours = process_time() - begun
    images = torch.cat([batch.images for batch in batches])
    queries = range(0, pairs, max(1, pairs // SAMPLED))
    seconds, worst = 0.0, 0.0
    for side, pick in enumerate((image_query, text_query)):
        for query in queries:
            image, text = pick(query, both[side].nearest[query, :k])
            begun = process_time()
            logits = encode_and_match(blip, pool, images, image, text)
            seconds += process_time() - begun
            worst = max(worst, float((logits - found.logits[side][query]).abs().max()))
    loop = seconds * pairs / len(queries)
    return {
        "pool": pairs,
        "candidates": k,
        "rerank_cpu_seconds": ours,
        "rerank_loop_cpu_seconds": loop,  # of all queries, from those that were sampled
        "times_rerank_loop": loop / ours,
        "score_difference": worst,
    }


def image_query(query: int, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """The images and texts of one image's candidates."""
    return torch.full_like(candidates, query), candidates


def text_query(query: int, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """The images and texts of one text's candidates."""
    return candidates, torch.full_like(candidates, query)


@torch.inference_mode()
def encode_and_match(blip: Blip, pool: Pool, images: Tensor, image: Tensor, text: Tensor) -> Tensor:
    """(k,) match logits, each pair's image encoded for it, texts padded to the longest of the k."""
    length = int(pool.mask[text].sum(dim=1).max())
    states = blip.embed_images(images[image])[1]
    return blip.match_scores(states, pool.tokens[text, :length], pool.mask[text, :length])


def wait_numbers(model: ModelSettings = MODEL, *, pairs: int = FED_PAIRS, steps: int = FED_STEPS) -> Numbers:
    """The share of its time that the loop waits for Ray Data, new epochs included, the first batches not."""
    from core.cluster import connect, disconnect  # sets what Ray reads from the environment

    config = Config.model_validate(
        {
            "model": model.model_dump(),
            "optim": {"steps": steps},
            "train": {"batch_size": PAIRS, "log_seconds": 0.1, "trackers": ()},
        }
    )
    connect(config)
    from trainers.fit import fit

    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        write_table(pa.Table.from_pylist(list(draw_rows(pairs))), f"{folder}/pairs.parquet", row_group_size=32)
        result = fit(config, train_files=[f"{folder}/pairs.parquet"], out=f"{folder}/fit")
        records = [json.loads(line) for line in Path(result.metrics).read_text().splitlines()]
    disconnect()
    return {"wait_share": waited(records), "wait_steps": records[-1]["step"] - records[0]["step"]}


def waited(records: Sequence[dict[str, Any]]) -> float:
    """The mean wait of the records after the first, each by its time."""
    spans = [(now["step"] - before["step"]) / now["samples_per_s"] for before, now in pairwise(records)]
    shares = [record["wait_share"] for record in records[1:]]
    return float(np.average(shares, weights=spans))


def draw_rows(pairs: int) -> Iterator[dict[str, Any]]:
    """Rows of a pairs table: blurred noise as JPEG, 640 x 480, with as many words as real texts have pieces."""
    rng = np.random.default_rng(0)
    for number, length in enumerate(draw_lengths(pairs, PANELS, rng)):
        noise = Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)).resize((640, 480))
        noise.save(file := io.BytesIO(), "JPEG")
        words = " ".join(f"w{word}" for word in rng.integers(0, 500, length))
        name = {"pair_id": f"{number}", "figure_id": f"{number}", "article_id": f"{number // 4}"}
        yield name | {"image": file.getvalue(), "text": words}


def cpu_seconds(call: Callable[..., Any], *arguments: Any) -> float:
    """Of one call."""
    begun = process_time()
    call(*arguments)
    return process_time() - begun


if __name__ == "__main__":
    main()
