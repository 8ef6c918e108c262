"""A bucket over HTTP that answers anonymous readers as Amazon S3 does (API reference, GetObject and ListObjectsV2)."""

from collections.abc import Iterator
from urllib.parse import quote

from pipelines.sources.folder import Keys, checked_key
from pipelines.sources.jats import JatsError, read_xml
from pipelines.sources.jats_text import local_name
from pipelines.sources.transport import FetchError, PassingError, Transport

MOST_PAGES = 50_000  # of 1,000 keys


class HttpBucket:
    """Objects below an address; the key is the path."""

    def __init__(self, url: str, transport: Transport, *, per_second: float | None = None) -> None:
        """per_second: requests at most, over all who take turns there."""
        self._url = url.rstrip("/")
        self._transport = transport
        self._per_second = per_second

    def get(self, key: str) -> bytes:
        """The bytes of an object; raises FetchError."""
        return self._transport.get(f"{self._url}/{quote(checked_key(key))}", per_second=self._per_second)

    def list(self, prefix: str, delimiter: str = "/") -> Keys:
        """Keys that begin with a prefix, cut after the delimiter, from all pages of the listing; raises FetchError."""
        return sorted(key for page in self._pages(prefix, delimiter) for key in page)

    def _pages(self, prefix: str, delimiter: str) -> Iterator[Keys]:
        query = {"list-type": "2", "prefix": prefix, "delimiter": delimiter}
        seen: set[str] = set()
        while True:
            page = self._transport.get(f"{self._url}/", query, per_second=self._per_second, check=_listing)
            keys, token = _listing(page)
            yield keys
            if token is None:
                return
            if token in seen:
                raise FetchError("bad_listing", f"listing of {prefix}: its pages follow each other in a circle")
            if len(seen) >= MOST_PAGES:
                raise FetchError("bad_listing", f"listing of {prefix}: more than {MOST_PAGES:,} pages")
            seen.add(token)
            query["continuation-token"] = token


def _listing(reply: bytes) -> tuple[Keys, str | None]:
    """Keys and common prefixes on one page of S3's ListObjectsV2, and the token of the next page."""
    try:
        root = read_xml(reply)
    except JatsError as error:
        raise PassingError("not_a_listing", f"not S3's XML: {error.message}") from error
    if local_name(root) != "ListBucketResult":
        raise PassingError("not_a_listing", f"{local_name(root)[:100]} instead of a listing")
    found = [*root.iterfind("{*}Contents/{*}Key"), *root.iterfind("{*}CommonPrefixes/{*}Prefix")]
    token = root.findtext("{*}NextContinuationToken") if root.findtext("{*}IsTruncated") == "true" else None
    return [element.text or "" for element in found], token
