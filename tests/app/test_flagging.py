"""figray flag, and exports without what it found."""

import json

import pytest
from typer.testing import CliRunner

from app import taking_away
from app.cli import cli
from app.flagging import FlagPart, asked, flagged, lines, slices
from core.config import SettingError, UserError
from core.places import Place
from core.records import Pair, Reject, from_table, to_table
from core.runs import Table
from core.wanted import Wanted
from pipelines.flags import Flag
from tests.app.exports.conftest import run as small_run

run = small_run


def looked_at(run: Place) -> Table:
    """The table flags/, made in this process; then two pairs of its first part said to have something."""
    pairs, table = Table(run / "pairs", Pair), Table(run / "flags", Flag)
    actor = FlagPart(pairs, table)
    for work in slices(pairs):
        actor(vars(work))
    first = table.parts()[0]
    flags = [
        Flag(pair_id="PMC0.1/fig.1#0", burnt_in_text=0.1, skin=0.0),
        Flag(pair_id="PMC1.1/fig.1#0", burnt_in_text=0.0, skin=0.9),
    ]
    counts = {"burnt-in-text": 1, "person": 1}
    table.commit(0, tables={"": to_table(flags, Flag)}, rejects=[], inputs=first.inputs, counts=counts)
    return table


def _lines(out: Place, split: str) -> list[str]:
    return (out / f"{split}.jsonl").read_bytes().decode().splitlines()


def test_what_was_flagged_stays_behind(run: Place) -> None:
    table = looked_at(run)
    assert lines(table) == ["images: 10; burnt-in-text 1, person 1"]
    pairs = Table(run / "pairs", Pair)
    assert flagged(pairs, 0, asked(run, "person")) == {"PMC1.1/fig.1#0"}
    assert flagged(pairs, 0, frozenset()) == flagged(pairs, 1, asked(run, "person")) == frozenset()
    wanted = Wanted(without=asked(run, "burnt-in-text, person"))
    plan = taking_away.plan(run, "pairs", run / "out", "jsonl", wanted, per_shard=100, seed=0)
    told = taking_away.export(run, "pairs", run / "out", "jsonl", wanted, plan, seed=0)
    assert told["left_out"] == {"flagged": 2, "permission": 1} and told["rows"] == {"test": 3, "train": 6}
    written = (run / "out" / "export.json").read_json()["wanted"]
    assert written["without"] == ["burnt-in-text", "person"]
    leaving = [json.loads(line)["pair_id"] for name in ("test", "train") for line in _lines(run / "out", name)]
    assert len(leaving) == 9 and not {"PMC0.1/fig.1#0", "PMC1.1/fig.1#0"} & set(leaving)
    every = (run / "out" / "ATTRIBUTION.csv").read_bytes().decode()
    assert "PMC0.1/fig.1#0" not in every and "PMC0.1/fig.1#1" in every


def test_a_run_that_nobody_looked_at_is_refused(run: Place) -> None:
    with pytest.raises(UserError, match=r"not all pairs of .* were looked at for person; `figray flag"):
        asked(run, "person")
    with pytest.raises(SettingError, match="--without faces: there are burnt-in-text, person"):
        asked(run, "faces")
    assert asked(run, "") == frozenset()


def test_what_could_not_be_looked_at_stays_behind(run: Place) -> None:
    table = looked_at(run)
    unseen = Reject(item_id="PMC2.1/fig.1#0", article_id="PMC2.1", stage="flags", code="unreadable", message="")
    flags = [flag for flag in from_table(table.read_part(1), Flag) if flag.pair_id != unseen.item_id]
    inputs = table.parts()[1].inputs
    table.commit(1, tables={"": to_table(flags, Flag)}, rejects=[unseen], inputs=inputs, counts={})
    assert flagged(Table(run / "pairs", Pair), 1, asked(run, "person")) == {unseen.item_id}


@pytest.mark.cluster
@pytest.mark.ray
def test_the_command_looks_at_all_images(local_ray: None, run: Place) -> None:
    done = CliRunner().invoke(cli, ["flag", run.uri])
    assert done.exit_code == 0, done.output
    assert "images: 12; burnt-in-text 0, person 0" in done.output
