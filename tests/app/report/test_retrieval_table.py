"""The table compares schemes with one another and with chance, in numbers worked by hand."""

import pytest

from app.report.retrieval_table import Pool, chance_row, columns, interval, modality_tables, rows, summary

POOL = Pool(images=50, texts=40)
RAW = {"i2t@1": 10.0, "i2t@10": 50.0, "t2i@1": 12.5, "t2i@10": 50.0}
PROCESSED = {"i2t@1": 40.0, "i2t@10": 50.04, "t2i@1": 10.0, "t2i@10": 75.0}


def test_chance_is_k_of_the_candidates() -> None:
    assert [cell.value for cell in chance_row({"pairs": POOL})] == ["2.5", "25.0", "2.0", "20.0"]
    assert Pool(images=5, texts=5).expected("i2t@10") == 100.0
    assert Pool(images=5, texts=5, chance={"i2t@1": 33.0}).expected("i2t@1") == 33.0


def test_the_best_of_a_column_is_what_the_shown_digits_tell() -> None:
    raw, processed = rows({"raw": {"pairs": RAW}, "processed": {"pairs": PROCESSED}}, {"pairs": POOL})
    assert [cell.is_best for cell in raw.cells] == [False, True, True, False]
    assert [cell.is_best for cell in processed.cells] == [True, True, False, True]


def test_one_scheme_alone_is_not_called_best() -> None:
    (row,) = rows({"raw": {"pairs": RAW}}, {"pairs": POOL})
    assert not any(cell.is_best for cell in row.cells)


def test_cells_tell_the_ratio_to_chance_and_gaps_are_dashes() -> None:
    (row,) = rows({"raw": {"pairs": {"i2t@1": 10.0}}}, {"pairs": POOL, "whole": POOL})
    assert (row.cells[0].value, row.cells[0].ratio) == ("10.0", "×4.0")
    assert [cell.value for cell in row.cells[1:]] == ["–"] * 7
    assert len(columns({"pairs": POOL, "whole": POOL})) == 8


def test_the_interval_is_wilson_s() -> None:
    # 10 of 50, z = 1.96: (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)
    low, high = interval(20.0, 50)
    assert (low, high) == pytest.approx((11.24, 33.04), abs=0.01)
    assert interval(0.0, 0) == (0.0, 100.0)


def test_the_summary_names_the_better_scheme_first_and_chance_last() -> None:
    told = summary({"raw": {"pairs": RAW}, "processed": {"pairs": PROCESSED}}, {"pairs": POOL})
    assert told == (
        "Pre-training on pairs of panel and subcaption (processed) finds the right text for 40.0 % of the 50 images of "
        "“pairs”, against 10.0 % after training on whole figures with whole captions (raw); guessing would find 2.5 %."
    )


def test_the_summary_warns_where_intervals_overlap_and_favours_no_scheme() -> None:
    told = summary({"raw": {"pairs": RAW}, "processed": {"pairs": RAW | {"i2t@1": 8.0}}}, {"pairs": POOL})
    assert told.startswith("Pre-training on whole figures with whole captions (raw) finds the right text for 10.0 %")
    assert told.endswith("With this many images the difference may be chance: the 95 % intervals overlap.")


def test_there_is_no_summary_without_results() -> None:
    assert summary({}, {}) == ""
    assert summary({"raw": {}}, {"pairs": POOL}) == ""


def test_a_measured_interval_stands_for_the_assumed_one() -> None:
    measured = {"processed": {"pairs": {"i2t@1": (31.2, 49.9)}}}
    raw, processed = rows({"raw": {"pairs": RAW}, "processed": {"pairs": PROCESSED}}, {"pairs": POOL}, measured)
    assert processed.cells[0].interval == "31–50"
    assert raw.cells[0].interval == "4–21"
    results = {"raw": {"pairs": RAW}, "processed": {"pairs": PROCESSED | {"i2t@1": 14.0}}}
    apart = {scheme: {"pairs": {"i2t@1": bounds}} for scheme, bounds in (("raw", (9, 11)), ("processed", (13, 15)))}
    assert "overlap" in summary(results, {"pairs": POOL})
    assert "overlap" not in summary(results, {"pairs": POOL}, apart)


def test_strict_values_stand_beneath_where_they_were_measured() -> None:
    (row,) = rows({"raw": {"pairs": RAW | {"strict_i2t@1": 7.25}}}, {"pairs": POOL})
    assert [cell.strict for cell in row.cells] == ["strict 7.2", "", "", ""]


def test_modalities_stand_in_the_order_of_their_queries_with_gaps_as_dashes() -> None:
    ct = {"queries": 12, "i2t@1": 10.0, "i2t@10": 50.0, "t2i@1": 20.0, "t2i@10": 60.04}
    found = {
        "raw": {"pairs": {"CT": ct, "MRI": {**ct, "queries": 30}}, "whole": {"CT": ct}},
        "processed": {"pairs": {"CT": ct}},
    }
    (table,) = modality_tables(found)
    assert (table.pool, table.schemes) == ("pairs", ["raw", "processed"])
    assert [(row.modality, row.queries) for row in table.rows] == [("MRI", 30), ("CT", 12)]
    assert table.rows[0].cells == ["10.0", "50.0", "20.0", "60.0", "–", "–", "–", "–"]
    assert modality_tables({}) == []
