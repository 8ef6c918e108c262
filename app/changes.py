"""figray check --changed RUN: the articles of a run that PMC has corrected, retracted or removed since."""

from collections.abc import Iterator

from core.config import UserError
from core.places import Place
from core.settings import Config
from pipelines.sources import inventory
from pipelines.sources.pmc import open_bucket
from pipelines.sources.transport import FetchError


def changes(config: Config, run: Place) -> Iterator[str]:
    """Lines for a person: by which inventory, how many changed, and which; UserError where that cannot be told."""
    folder = run / "figures"
    notes = [name for name in folder.files() if name.startswith("metadata-") and name.endswith(".json")]
    if not notes:
        raise UserError(
            f"{run} has no notes of the metadata it was collected from; runs of before November 2026 have none"
        )
    known: dict[str, str] = {}
    for name in notes:
        known |= (folder / name).read_json()
    bucket = open_bucket(config.source)
    try:
        report = inventory.newest(bucket)
        if report is None:
            raise UserError("the bucket lists no inventory, so that changes cannot be told")
        changed = inventory.changed(bucket, report, known)
    except FetchError as error:
        raise UserError(f"the inventory cannot be read: {error.message}") from error
    yield f"by the inventory of {report.made}: {len(changed):,} of {len(known):,} versions changed or are gone"
    yield from (f"  {key.removeprefix('metadata/').removesuffix('.json')}" for key in changed)
