"""Work in a process of its own: what it raises, its crashes, its hangs and its memory cost the item in hand alone."""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.apart import Apart, Handler, Json
from core.rejection import RejectionError, UserError


def serve(settings: Mapping[str, Any]) -> Handler:
    """What does as it is told."""
    if settings["name"] == "no one":
        raise UserError("name: there is no one")

    def answer(told: Json, data: bytes) -> tuple[Json, bytes]:
        match told["do"]:
            case "raise":
                raise ValueError("no such thing")
            case "reject":
                raise RejectionError("too_dark", "nothing is seen")
            case "crash":
                ctypes.string_at(0)
            case "hang":
                while True:
                    pass
            case "sleep":
                time.sleep(60)
            case "abort":
                os.kill(os.getpid(), signal.SIGKILL)
            case "fill":
                return {"held": len(bytearray(8 * 2**30))}, b""
            case "print":
                os.write(1, b"what a library prints\n")
        return {"pid": os.getpid(), "by": settings["name"]}, data[::-1]

    return answer


@pytest.fixture
def apart() -> Iterator[Apart]:
    made = Apart("tests.core.test_apart:serve", {"name": "x"}, seconds=0.5, gib=0.5)
    yield made
    made.close()


def why(apart: Apart, do: str) -> tuple[str, str]:
    with pytest.raises(RejectionError) as told:
        apart.ask({"do": do})
    return told.value.code, told.value.message


def test_an_answer_comes_back_and_the_process_stays(apart: Apart) -> None:
    first, data = apart.ask({"do": "answer"}, b"abc")
    assert (first["by"], data) == ("x", b"cba") and first["pid"] != os.getpid()
    assert apart.ask({"do": "print"}, b"")[0]["pid"] == first["pid"]


def test_whatever_it_raises_is_the_reason_of_the_item(apart: Apart) -> None:
    assert why(apart, "raise") == ("bug", "ValueError: no such thing")
    assert why(apart, "reject") == ("too_dark", "nothing is seen")


@pytest.mark.parametrize(
    ("do", "code", "said"),
    [
        ("crash", "crashed", "SIGSEGV"),
        ("abort", "crashed", "SIGKILL"),
        ("hang", "too_slow", "0.5 seconds"),
        ("sleep", "too_slow", "0.5 seconds"),
        ("fill", "too_much_memory", "more memory"),
    ],
)
def test_what_ends_or_fills_it_costs_the_item_and_no_other(apart: Apart, do: str, code: str, said: str) -> None:
    told, message = why(apart, do)
    assert told == code and said in message
    assert apart.ask({"do": "answer"}, b"ab")[1] == b"ba"


def test_what_a_user_can_mend_costs_no_item_and_is_said_as_it_was() -> None:
    apart = Apart("tests.core.test_apart:serve", {"name": "no one"}, seconds=0.5, gib=0.5)
    for _ in range(2):
        with pytest.raises(UserError, match=r"^name: there is no one$"):
            apart.ask({"do": "answer"})
    apart.close()


def test_threads_have_a_process_each_and_none_is_left(apart: Apart) -> None:
    at_once = threading.Barrier(3)

    def ask(number: int) -> int:
        at_once.wait()
        return int(apart.ask({"do": "answer"}, bytes([number]))[0]["pid"])

    with ThreadPoolExecutor(3) as threads:
        processes = set(threads.map(ask, range(3)))
    apart.close()
    assert not any(os.path.exists(f"/proc/{process}") for process in processes)  # noqa: PTH110
