"""Whether a sentence of a report says that a finding is there: rules on English words, no model.

Matching by transport (MLIP, section 2.2) gives every sentence the same share of the image; two thirds of a report's
sentences say that something is absent, or name technique and normal anatomy, and have no place in it.
"""

import re
from functools import lru_cache

ABSENT = re.compile(
    r"\b(no|not|without|free of|negative for|absen(t|ce)|neither|nor|none|rather than|resolved|excluded|ruled out)\b"
)
NORMAL = re.compile(
    r"\b(normal|unremarkable|clear|intact|within (the )?(normal )?limits|sharp|unchanged|preserved|midline|stable)\b"
)
TECHNIQUE = re.compile(
    r"\b(views?|projection|technique|portable|comparison|inspiration|exposure|rotat\w+|film|study)\b"
)
BUT = re.compile(r"\b(but|however|except|although|aside from|apart from|otherwise)\b")


@lru_cache(maxsize=2**16)
def asserts(sentence: str) -> bool:
    """False for a sentence that denies, calls normal, or tells how the film was taken; half a sentence may do both."""
    return any(not _says_nothing(part) for part in BUT.split(sentence.lower()) if part and not BUT.fullmatch(part))


def _says_nothing(words: str) -> bool:
    if not any(letter.isalpha() for letter in words):
        return True
    return any(pattern.search(words) for pattern in (ABSENT, NORMAL, TECHNIQUE))
