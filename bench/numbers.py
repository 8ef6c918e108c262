"""What a bench measures: numbers by name, printed as they come, written to a file, and held against goals."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

Numbers = dict[str, float]


def measure(parts: Sequence[Callable[[], Numbers]], out: Path, missed: Callable[[Numbers], list[str]]) -> None:
    """Run the parts, write their numbers, say which goals were missed, and exit, with 1 if any was."""
    told: Numbers = {}
    for part in parts:
        found = part()
        say(json.dumps(found, indent=1))
        told |= found
    told["load"] = os.getloadavg()[0]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(told, indent=1))
    failed = missed(told)
    for goal in failed:
        say(f"missed: {goal}")
    sys.exit(bool(failed))


def say(line: str) -> None:
    """A line for whoever started the script."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
