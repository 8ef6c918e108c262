"""Work in this process."""

from dataclasses import dataclass

from core.works import Row, here


@dataclass(frozen=True)
class Doubled:
    number: int


def test_works_are_done_one_after_the_other() -> None:
    done: list[int] = []

    def do(work: Row) -> int:
        done.append(work["number"])
        return 2 * int(work["number"])

    every = here([Doubled(1), Doubled(2)], do)
    assert done == [] and next(iter(every)) == 2 and done == [1]
