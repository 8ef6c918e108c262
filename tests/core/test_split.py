"""Articles go to one side each, in the shares asked for."""

from collections import Counter

from core.split import one_side, part_of, split_of


def test_the_versions_of_an_article_stay_together() -> None:
    for number in range(200):
        sides = {split_of(f"PMC{number}{version}", seed=3, val=0.3, test=0.3) for version in ("", ".1", ".2", ".11")}
        assert len(sides) == 1


def test_the_shares_are_those_asked_for() -> None:
    sides = Counter(split_of(f"PMC{number}.1", seed=0, val=0.125, test=0.25) for number in range(20_000))
    # Four standard deviations of a binomial share are below 0.013.
    assert abs(sides["val"] / 20_000 - 0.125) < 0.013
    assert abs(sides["test"] / 20_000 - 0.25) < 0.013


def test_a_share_of_nothing_is_empty() -> None:
    assert {split_of(f"PMC{number}.1", seed=1, val=0.0, test=0.0) for number in range(500)} == {"train"}


def test_another_seed_draws_other_articles() -> None:
    def drawn(seed: int) -> list[str]:
        return [split_of(f"PMC{number}.1", seed=seed, val=0.25, test=0.25) for number in range(100)]

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)


def test_a_side_is_the_same_in_every_process_and_release() -> None:
    # printf 0:PMC1 | b2sum -l 64 begins with 31, 0x31 / 256 = 0.19; the others 04, 2d, d8, ab, 64, 3d, e2.
    sides = [split_of(f"PMC{number}.1", seed=0, val=0.25, test=0.25) for number in range(1, 9)]
    assert sides == ["test", "test", "test", "train", "train", "val", "test", "train"]


def test_articles_that_share_an_image_take_the_side_of_the_first() -> None:
    together = {f"PMC{number}": "PMC5" for number in range(5, 60)}
    shares = {"seed": 0, "val": 0.3, "test": 0.3}
    sides = {split_of(f"PMC{number}.1", **shares, together=together) for number in range(5, 60)}  # type: ignore[arg-type]
    assert sides == {split_of("PMC5.1", seed=0, val=0.3, test=0.3)}
    alone = split_of("PMC1.1", seed=0, val=0.3, test=0.3)
    assert split_of("PMC1.1", seed=0, val=0.3, test=0.3, together=together) == alone


def test_all_versions_of_an_article_fall_into_one_part_and_parts_are_even() -> None:
    assert part_of("PMC12.1", 16) == part_of("PMC12.2", 16) == part_of("PMC12", 16)
    counts = [0] * 4
    for number in range(4000):
        counts[part_of(f"PMC{number}", 4)] += 1
    assert min(counts) > 900


def test_a_group_goes_to_the_most_held_out_side_that_it_is_on() -> None:
    assert one_side({"a": {"train", "val"}, "b": {"val", "test"}, "c": {"train"}}) == {
        "a": "val",
        "b": "test",
        "c": "train",
    }
