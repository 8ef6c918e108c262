"""The site as a browser shows it: nothing comes from elsewhere, nothing is wider than a phone, all can read it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ("index", "guides/table", "guides/settings", "guides/troubleshooting", "cluster")
# Its search box has no name for a screen reader, and wide tables on a phone are not scrolled by keys.
OF_THE_THEME = ("aria-dialog-name", "scrollable-region-focusable")
pytestmark = pytest.mark.browser


class Silent(SimpleHTTPRequestHandler):
    """A server of files that says nothing."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site, built and served on loopback."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, check=True, timeout=200)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_load_nothing_from_elsewhere_and_can_be_read(site: str, chromium: Any, width: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme="dark" if dark else "light")
    page, asked, wrong = context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for name in PAGES:
        page.goto(f"{site}/{name}.html")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        found = axe.Axe().run(page).response["violations"]
        serious = [
            each for each in found if each["impact"] in ("serious", "critical") and each["id"] not in OF_THE_THEME
        ]
        assert [(name, each["id"], each["nodes"][0]["html"]) for each in serious] == []
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == [] and wrong == []
    context.close()


def test_the_search_finds_a_setting(site: str, chromium: Any) -> None:
    page = chromium.new_page()
    page.goto(f"{site}/index.html")
    page.keyboard.press("/")
    page.keyboard.type("checkpoint_minutes")
    page.wait_for_selector("a[href*='settings.html']:has-text('checkpoint')", timeout=60_000, state="attached")
    page.close()
