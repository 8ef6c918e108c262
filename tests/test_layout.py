"""The house: who may import whom, who knows Ray, and the README's tree against the files."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("app", "pipelines", "trainers", "tuning")
# The contract that every room may use; it imports nothing of ours but itself.
CONTRACT = {
    "app.config", "app.settings", "app.places", "app.runs", "app.cluster",
    "pipelines.records", "pipelines.rejection", "pipelines.images", "pipelines.sentences",
}  # fmt: skip
MAY_IMPORT = {"pipelines": {"pipelines"}, "trainers": {"trainers"}, "tuning": {"tuning", "trainers"}, "app": set(ROOMS)}
RUN_WHOLE = {"app/demo.py"}  # tested by test_end_to_end.py alone
KNOW_RAY = {
    "pipelines/build.py", "pipelines/stream.py", "trainers/fit.py", "trainers/fit_all.py", "tuning/sweep.py",
    "tuning/search.py",
    "app/cluster.py", "app/jobs.py", "app/local_head.py", "app/runs.py",
}  # fmt: skip


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    return {name for name in imported(path) if name.partition(".")[0] in ROOMS}


def in_contract(name: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in CONTRACT)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_point_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    allowed = MAY_IMPORT[room]
    wrong = {name for name in ours(path) if not in_contract(name) and name.partition(".")[0] not in allowed}
    assert not wrong


@pytest.mark.parametrize("module", sorted(CONTRACT))
def test_the_contract_imports_nothing_else_of_ours(module: str) -> None:
    path = ROOT / f"{module.replace('.', '/')}.py"
    assert all(in_contract(name) for name in ours(path))


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
        return (ROOT / "tests" / path.relative_to(ROOT).parent / f"test_{path.name}").exists()

    named = [path for path in modules() if path.name != "__init__.py"]
    assert {str(path.relative_to(ROOT)) for path in named if not has_test(path)} == RUN_WHOLE


def test_the_readme_tree_names_every_file_and_no_other() -> None:
    block = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block, "README.md has no tree"
    named = set(tree_paths(block.group(1)))
    there = {str(path.relative_to(ROOT)) for path in modules() if path.name != "__init__.py"}
    assert {path for path in named if path.endswith(".py") and not path.startswith("tests/")} == there
    assert all((ROOT / path).exists() for path in named)


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
