"""docs/reliability.md, made from the faults: `python -m tests.faults.page` writes it."""

from pathlib import Path

from tests.faults import content, network, runs
from tests.faults.fault import Fault

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "reliability.md"
GROUPS: dict[str, list[Fault]] = {
    "Networks and hosts": network.FAULTS,
    "Articles, images and readers": content.FAULTS,
    "Runs, disks, drivers, checkpoints and secrets": runs.FAULTS,
}
HEAD = """# What goes wrong, and how it ends

Each row is a fault that `tests/faults/` injects for real, with the end that it has to have. This page is made from
them: `python -m tests.faults.page`. `make test` runs them, and holds this page against them.

**Words.** A *code* such as `timeout` is the reason of one reject: a row of `rejects-*.parquet` and `left_out.csv`. Of
kind `failed` are those that may pass: `timeout`, `connection`, `checksum`, `incomplete`, `encoding`, `not_a_listing`,
`unreadable`, `host_down`, and HTTP 408, 425, 429 and 5xx. The same command again fetches them, and `figray retry RUN`
them alone. All others are of kind `left_out`. `figray verify RUN` looks through a run. It says what is damaged and what
to delete. In = kept + left out + failed, for each part of each table.

**Stopped in the middle.** Ctrl-C ends with 130, SIGTERM with 143. What was committed stays, and the same command goes
on from there. A training saves a checkpoint first, within 25 seconds. After SIGKILL the same command goes on too: from
the newest checkpoint whose checksums are right. `make soak` kills one run again and again, and compares its tables.

**One driver.** A run has one driver at a time. It renews a claim in `RUN/claims` each second. A second driver refuses
in some seconds. A driver on this machine that was killed is known at once, one elsewhere after 15 seconds.
"""


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    for name, faults in GROUPS.items():
        parts.append(f"\n## {name}\n\n| fault | its end |\n|---|---|\n")
        parts += [f"| {fault.what} | `{fault.end.strip(': ')}` |\n" for fault in faults]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
