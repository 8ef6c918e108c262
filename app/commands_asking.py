"""figray search, compare and serve: ask a trained model."""

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
    from app.asking import pages, questions

    with opened(place, None, []) as config:
        hits = questions.search(config, place, query, name=name, split=split, top=top)
        (place / "search.html").write_bytes(pages.page(hits, query, name).encode())
    for line in pages.lines(hits):
        say(line)
    say(f"page: {place / 'search.html'}")
    ended(pages.as_json(hits), as_json=as_json)


@commands.command()
def compare(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="An image file.")],
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Texts, of which one may fit.")],
    run: Run = "runs/collected",
    name: Model = "processed",
    as_json: AsJson = False,
) -> None:
    """Which text fits an image, and where the model looks, as lines and as a page, RUN/compare.html."""
    from app.steps import checkpoint
    from core.places import Place
    from core.runs import refuse_missing

    place = Place.at(run)
    refuse_missing(place)
    folder = checkpoint(place, name)  # before torch is loaded
    from app.asking import pages, questions

    questions.refuse_texts(texts)
    shown = questions.opened_image(image)
    asked = questions.Asked(folder)
    found = questions.fits(asked, shown, texts)
    written = pages.compared_page(found, shown, name, how=asked.how_mapped)
    (place / "compare.html").write_bytes(written.encode())
    for each in found:
        say(f"{each.score:6.3f}  {each.text}")
    say(f"page: {place / 'compare.html'}")
    ended([{"score": each.score, "text": each.text} for each in found], as_json=as_json)


@commands.command()
def serve(
    run: RunFolder,
    name: Model = "processed",
    split: Annotated[str, typer.Option(help="train, val or test: only this; without it, all.")] = "",
    host: Annotated[str, typer.Option(help="Where it listens; another than this machine's own is open to others.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8600,
    replicas: Annotated[int, typer.Option(min=1, help="Copies of the model that answer side by side.")] = 1,
) -> None:
    """A page and JSON that search a run's pairs and compare texts with an image, on Ray Serve, until Ctrl-C."""
    from app.steps import checkpoint
    from core.places import Place
    from core.runs import refuse_missing

    place = Place.at(run)
    refuse_missing(place)
    checkpoint(place, name)  # before torch is loaded
    from app.asking.started import serve_run

    serve_run(place, name=name, split=split, host=host, port=port, replicas=replicas)
