"""Articles into train, val and test by a hash of their id, so that no article is ever on two sides."""

import hashlib

from pipelines.records import Split

HASHES = 2**64


def split_of(article_id: str, *, seed: int, val: float, test: float) -> Split:
    """The side of an article, the same for every version of it ("PMC4735894.1", "PMC4735894.2").

    `val` and `test` are the shares of articles, 0 to 1, that go there; what is left is for training.
    """
    pmcid = article_id.partition(".")[0]
    digest = hashlib.blake2b(f"{seed}:{pmcid}".encode(), digest_size=8).digest()
    drawn = int.from_bytes(digest, "big") / HASHES
    if drawn < test:
        return "test"
    return "val" if drawn < test + val else "train"
