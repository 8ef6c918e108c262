"""Answers as pages of their own, and as lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape
from PIL import Image

from app.asking.questions import Fit
from app.papers.heatmap_grid import overlay
from app.report.contact_sheet import data_uri
from app.report.page import policy_hash
from app.report.templates import templates
from core.images import open_image
from trainers.index import Hit

SIDE = 220  # px of an image on a page


def page(hits: Sequence[Hit], query: str, name: str) -> str:
    """The hits as a page of its own."""
    about = f"The {len(hits)} images nearest to “{query}” by the model {name}; the number is the cosine."
    shown = [shown_hit(hit) for hit in hits]
    return _rendered("search.html", title=f"figray: {query}", about=about, hits=shown)


def shown_hit(hit: Hit) -> dict[str, Any]:
    """A hit as pages have it."""
    facts = {key: hit.row.get(key) or "" for key in ("pair_id", "text", "modality", "licence", "attribution")}
    return {**facts, "image": small_uri(open_image(hit.row["image"]).image), "score": f"{hit.score:.3f}"}


def compared_page(found: Sequence[Fit], image: Image.Image, name: str, *, how: str) -> str:
    """An image beside the texts, each with its map. how: what the maps' colours mean; "" where there are none."""
    about = f"How well each text fits the image by the model {name}; the number is the cosine."
    shown = shown_fits(found, image)
    return _rendered("compare.html", title="figray compare", about=about, how=how, image=small_uri(image), fits=shown)


def shown_fits(found: Sequence[Fit], image: Image.Image) -> list[dict[str, str]]:
    """What pages show of texts beside an image: score, text, and the image under the map's colours, "" without one."""
    shown = _small(image)
    return [
        {
            "score": f"{each.score:.3f}",
            "text": each.text,
            "image": "" if each.heat is None else data_uri(overlay(shown, each.heat)),
        }
        for each in found
    ]


def small_uri(image: Image.Image) -> str:
    """An image as pages have it."""
    return data_uri(_small(image))


def _small(image: Image.Image) -> Image.Image:
    small = image.copy()
    small.thumbnail((2 * SIDE, 2 * SIDE))
    return small


def _rendered(name: str, **given: Any) -> str:
    """A template of this room."""
    return templates("app.asking").get_template(name).render(**given)


def lines(hits: Sequence[Hit]) -> list[str]:
    """The hits, a line each."""
    return [
        f"{place:3} {hit.score:6.3f} {hit.row['pair_id']}  {hit.row['text'][:90]}" for place, hit in enumerate(hits, 1)
    ]


@dataclass(frozen=True)
class Compared:
    """Texts beside an image, as shown_fits() has them."""

    fits: list[dict[str, str]]
    how: str  # what the colours of the maps mean; "" where there are none


def site_page(about: str, *, query: str, hits: Sequence[Hit], said: str) -> str:
    """The site's one page. said: what is wrong with the question; "" where nothing is."""
    script = (Path(__file__).parent / "serve.js").read_text(encoding="utf-8")
    return _rendered(
        "serve.html",
        title="figray",
        about=about,
        query=query,
        hits=[shown_hit(hit) for hit in hits],
        said=said,
        script=Markup(script),  # ours, and named by its hash in the page's policy
        script_hash=policy_hash(script),
    )


def hits_piece(hits: Sequence[Hit]) -> str:
    """The hits as a piece of the page."""
    return _rendered("hits.html", hits=[shown_hit(hit) for hit in hits])


def fits_piece(found: Compared) -> str:
    """Texts beside an image as a piece of the page."""
    return _rendered("fits.html", fits=found.fits, how=found.how, image="")


def said_piece(said: str) -> str:
    """What is wrong with a question, as a piece of the page."""
    return f'<p class="note">{escape(said)}</p>'


def as_json(answer: Any) -> list[dict[str, Any]]:
    """Hits or texts beside an image as JSON, without their pictures."""
    if isinstance(answer, Compared):
        return [{"score": float(each["score"]), "text": each["text"]} for each in answer.fits]
    return [{"score": hit.score, **{key: value for key, value in hit.row.items() if key != "image"}} for hit in answer]
