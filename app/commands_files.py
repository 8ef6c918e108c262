"""figray separate, split-captions and pair-figures: a user's own files to panels, subcaptions and pairs."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from app.options import AsJson, Set
from app.session import connected, ended, say, unconnected

commands = typer.Typer()

Folder = Annotated[str, typer.Argument(metavar="DIR", help="A folder of images, or its URI.")]
Captions = Annotated[
    Path,
    typer.Argument(metavar="CAPTIONS", help='JSON {"image name": "caption", ...}, or as `split-captions` takes it.'),
]
CaptionList = Annotated[
    Path,
    typer.Argument(
        metavar="IN", help='JSON [{"id": "...", "caption": "..."}, ...], JSON lines, or a CSV with these columns.'
    ),
]
Out = Annotated[Path, typer.Argument(metavar="OUT.json", help="What is found, put in place whole at the end.")]


@commands.command()
def separate(folder: Folder, out: Out, set_: Set = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Find the panels of every image of a folder, and the letters printed on them."""
    from app import own_files
    from core.config import load
    from core.places import Place

    config, place, to = load(None, set_), Place.at(folder), own_files.writable(out)
    works = own_files.figures_in(place)
    with connected(config) if not own_files.are_few(config, works) else unconnected() as bars:
        told = own_files.separate(config, place, works, out=to, progress=bars.rows)
    tell(told, out, as_json=as_json)


@commands.command()
def split_captions(captions: CaptionList, out: Out, set_: Set = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Split every caption of a file into the subcaptions of its panels."""
    from app import own_files
    from core.config import load

    config, works, to = load(None, set_), own_files.captions_in(captions), own_files.writable(out)
    with connected(config) if not own_files.are_few(config, works) else unconnected() as bars:
        told = own_files.split_captions(config, works, out=to, progress=bars.rows)
    tell(told, out, as_json=as_json)


@commands.command()
def pair_figures(folder: Folder, captions: Captions, out: Out, set_: Set = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Separate every image of a folder, and give each panel its part of the image's caption."""
    from app import own_files
    from core.config import load
    from core.places import Place

    config, place, to = load(None, set_), Place.at(folder), own_files.writable(out)
    works = own_files.captioned_figures(place, captions)
    with connected(config) if not own_files.are_few(config, works) else unconnected() as bars:
        told = own_files.pair_figures(config, place, works, out=to, progress=bars.rows)
    tell(told, out, as_json=as_json)


def tell(told: Counter[str], out: Path, *, as_json: bool) -> None:
    """Say what became of a user's files; exit 1 if none could be read."""
    failed = ", ".join(f"{count} {code}" for code, count in sorted(told.items()) if code)
    say(f"{out}: {told.total():,} rows" + (f"; {told.total() - told['']:,} failed: {failed}" if failed else ""))
    ended(
        {"out": str(out), "rows": told.total(), "failed": {code: n for code, n in told.items() if code}},
        as_json=as_json,
    )
    if failed and not told[""]:
        raise typer.Exit(1)
