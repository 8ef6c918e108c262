"""Captions made of hard pieces, split one by one: no exception, no lost word, and time linear in the length.

    python -m tests.fuzz_captions --minutes 60 --seed 0 --found FOLDER

A word of the caption that stands in no part of what it is split into, what is raised, and what takes more than a second
for each 20,000 characters, is written to the folder and told at the end.
"""

import random
import re
import time
from collections import Counter

from pipelines.captions.split import split_short
from tests.fuzz_jats import arguments, fuzz

SECONDS = 1.0  # for a caption of the longest that are split, and for each shorter one
LEADING = {"panel", "panels"}  # words before a label, which go with it
WORD = re.compile(r"\w{5,}")  # shorter ones may be labels, or words that only lead to one
PIECES = [
    "(A)",
    "(B) ",
    "(a, b)",
    "(A-C)",
    "A: ",
    "b) ",
    "C. ",
    "(i)",
    "(iv) ",
    "1) ",
    "Figure 1. ",
    "as shown in (A) ",
    "see panel B",
    "CT of the brain",
    "axial T2-weighted image",
    "before (left) and after (right) surgery",
    "upper row: ",
    "arrows",
    "; ",
    ". ",
    ", ",
    " and ",
    "\n",
    "α",
    "β: ",
    "é",
    "漢字",
    "(",
    ")",
    "[",
    "]",
    "((((",
    "))))",
    "A",
    "-",
    "–",
    "10 x 5 mm",
    "p<0.05",
    "e.g. ",
    "Fig. 2b",
    "From left to right",
    "with permission",
    "scale bar 10 μm",
    "(A and B)",
    "(A) and (B)",
    "respectively",
    "\u200b",
    "A'",
    "A1",
    "(a1–a3)",
]


def made(draw: random.Random) -> bytes:
    """A caption of pieces, some of them many times."""
    found: list[str] = []
    for _ in range(draw.randint(1, 40)):
        times = 1 if draw.random() < 0.97 else draw.randint(2, 400)
        found.append((draw.choice(PIECES) + draw.choice(("", " "))) * times)
    return "".join(found)[: draw.choice((300, 2_000, 20_000))].encode()


def fault_of(data: bytes) -> str:
    """What is wrong with how a caption is split; "" where nothing is."""
    caption = data.decode("utf-8", "ignore")
    begun = time.process_time()
    try:
        split = split_short(caption, min_confidence=0.0)
    except Exception as error:  # noqa: BLE001  that is what is looked for
        return f"{type(error).__name__}: {str(error)[:200]}"
    took = time.process_time() - begun
    if took > SECONDS * max(1.0, len(caption) / 20_000):
        return f"slow: {took:.1f} s for {len(caption)} characters"
    if not split.subcaptions:
        return ""
    told = " ".join([split.preamble, split.tail, *(f"{each.text} {each.labels}" for each in split.subcaptions)])
    lost = set(WORD.findall(caption)) - set(WORD.findall(told)) - LEADING
    return f"lost: {Counter(lost).most_common(3)}" if lost else ""


def main() -> None:
    """Fuzz, and say what was found; exit 1 if something was."""
    asked = arguments(__doc__ or "")
    raise SystemExit(1 if fuzz(made, fault_of, name="captions", asked=asked) else 0)


if __name__ == "__main__":
    main()
