"""figray serve as a browser and a program meet it: words, an image, texts beside it, and what cannot be asked."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from PIL import Image

from core.places import Place
from tests.app.test_retrieving import run as small_run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
run = small_run
STARTS = 200  # seconds at most, on a machine that is busy


def free_port() -> int:
    """Of those that the system and Ray give to nobody by themselves."""
    for port in range(21_000 + os.getpid() % 5_000, 30_000):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port is free")


@pytest.fixture
def address(run: Place) -> Iterator[str]:
    """Where the site of a small run answers."""
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve", run.uri, "--port", str(port), "--split", "test"]
    # As a user has it: what an earlier Ray of these tests has set is not there.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment["OMP_NUM_THREADS"] = "1"
    log = Path(run.path).parent / "serve.log"
    with log.open("wb") as told:
        started = subprocess.Popen(command, stderr=told, stdout=told, env=environment)
    try:
        deadline = time.monotonic() + STARTS
        while f":{port} answers" not in log.read_text():
            assert started.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        started.send_signal(signal.SIGTERM)
        assert started.wait(60) == 143, log.read_text()


def asked(url: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    try:
        with urlopen(Request(url, data=body, headers=headers), timeout=60) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        text = error.read().decode()
        return error.code, json.loads(text) if text.startswith("{") else text


def test_words_and_images_are_answered_in_json_and_on_the_page(address: str, chromium: Any, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    Image.new("RGB", (40, 30), (200, 0, 0)).save(tmp_path / "x.png")
    picture = (tmp_path / "x.png").read_bytes()
    status, hits = asked(f"{address}/v1/search?{urlencode({'q': 'a red disc', 'top': 3})}")
    assert status == 200 and len(hits) == 3 and hits[0]["score"] >= hits[2]["score"] and "image" not in hits[0]
    assert len(asked(f"{address}/v1/search?top=2", picture)[1]) == 2
    status, texts = asked(f"{address}/v1/compare?text=a+red+disc&text=a+blue+ring", picture)
    assert status == 200 and {each["text"] for each in texts} == {"a red disc", "a blue ring"}

    assert asked(f"{address}/v1/search?q=%20") == (422, {"error": "name words or an image file to search for"})
    assert asked(f"{address}/v1/search?q=x&top=9999")[0] == 422
    status, told = asked(f"{address}/v1/search", b"no image")
    assert status == 422 and told["error"].startswith("the image: ")
    assert asked(f"{address}/v1/search?q=x", Host="evil.example")[0] == 400

    page = chromium.new_page(viewport={"width": 390, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    page.goto(address)
    page.fill("#q", 'disc "><script>document.title=2</script>')
    page.click("form[action='/'] button")
    assert page.locator(".hits li").count() == 9 and page.title() == "figray"
    page.set_input_files("#file", tmp_path / "x.png")
    page.fill("#texts", "a red disc\na blue ring")
    page.click("#of-image button")
    playwright.expect(page.locator("#answer .hits li")).to_have_count(2, timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if shots := os.environ.get("FIGRAY_SHOTS"):  # a folder for people who want to look
        page.screenshot(path=f"{shots}/serve-390.png", full_page=True)
    page.set_input_files("#file", __file__)
    page.click("#of-image button")
    page.wait_for_selector("#answer .note")
    assert page.inner_text("#answer .note").startswith("the image: ")
    assert not [error for error in errors if "favicon" not in error and "422" not in error], errors
