"""Rows as items."""

from app.exports.items import item, key_of, part_of


def test_a_key_is_a_name_for_a_file_and_no_two_ids_share_one() -> None:
    keys = {
        key_of(name) for name in ("PMC1.1/a#0", "PMC1.1/a_0", "PMC1.1/a#0 ", "ö", "ä", "x" * 300 + "1", "x" * 300 + "2")
    }
    assert len(keys) == 7
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") for key in keys)


def test_findings_become_plain_values() -> None:
    row = {
        "image_id": "f", "image": b"\x89PNG", "text": "t", "split": "val", "sentences": [{"start": 0, "end": 1}],
        "targets": [{"name": "Edema", "present": True}], "regions": [{"target": "Edema", "box": (1, 2, 3, 4)}],
    }  # fmt: skip
    found = item(row)
    assert found.facts["targets"] == {"Edema": True}
    assert found.facts["regions"] == [{"target": "Edema", "box": [1, 2, 3, 4]}]
    assert found.facts["sentences"] == [[0, 1]]
    assert found.suffix == "png"


def test_a_file_says_of_which_part_it_is() -> None:
    assert part_of("/run/pairs/split=train/part-00003.parquet") == 3
    assert part_of("pairs/split=val/part-123456.parquet") == 123456
