"""Blocks of queries against all N x N scores at once, with ties and with copies."""

import pytest
import torch
from torch import Tensor

from trainers.evaluation import ranking
from trainers.evaluation.ranking import Both, blocks, by_cosine, rank_all, reordered
from trainers.evaluation.recall import alike, per_query, recalls, standing


def drawn(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings of quarters, so that products are exact and many tie, and two groupings with copies."""
    generator = torch.Generator().manual_seed(seed)
    image, text = (torch.randint(-2, 3, (count, 4), generator=generator).float() / 4 for _ in range(2))
    groups = torch.stack([torch.randint(count // 2, (count,), generator=generator), torch.arange(count)])
    return image, text, groups


@pytest.mark.parametrize("cells", [1, 100, 2**20])
def test_blocks_find_what_all_scores_at_once_do(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "CELLS", cells)
    image, text, groups = drawn(37, seed=1)
    both = rank_all(image, text, groups, nearest=6)
    same = alike(groups, groups)
    for at, scores in zip(both, (image @ text.T, text @ image.T), strict=True):
        assert at.cosines.tolist() == scores.topk(6).values.tolist()
        assert scores.gather(1, at.nearest).tolist() == at.cosines.tolist()
        assert at.is_right.tolist() == same.gather(1, at.nearest).tolist()
        assert at.rights.tolist() == same.sum(dim=1).tolist()
        for strict, right in ((False, same), (True, torch.eye(37, dtype=torch.bool))):
            for found, plain in zip(at.at(strict=strict), standing(scores, right), strict=True):
                assert found.tolist() == plain.tolist()


@pytest.mark.parametrize("k", [1, 4, 6])
def test_another_order_of_the_nearest_moves_standings_as_it_moves_all_scores(k: int) -> None:
    image, text, groups = drawn(37, seed=2)
    both, same = rank_all(image, text, groups, nearest=6), alike(groups, groups)
    totals = torch.randint(3, (37, k), generator=torch.Generator().manual_seed(3)).float()
    for at, scores in zip(both, (image @ text.T, text @ image.T), strict=True):
        whole = (scores - 100).scatter(1, at.nearest[:, :k], totals)
        for strict, right in ((False, same), (True, torch.eye(37, dtype=torch.bool))):
            for found, plain in zip(reordered(at, totals, strict=strict), standing(whole, right), strict=True):
                assert found.tolist() == plain.tolist()


def test_all_queries_stand_in_one_block_and_a_large_pool_in_many() -> None:
    assert list(blocks(5000)) == [range(5000)]
    many = list(blocks(300_000))
    assert [len(many[0]), many[-1].stop] == [ranking.CELLS // 300_000, 300_000]


def test_a_copy_counts_as_right_unless_strict_and_directions_have_their_own_rows() -> None:
    image = torch.eye(4)
    text = image[[1, 0, 3, 2]]  # every image finds its neighbour's text
    groups = torch.tensor([[0, 0, 1, 2], [5, 6, 7, 7]])
    told = {
        n: v.mean().item() for n, v in recalls(per_query(by_cosine(rank_all(image, text, groups, nearest=2)))).items()
    }
    assert (told["i2t@1"], told["t2i@1"], told["strict_i2t@1"], told["strict_t2i@1"]) == (1, 1, 0, 0)
    lopsided = rank_all(torch.tensor([[0.9, 0.1], [0.8, 0.2]]), torch.eye(2), torch.arange(2)[None], nearest=2)
    told = {n: v.mean().item() for n, v in recalls(per_query(by_cosine(Both(*lopsided)))).items()}
    assert (told["i2t@1"], told["t2i@1"]) == (0.5, 1.0)
