"""Chromium, and a run of two thousand pairs whose report it opens."""

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app import steps
from core.config import load
from core.places import Place
from core.records import MatchedBy, Pair, to_table
from core.runs import Table
from tests.app.report.test_evaluated import told

PAIRS = 2000
SIDE = 200  # pixels of a drawn image
ATTACK = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
WAYS: tuple[MatchedBy, ...] = ("letter", "order", "whole", "single")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser; the tests are skipped, with the reason, where none is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])  # root needs no sandbox
        yield browser
        browser.close()


def a_pair(number: int, images: list[bytes]) -> Pair:
    """A pair whose score, modality and text follow from its number; some hold markup."""
    return Pair(
        pair_id=f"PMC{number // 4}.1/f#{number % 4}", figure_id=f"PMC{number // 4}.1/f",
        article_id=f"PMC{number // 4}.1", split=("train", "val", "test")[number % 3],
        image=images[number % len(images)], width=SIDE, height=SIDE, box=(0, 0, SIDE, SIDE), label=None,
        text=f"Panel {number} shows a lesion. " * 4 + (ATTACK if number % 100 == 0 else ""),
        matched_by=WAYS[number % 4], score=(number * 7919 % PAIRS) / PAIRS, reason="letter A", licence="CC BY",
        attribution="", media_url="s3://pmc-oa-opendata/x.jpg", md5="", modality="CT" if number % 2 else "MRI",
    )  # fmt: skip


def a_scan(generator: np.random.Generator) -> bytes:
    """A grey image with the detail of a scan: smooth shapes under fine noise."""
    coarse = Image.fromarray(generator.integers(0, 255, (12, 12), dtype=np.uint8)).resize((SIDE, SIDE))
    noisy = np.asarray(coarse, dtype=float) + generator.normal(0, 6, (SIDE, SIDE))
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Pairs of three splits, and two models with their training and retrieval."""
    place, generator = Place.at(tmp_path_factory.mktemp("runs") / "many"), np.random.default_rng(0)
    images = [a_scan(generator) for _ in range(40)]
    pairs = [a_pair(number, images) for number in range(PAIRS)]
    tables = {
        f"split={split}": to_table([pair for pair in pairs if pair.split == split], Pair)
        for split in ("train", "val", "test")
    }
    Table(place / "pairs", Pair).commit(
        0, tables=tables, rejects=[], inputs="", counts={f"matched_by_{way}": PAIRS // 4 for way in WAYS}
    )
    for model in ("processed", "mlip-brain"):
        folder = place / "models" / model
        (folder / "settings.json").write_json({})
        lines = (f'{{"step": {n}, "loss": {9 / n}, "samples_per_s": 40, "wait_share": 0.1}}\n' for n in range(1, 60))
        (folder / "metrics.jsonl").write_bytes("".join(lines).encode())
        (folder / "retrieval-test-rerank0.json").write_json({"pairs": told(["x"], 0.5) | {"examples": []}})
    return place


@pytest.fixture(scope="session")
def report(run: Place) -> Path:
    """The run's report."""
    return Path(steps.report(load(None, []), run)[0])


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[..., Any]]:
    """opened(page, width, dark=): the page in a browser, which must not complain of anything."""
    complaints: list[str] = []
    contexts = []

    def show(page: Path, width: int = 1280, *, dark: bool = False, script: bool = True) -> Any:
        size = {"width": width, "height": 800 if width > 800 else 844}
        context = chromium.new_context(
            viewport=size, color_scheme="dark" if dark else "light", java_script_enabled=script, accept_downloads=True
        )
        contexts.append(context)
        shown = context.new_page()
        shown.on("console", lambda message: complaints.append(message.text))
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.on("request", lambda asked: complaints.append(asked.url) if not local(asked.url) else None)
        shown.goto(page.as_uri())
        return shown

    yield show
    for context in contexts:
        context.close()
    assert not complaints


def local(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:"))
