"""ListObjectsV2 of Amazon S3 over the keys of a folder: prefix, delimiter, pages."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import md5
from xml.sax.saxutils import escape

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LAST_MODIFIED = datetime(2026, 9, 1, tzinfo=UTC).strftime(
    "%Y-%m-%dT%H:%M:%S.000Z"
)  # drawn objects have no date of their own


def list_objects(read: Callable[[str], bytes | None], keys: Sequence[str], query: dict[str, str]) -> bytes:
    """One page as XML. read: an object's bytes. keys: sorted. A common prefix is one entry; the last is the token."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    size = min(int(query.get("max-keys", 1000)), 1000)
    after = query.get("continuation-token") or query.get("start-after") or ""
    entries = [entry for entry in _entries(keys, prefix, delimiter) if entry > after]
    page, rest = entries[:size], entries[size:]
    parts = [
        _common(entry) if delimiter and entry.endswith(delimiter) else _content(read(entry) or b"", entry)
        for entry in page
    ]
    token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if rest and page else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="{NAMESPACE}"><Name>pmc-oa-opendata</Name>'
        f"<Prefix>{escape(prefix)}</Prefix>{token}<KeyCount>{len(page)}</KeyCount><MaxKeys>{size}</MaxKeys>"
        f"<IsTruncated>{'true' if rest else 'false'}</IsTruncated>{''.join(parts)}</ListBucketResult>"
    ).encode()


def no_such_key(key: str) -> bytes:
    """The body of a 404."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
        f"<Message>The specified key does not exist.</Message><Key>{escape(key)}</Key></Error>"
    ).encode()


def _entries(keys: Sequence[str], prefix: str, delimiter: str) -> list[str]:
    """Keys and common prefixes that start with a prefix, in order, each once."""
    found: dict[str, None] = {}
    for key in keys[bisect_left(keys, prefix) :]:
        if not key.startswith(prefix):
            break
        head, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key[len(prefix) :], "", "")
        found[prefix + head + cut] = None
    return list(found)


def _common(prefix: str) -> str:
    return f"<CommonPrefixes><Prefix>{escape(prefix)}</Prefix></CommonPrefixes>"


def _content(content: bytes, key: str) -> str:
    tag = md5(content, usedforsecurity=False).hexdigest()
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>{LAST_MODIFIED}</LastModified><ETag>&quot;{tag}&quot;</ETag>"
        f"<Size>{len(content)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )
