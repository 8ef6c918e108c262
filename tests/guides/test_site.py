"""The site of `make docs`: it is built without a warning, and no page of it loads anything from elsewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from tests.guides.page import ROOT

LOADING = {"src", "srcset", "poster", "data", "action", "xlink:href"}  # and href of `link`


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, timeout=200)
    assert built.returncode == 0, built.stderr
    return folder


def test_every_page_of_the_documentation_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    assert pages <= {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loaded = [(page.name, url) for page in site.rglob("*.html") for url in urls(page)]
    assert len(loaded) > 50
    assert [each for each in loaded if re.match(r"(https?:)?//", each[1])] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"url\(\s*[\"']?(?:https?:)?//|@import", styles) == []


def urls(page: Path) -> Iterator[str]:
    """All that a browser fetches of its own for a page; a canonical link only names it."""
    tree: Any = html.parse(str(page)).getroot()
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        yield from (str(value) for name, value in element.attrib.items() if name in LOADING)
        if element.tag == "link" and element.get("rel") not in ("canonical", "prev", "next"):
            yield str(element.get("href"))
