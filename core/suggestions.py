"""What somebody may have meant: the known name that is nearest to one that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

LIKE = 0.6  # difflib's own: below it names are of other things


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that is most like a word, None where none is."""
    by_case = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_case, n=1, cutoff=LIKE)
    return by_case[found[0]] if found else None


def meant(word: str, known: Iterable[str]) -> str:
    """The words "; did you mean X?", for the end of an error; none where no name is near."""
    found = nearest(word, known)
    return f"; did you mean {found}?" if found else ""
