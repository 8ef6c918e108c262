"""The guides: their commands exist, those that are marked print what the page shows, and links lead somewhere."""

import re
import shlex
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app import verbosity
from app.cli import cli
from app.session import in_one_line
from tests.guides import formats, settings
from tests.guides.page import GUIDES, ROOT, commands_of, missing, typed_in

PAGES = [*sorted(GUIDES.glob("*.md")), ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN_HERE = ["figures.md", "topic.md"]
RUN_ON_RAY = ["table.md"]
SPOKEN_OF = re.compile(r"\b(?:log|architecture)\.md$")  # pages of what was tried, whose commands may be of then


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that examples/sample_files.py writes."""
    sys.path.insert(0, str(ROOT / "examples"))
    try:
        from sample_files import write_samples
    finally:
        sys.path.remove(str(ROOT / "examples"))
    folder = tmp_path_factory.mktemp("guides") / "samples"
    write_samples(folder)
    return folder


@pytest.fixture
def work(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with the sample files in it, where the commands of a page are given."""
    shutil.copytree(samples, tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(verbosity.ASKED, "quiet", False)
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS", "NCBI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in handlers.items():  # commands take them for themselves
        signal.signal(number, handler)


@pytest.fixture
def served(work: Path, draw_corpus: Callable[..., None]) -> Iterator[list[str]]:
    """Drawn articles, served below the folder as the page of topics says; the settings that lead there."""
    from phantom.pmc.__main__ import recipe
    from phantom.pmc.server import serve

    draw_corpus(work / "served", articles=24, seed=0)
    with serve(work / "served" / "bucket") as there:
        (work / "served" / "here.yaml").write_text(recipe(there), encoding="utf-8")
        yield [word for name, value in there.settings.items() for word in ("--set", f"{name}={value}")]


def run_page(page: Path, work: Path, *, services: Sequence[str] = ()) -> None:
    """Give the marked commands of a page in order; each block has to print what stands below it.

    services: settings of `figray check`, so that it asks no real service.
    """
    marked = [block for block in commands_of(page.read_text(encoding="utf-8")) if block.is_run]
    assert marked, f"{page.name} has no block that is run"
    for block in marked:
        said = "".join(run_line(line, work, services) for line in block.lines)
        assert missing(block.shown, said) == [], said


def run_line(line: str, work: Path, services: Sequence[str]) -> str:
    """What one command line prints, with paths as below the folder where it was given."""
    words = shlex.split(line)
    if words[:2] == ["python", "examples/sample_files.py"]:
        return ""  # the fixture has made them
    if words[:2] == ["figray", "check"]:
        words += services
    if words[0] == "figray":
        done = CliRunner().invoke(cli, words[1:])
        error = in_one_line(done.exception) if isinstance(done.exception, Exception) else None
        said = done.output + (f"figray: {error}\n" if error else "")
        assert done.exit_code == 0 or error, said + str(done.exception)
    else:
        said = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
    return said.replace(f"{work}/", "")


@pytest.mark.parametrize("name", RUN_HERE)
def test_a_guide_says_what_its_commands_print(name: str, work: Path, request: pytest.FixtureRequest) -> None:
    services = request.getfixturevalue("served") if name == "topic.md" else ()
    run_page(GUIDES / name, work, services=services)


@pytest.mark.ray
@pytest.mark.cluster
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", RUN_ON_RAY)
def test_a_guide_that_needs_ray_says_what_its_commands_print(name: str, work: Path, local_ray: None) -> None:
    run_page(GUIDES / name, work)


def test_every_marked_block_is_run_by_a_test() -> None:
    mark = re.compile(r"^<!-- run -->$", re.MULTILINE)
    marked = {page.name for page in PAGES if mark.search(page.read_text(encoding="utf-8"))}
    assert marked == {*RUN_HERE, *RUN_ON_RAY}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_one_that_figray_takes(page: Path) -> None:
    if not SPOKEN_OF.search(page.name):
        assert [line for line in typed_in(page.read_text(encoding="utf-8")) if not is_taken(line)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_that_a_page_gives_is_one(page: Path) -> None:
    given = re.findall(r"--set \"?'?([a-z]+\.[a-z_0-9]+)=", page.read_text(encoding="utf-8"))
    assert SPOKEN_OF.search(page.name) or set(given) <= {*names()}


def names() -> list[str]:
    """Every setting, by its dotted name."""
    return re.findall(r"^\| `([\w.]+)` ", settings.page(), re.MULTILINE)


def test_the_messages_of_the_page_of_troubles_are_said_somewhere() -> None:
    rooms = ("app", "core", "pipelines", "trainers", "tuning")
    code = "\n".join(file.read_text(encoding="utf-8") for room in rooms for file in (ROOT / room).rglob("*.py"))
    code = re.sub(r"\"\s*f?\"", "", code) + "No such option"  # pieces of one text; the last is said by typer
    page = (GUIDES / "troubleshooting.md").read_text(encoding="utf-8")
    messages = re.findall(r"^\| `(.*?)` \|", page, re.MULTILINE)
    assert len(messages) > 25
    pieces = [(message, piece.strip(" :;")) for message in messages for piece in message.split("...")]
    assert [message for message, piece in pieces if piece and piece not in code] == []


def is_taken(line: str) -> bool:
    """Whether a command line names a command of figray, options that it has, and as many arguments as it takes."""
    line = re.split(r"\s(?:&&|\||>|&)\s", line)[0]
    words = shlex.split(re.sub(r"<[^>]*>", "X", line))[1:]
    group = typer.main.get_command(cli)
    if words in (["--help"], ["--version"]):
        return True
    if "--" in words:  # what is submitted is a command itself
        at = words.index("--")
        return is_taken(shlex.join(["figray", *words[at + 1 :]])) and words[0] == "submit"
    words = [word for word in words if word not in ("-q", "-v")]
    context = group.make_context("figray", [], resilient_parsing=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while hasattr(group, "commands") and words:
            _, group, words = group.resolve_command(context, words)  # type: ignore[attr-defined]
            if group is None:
                return False
        names = {name for each in group.params for name in (*each.opts, *each.secondary_opts)}
        return all(word.partition("=")[0] in names for word in words if word.startswith("--"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(((?!https?:|mailto:|#)[^)\s#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("made", [settings, formats], ids=["settings", "formats"])
def test_a_page_that_is_made_from_the_code_is_as_the_code_is(made: "Made") -> None:
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), f"run `python -m {made.__name__}`"


def test_every_setting_has_words() -> None:
    assert re.findall(r"^\| `[\w.]+` .*\|  \|$", settings.page(), re.MULTILINE) == []


class Made:
    """A module that makes a page."""

    PAGE: Path
    page: Callable[[], str]
    __name__: str
