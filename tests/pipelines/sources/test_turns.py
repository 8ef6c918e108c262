"""Turns, of threads and of coroutines: the pace holds, a pause holds for all, nobody is forgotten."""

import asyncio
import threading
import time
from itertools import pairwise

from pipelines.sources.turns import QueuedTurns, Slots, ThreadTurns

JITTER = 0.002  # seconds by which two readings of a clock may differ from what was slept


def test_slots_are_an_interval_apart_and_unused_time_is_not_saved_up() -> None:
    slots = Slots()
    taken, now = [], 5.0
    for _ in range(4):
        now += slots.left(now)
        slots.take(now, 0.25)
        taken.append(now)
    assert taken == [5.0, 5.25, 5.5, 5.75]
    assert slots.left(9.0) == 0.0
    slots.take(9.0, 0.25)
    assert slots.left(9.0) == 0.25


def test_the_longer_of_two_pauses_holds() -> None:
    slots = Slots()
    slots.close(1.0, 10.0)
    slots.close(2.0, 3.0)
    assert slots.left(2.0) == 9.0
    slots.take(11.0, 0.1)
    slots.close(11.0, 0.0)
    assert slots.left(11.05) > 0.04


def test_many_threads_together_keep_the_pace_of_one() -> None:
    turns, entered = ThreadTurns(), []

    def ask() -> None:
        for _ in range(3):
            turns.enter(0.02)
            entered.append(time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(entered) == 12
    assert max(entered) - min(entered) >= 11 * 0.02 - JITTER


def test_callers_are_served_in_their_order_at_the_pace() -> None:
    async def many() -> list[tuple[int, float]]:
        turns, entered = QueuedTurns(), []

        async def ask(number: int) -> None:
            waited = await turns.enter(0.01)
            entered.append((number, waited))

        await asyncio.gather(*(ask(number) for number in range(20)))
        return entered

    entered = asyncio.run(many())
    assert [number for number, _ in entered] == list(range(20))
    assert all(later - sooner >= 0.01 - JITTER for (_, sooner), (_, later) in pairwise(entered))


def test_a_pause_holds_for_those_who_wait_already() -> None:
    async def paused() -> list[float]:
        turns = QueuedTurns()
        await turns.enter(0.02)
        waiting = [asyncio.create_task(turns.enter(0.0)) for _ in range(3)]
        await asyncio.sleep(0.005)
        await turns.close_for(0.15)
        return await asyncio.gather(*waiting)

    assert min(asyncio.run(paused())) >= 0.15
