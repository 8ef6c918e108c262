"""Progress on the terminal: one bar a station, with the rows so far, rows a second, and the time left."""

import sys
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from core.runs import Part  # brings pyarrow's datasets, which bring pandas

RECENT = 900.0  # seconds over which the pace is told: a part takes minutes


class Bars:
    """Called with each part that is done; without a terminal a station says one line when it ends."""

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console, self.is_quiet = console or Console(stderr=True), quiet
        columns = (
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        plain = quiet or not self.console.is_terminal
        self.bars = Progress(*columns, console=self.console, disable=plain, speed_estimate_period=RECENT)
        self.tasks: dict[str, TaskID] = {}
        self.seen: dict[str, list[int]] = {}  # station -> parts, rows, rows left out
        self.stopped_by = 0  # the signal that asked to stop

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Take a signal. Where a library swallows the exception, the next sign of progress raises it again."""
        self.stopped_by = number
        sys.unraisablehook = lambda _: None  # what a library had half made would complain as it is deleted
        raise KeyboardInterrupt

    def __call__(self, station: str, part: "Part", total: int) -> None:
        self._heed()
        task = self.task(station, total)
        seen = self.seen.setdefault(station, [0, 0, 0, 0])
        for place, count in enumerate((1, part.rows, sum(part.left_out.values()), sum(part.failed.values()))):
            seen[place] += count
        said = f"{seen[1]:,} rows" + (f", {seen[2]:,} left out" if seen[2] else "")
        said += f", {seen[3]:,} failed" if seen[3] else ""
        self.bars.update(task, completed=seen[0], total=total, said=said + self._pace(task, seen[1] / seen[0]))
        if seen[0] == total and not self.console.is_terminal and not self.is_quiet:
            self.console.print(f"{station}: {said}", highlight=False)

    def _pace(self, number: TaskID, rows: float) -> str:
        """Rows a second of late, parts of so many; nothing where that is not known yet."""
        task: Task = next(each for each in self.bars.tasks if each.id == number)
        return f", {task.speed * rows:.1f} a second" if task.speed and not task.finished else ""

    def step(self, name: str, done: int, total: int) -> None:
        """Show training, which is counted in steps; a total of 0 is not known yet."""
        self._heed()
        self.bars.update(self.task(f"train {name}", total), completed=done, total=total or None, said="steps")

    def rows(self, station: str, done: int, failed: int, total: int) -> None:
        """Show a job that is counted in rows."""
        self._heed()
        said = f"{failed:,} failed" if failed else ""
        self.bars.update(self.task(station, total), completed=done, total=total, said=said)

    def _heed(self) -> None:
        if self.stopped_by:
            raise KeyboardInterrupt

    def task(self, name: str, total: int) -> TaskID:
        """The bar of a station, made when it is first heard of."""
        if name not in self.tasks:
            self.tasks[name] = self.bars.add_task(name, total=total, said="")
        return self.tasks[name]
