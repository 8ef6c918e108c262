"""Sides of a comparison take turns."""

from bench.turns import in_turns, ratio_of_medians


def test_sides_take_turns_and_a_slow_turn_does_not_count() -> None:
    order = []

    def side(name: str, rates: list[float], turn: int) -> float:
        order.append((turn, name))
        return rates[turn]

    rates = in_turns({"a": lambda turn: side("a", [2, 9, 2], turn), "b": lambda turn: side("b", [4, 4, 1], turn)}, 3)
    assert order == [(0, "a"), (0, "b"), (1, "a"), (1, "b"), (2, "a"), (2, "b")]
    assert ratio_of_medians(rates["a"], rates["b"]) == 0.5
