"""The house: who may import whom, who knows Ray, and the tree of docs/architecture.md."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The floors of the house, from the ground up. Rooms of one floor know nothing of each other.
FLOORS = (("core",), ("pipelines", "trainers"), ("tuning", "phantom"), ("app",), ("bench",))
FLOOR = {package: floor for floor, packages in enumerate(FLOORS) for package in packages}
ROOMS = ("core", "pipelines", "trainers", "tuning", "phantom", "app")
RUN_WHOLE = {"app/demo.py"}  # tested by test_end_to_end.py alone
KNOW_RAY = {
    "pipelines/stages.py", "pipelines/dealing_on_ray.py",
    "pipelines/build.py", "pipelines/stream.py", "trainers/fit.py", "trainers/fit_all.py", "tuning/sweep.py",
    "tuning/search.py", "core/cluster.py", "core/runs.py", "core/stations.py", "core/copies/search.py",
    "app/jobs/client.py", "app/jobs/local_head.py", "trainers/evaluation/on_ray.py", "trainers/feeding.py",
    "trainers/watching.py", "app/asking/serving.py",
}  # fmt: skip


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    return {name for name in imported(path) if name.partition(".")[0] in ROOMS}


def package_of(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("path", [*modules(), *sorted((ROOT / "bench").glob("*.py"))], ids=shown)
def test_no_import_runs_upward(path: Path) -> None:
    """A file imports its own package, or one on a floor below."""
    own = path.relative_to(ROOT).parts[0]
    wrong = {name for name in ours(path) if package_of(name) != own and FLOOR[package_of(name)] >= FLOOR[own]}
    assert not wrong


@pytest.mark.parametrize("path", modules(), ids=shown)
def test_no_file_is_read_from_a_floor_above(path: Path) -> None:
    """`files("...")` and template loaders name the file's own package, or one below."""
    own = path.relative_to(ROOT).parts[0]
    read = re.findall(r"(?:files|PackageLoader|templates)\(\"([a-z_.]+)\"", path.read_text(encoding="utf-8"))
    assert all(package_of(name) == own or FLOOR[package_of(name)] < FLOOR[own] for name in read)


def room_of(module: str) -> str:
    """The folder in which a module, or a name imported from one, stands: pipelines.letters.ink -> pipelines.letters."""
    parts = module.split(".")
    while not (ROOT / "/".join(parts)).is_dir():
        parts.pop()
    return ".".join(parts)


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_of_a_floor_form_no_circle(package: str) -> None:
    """Each folder is a room; what joins rooms, the files beside them, stands above them."""
    arrows: dict[str, set[str]] = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if room != package:
            arrows.setdefault(room, set()).update(room_of(name) for name in ours(path) if package_of(name) == package)
    for room, known in arrows.items():
        known -= {room, package}
    assert not circle(arrows), "rooms that import each other in a circle"


def test_files_form_no_circle() -> None:
    def file_of(name: str) -> str:
        return name if (ROOT / f"{name.replace('.', '/')}.py").exists() else name.rpartition(".")[0]

    arrows = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): {file_of(name) for name in ours(path)}
        for path in modules()
        if path.name != "__init__.py"
    }
    assert not circle(arrows), "files that import each other in a circle"


def circle(arrows: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """What is left of arrows once all that leads to the ground is taken away, from the ground up."""
    rest = dict(arrows)
    while ground := [name for name, known in rest.items() if not known & rest.keys()]:
        for name in ground:
            del rest[name]
    return rest


def test_only_the_edges_know_ray() -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for path in modules()
        if any(name.partition(".")[0] == "ray" for name in imported(path))
    }
    assert knowing <= KNOW_RAY


def test_every_module_opens_with_a_sentence() -> None:
    for path in modules():
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert docstring and docstring.partition("\n")[0].rstrip().endswith((".", ")", ",", ";")), path


def test_every_module_has_its_tests() -> None:
    def has_test(path: Path) -> bool:
        if path.parent.name == "settings":  # one module in several files
            return (ROOT / "tests" / "core" / "test_settings.py").exists()
        return (ROOT / "tests" / path.relative_to(ROOT).parent / f"test_{path.name}").exists()

    named = [path for path in modules() if path.name != "__init__.py"]
    assert {str(path.relative_to(ROOT)) for path in named if not has_test(path)} == RUN_WHOLE


def test_the_tree_of_the_architecture_names_every_file_and_no_other() -> None:
    block = re.search(r"```text\n(.*?)```", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block, "docs/architecture.md has no tree"
    named = set(tree_paths(block.group(1)))
    there = {str(path.relative_to(ROOT)) for path in modules() if path.name != "__init__.py"}
    assert {path for path in named if path.endswith(".py") and not path.startswith("tests/")} == there
    assert all((ROOT / path).exists() for path in named)


def test_the_walk_through_the_house_names_what_is_there() -> None:
    steps = re.findall(r"`([\w/]+\.py):(\w+)`", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert len(steps) > 25
    for file, name in steps:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}, file


def tree_paths(tree: str) -> Iterator[str]:
    """The paths of a tree in which two spaces of indent are one folder, and the first word is the name."""
    folders: list[str] = []
    for line in filter(str.strip, tree.splitlines()):
        depth, name = (len(line) - len(line.lstrip())) // 2, line.split()[0]
        folders[depth:] = [name.rstrip("/")]
        if not name.endswith("/"):
            yield "/".join(folders)


@pytest.mark.parametrize(
    "banned",
    [
        r"pickle\.loads?\(",
        r"weights_only\s*=\s*False",
        r"extractall\(",
        r"yaml\.load\(",
        r"trust_remote_code\s*=\s*True",
        r"LOAD_TRUNCATED_IMAGES\s*=",
        r"verify\s*=\s*False",
        r"shell\s*=\s*True",
        r"\bTODO\b|\bFIXME\b",
    ],
)
def test_what_is_never_written(banned: str) -> None:
    assert [str(path) for path in modules() if re.search(banned, path.read_text(encoding="utf-8"))] == []
