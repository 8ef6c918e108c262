"""What a command says at its end: its main numbers, and the next command."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # they take time to import, and `figray --help` needs none of them
    from core.places import Place
    from core.runs import Table

RECALLS = ("i2t@1", "i2t@10", "t2i@1", "t2i@10")  # MedVL, table 1
WIDTH = 24  # letters of a model's or pool's name


def next_is(command: str, *, run: str, usual: str = "runs/collected", given: bool = False) -> str:
    """The line that names the next command. given: the run stands behind the command, not behind --run."""
    if given:
        return f"next: {command} {shlex.quote(run)}"
    return f"next: {command}" + ("" if run == usual else f" --run {shlex.quote(run)}")


def of_table(made: "Table", unit: str) -> str:
    """How many rows a table has and what was left out, "pairs: 2,857 (train 2,201, val 104, test 552), left out 3"."""
    splits: dict[str, int] = {}
    for part in made.parts():
        for file in part.files:
            split = file.name.rpartition("/")[0].removeprefix("split=")
            splits[split] = splits.get(split, 0) + file.rows
    by_split = ", ".join(f"{split} {rows:,}" for split, rows in sorted(splits.items(), reverse=True) if split)
    lost = sum(made.left_out.values())
    return f"{unit}: {made.rows:,}" + (f" ({by_split})" if by_split else "") + (f", left out {lost:,}" if lost else "")


def of_training(run: "Place", name: str) -> str:
    """Where a training ended, "model raw: step 800, loss 5.62, 41 pairs a second"."""
    file = run / "models" / name / "metrics.jsonl"
    lines = file.read_bytes().splitlines() if file.exists() else []
    if not lines:
        return f"model {name}: trained"
    last = json.loads(lines[-1])
    speeds = [record["samples_per_s"] for line in lines if "samples_per_s" in (record := json.loads(line))]
    said = [f"step {last['step']:,}"] + ([f"loss {last['loss']:.3f}"] if "loss" in last else [])
    if speeds:
        said.append(f"{sum(speeds) / len(speeds):,.0f} pairs a second")
    return f"model {name}: {', '.join(said)}"


def of_retrieval(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Recalls in percent, a line for each model and pool, beneath a head; chance beside each pool."""
    if not any(found.values()):
        return []
    lines = [f"{'model':{WIDTH}}{'pool':{WIDTH}}" + "".join(f"{name:>8}" for name in RECALLS)]
    for model, pools in found.items():
        for pool, told in pools.items():
            name = f"{pool} ({told['pool']:,})"
            lines.append(f"{model:{WIDTH}}{name:{WIDTH}}" + _percents(told["metrics"]))
    known = {pool: told for pools in found.values() for pool, told in pools.items()}
    lines += [f"{'chance':{WIDTH}}{pool:{WIDTH}}" + _percents(told["chance"]) for pool, told in known.items()]
    notes = {
        (model, note): None for model, pools in found.items() for told in pools.values() if (note := told.get("note"))
    }
    return lines + [f"{model}: {note}" for model, note in notes]


def _percents(metrics: Mapping[str, float]) -> str:
    return "".join(f"{100 * metrics[name]:8.1f}" if name in metrics else f"{'–':>8}" for name in RECALLS)


def of_report(numbers: Mapping[str, Any]) -> list[str]:
    """The findings of a report, a line each."""
    findings: Sequence[Mapping[str, str]] = numbers["findings"]
    return [f"{finding['number']:>10}  {finding['says']}" for finding in findings]
