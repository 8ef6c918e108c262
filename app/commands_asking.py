"""figray search and compare: ask a trained model."""

from pathlib import Path
from typing import Annotated

import typer

from app.options import AsJson, Run, RunFolder
from app.session import ended, say

commands = typer.Typer()

Model = Annotated[str, typer.Option("--model", help="A model of the run.")]


@commands.command()
def search(
    run: RunFolder,
    query: Annotated[str, typer.Argument(metavar="QUERY", help='Words, such as "glioma, T2", or an image file.')],
    name: Model = "processed",
    split: Annotated[str, typer.Option(help="train, val or test: only this; without it, all.")] = "",
    top: Annotated[int, typer.Option(help="How many, at most 200.")] = 10,
    as_json: AsJson = False,
) -> None:
    """The pairs whose images are nearest to words or to an image, as a list and as a page, RUN/search.html."""
    from app.steps import checkpoint, opened
    from core.places import Place
    from core.runs import refuse_missing

    place = Place.at(run)
    refuse_missing(place)
    checkpoint(place, name)  # before torch is loaded
    from app import asking

    with opened(place, None, []) as config:
        hits = asking.search(config, place, query, name=name, split=split, top=top)
        (place / "search.html").write_bytes(asking.page(hits, query, name).encode())
    for line in asking.lines(hits):
        say(line)
    say(f"page: {place / 'search.html'}")
    found = [{"score": hit.score, **{key: value for key, value in hit.row.items() if key != "image"}} for hit in hits]
    ended(found, as_json=as_json)


@commands.command()
def compare(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="An image file.")],
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Texts, of which one may fit.")],
    run: Run = "runs/collected",
    name: Model = "processed",
    as_json: AsJson = False,
) -> None:
    """Which text fits an image, by the cosines of a model."""
    from app.steps import checkpoint
    from core.places import Place
    from core.runs import refuse_missing

    place = Place.at(run)
    refuse_missing(place)
    checkpoint(place, name)  # before torch is loaded
    from app import asking

    found = asking.compare(place, image, texts, name=name)
    for score, text in found:
        say(f"{score:6.3f}  {text}")
    ended([{"score": score, "text": text} for score, text in found], as_json=as_json)
