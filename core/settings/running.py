"""Settings of where figray runs, and of the synthetic corpora."""

from pydantic import Field

from core.settings.base import Settings


class ClusterSettings(Settings):
    """Where it runs. An address, or RAY_ADDRESS, means a cluster; otherwise Ray is started on this machine."""

    address: str | None = None  # of a Ray cluster
    cpus: int | None = Field(None, ge=1)  # logical CPUs of local Ray; None: at least 4, however few cores there are
    object_store: int = Field(2 * 2**30, ge=80 * 2**20)  # bytes, local Ray
    # Fewer figures or captions than this are read or split in the command's own process: Ray takes longer to start.
    inline_below: int = Field(300, ge=0)
    progress_timeout: int = Field(300, ge=1)  # seconds without progress before a station is named and the job stopped


class PhantomSettings(Settings):
    """The embedded corpora."""

    articles: int = Field(240, ge=1)  # drawn case reports
    patients: int = Field(1500, ge=1)  # of the drawn chest radiographs, one or two studies each
    seed: int = 0  # of all that is drawn
