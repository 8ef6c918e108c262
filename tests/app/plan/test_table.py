"""The table of a plan: narrow enough, whole, and with what it assumes."""

from app.plan.inputs import Range
from app.plan.nodes import Station
from app.plan.stations import Plan
from app.plan.table import WIDTH, Estimate, lines, short


def made(times: float) -> Plan:
    station = Station("separate", 850_000, "figures", "cpu", "c6i.4xlarge", 16, 1.0 * times, 16.0 * times,
                      4.71 * times, "tables.readers, at most 256")  # fmt: skip
    return Plan((station,), gib=244.0 * times, storage_cost=5.6 * times, requests_cost=0.0, notes=("a thought",))


ESTIMATE = Estimate(made(1), made(0.5), made(23456))
RANGES = {
    "core": Range(value=1.0, cheap=0.8, dear=1.5, source="a guess " + 30 * "so "),
    "put_per_1000": Range(value=0.005, cheap=0.005, dear=0.005, source="a price list"),
    "get_per_1000": Range(value=0.0004, cheap=0.0004, dear=0.0004, source="a price list"),
}


def test_a_row_tells_the_number_between_its_ends() -> None:
    row = next(line for line in lines(ESTIMATE, RANGES) if line.startswith("separate"))
    assert " ".join(row.split()) == (
        "separate 850,000 figures 16 c6i.4xlarge 1 (0.5-23.5 k) 16 (8-375 k) 4.7 (2.4-110 k)"
    )


def test_no_line_is_wider_than_a_terminal() -> None:
    assert WIDTH <= 100
    assert max(len(line) for line in lines(ESTIMATE, RANGES)) <= 100


def test_bounds_notes_and_assumptions_are_told() -> None:
    text = "\n".join(lines(ESTIMATE, RANGES))
    assert "  separate: tables.readers, at most 256" in text
    assert "Note: a thought" in text
    assert "  core 1 (0.8 to 1.5): a guess so" in text
    assert "  put_per_1000 0.005, get_per_1000 4.0e-04: a price list" in text


def test_the_totals_fit_in_a_line() -> None:
    assert short(Estimate(made(1), made(1), made(1))) == "1 (1-1) hours, 16 (16-16) node-hours, 4.7 (4.7-4.7) dollars"
