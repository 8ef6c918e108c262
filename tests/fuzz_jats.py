"""Damaged copies of drawn and real articles, read one by one: an article or a JatsError may come out, nothing else.

    python -m tests.fuzz_jats --minutes 60 --seed 0 --found FOLDER

What else is raised, what takes longer than a second for 100 KB, and captions that lose words of an undamaged file, are
written to the folder and told at the end. --articles FOLDER: XML files to begin with, beside those that are made here.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipelines.sources.jats import JatsError, parse_article

SECONDS = 1.0  # for each 100 KB, and at least
LARGEST = 400_000  # bytes
PIECES = [
    "<bold>(A)</bold>",
    "<italic>e\u0301</italic>",
    "<sup>2</sup>",
    "<sub>10</sub>",
    "10<sup>4</sup>",
    "<break/>",
    "&lt;",
    "&#x301;",
    "<xref ref-type='fig' rid='f1'>Fig. 1</xref>",
    "<inline-formula><tex-math>$\\alpha_{1}$</tex-math></inline-formula>",
    "<mml:math><mml:mfrac><mml:mi>a</mml:mi><mml:mi>b</mml:mi></mml:mfrac></mml:math>",
    "<list><list-item><p>x</p></list-item></list>",
    "CT of the brain. ",
    "B: axial view; ",
    "\u202e",
    "\u200b",
    "가ᅡ",
    "漢字 ",
    "<p>",
    "</p>",
    "<ext-link>",
    "]]>",
    "&nbsp;",
    "\ud7ff",
    "<alternatives><tex-math>x</tex-math><mml:math/></alternatives>",
    "<def-list/>",
    "<named-content content-type='x'>y</named-content>",
]
HEAD = (
    "<article xmlns:mml='http://www.w3.org/1998/Math/MathML' xmlns:xlink='http://www.w3.org/1999/xlink' "
    "article-type='case-report'><front><article-meta/></front><body><p>See <xref ref-type='fig' rid='f1'>1</xref>.</p>"
    "<fig id='f1'><label>Figure 1.</label><caption><p>"
)
TAIL = "</p></caption><graphic xlink:href='a'/></fig></body></article>"


def made(draw: random.Random) -> bytes:
    """An article of one figure, its caption of pieces; well-formed or not."""
    words = [
        draw.choice(PIECES) * (1 if draw.random() < 0.9 else draw.randint(2, 3000)) for _ in range(draw.randint(1, 60))
    ]
    return (HEAD + "".join(words) + TAIL).encode("utf-8", "surrogatepass")[:LARGEST]


def damaged(data: bytes, draw: random.Random) -> bytes:
    """A copy with bytes flipped, cut, doubled or moved."""
    found = bytearray(data)
    for _ in range(draw.randint(1, 6)):
        if not found:
            break
        start = draw.randrange(len(found))
        end = min(len(found), start + int(draw.expovariate(1 / 40)) + 1)
        kind = draw.randrange(5)
        if kind == 0:
            found[start] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del found[start:end]
        elif kind == 2:
            found[start:start] = found[start:end] * draw.randint(1, 200)
        elif kind == 3:
            found[start:start] = draw.choice(PIECES).encode("utf-8", "surrogatepass")
        else:
            del found[start:]
    return bytes(found[:LARGEST])


def fault_of(data: bytes) -> str:
    """What is wrong with how bytes are read; "" where nothing is."""
    begun = time.process_time()
    try:
        parse_article(data, "PMC1.1")
    except JatsError:
        pass
    except Exception as error:  # noqa: BLE001  that is what is looked for
        return f"{type(error).__name__}: {str(error)[:200]}"
    took = time.process_time() - begun
    return f"{took:.1f} s for {len(data)} bytes" if took > SECONDS * max(1.0, len(data) / 100_000) else ""


def fuzz(
    make: Callable[[random.Random], bytes], fault: Callable[[bytes], str], *, name: str, asked: argparse.Namespace
) -> int:
    """Read what is made until the minutes are over; how many faults were found. Each is kept as a file."""
    until, turns, found = time.monotonic() + 60 * asked.minutes, 0, dict[str, bytes]()
    while time.monotonic() < until:
        data = make(random.Random(f"{asked.seed}:{turns}"))
        told, turns = fault(data), turns + 1
        kind = told.partition(":")[0][:60]
        if told and kind not in found:
            found[kind] = data
            asked.found.mkdir(parents=True, exist_ok=True)
            (asked.found / f"{name}-{turns}.bin").write_bytes(data)
            sys.stdout.write(f"{name} {asked.seed}:{turns - 1}: {told}\n")
    sys.stdout.write(
        f"{name}: {turns:,} read in {asked.minutes:g} minutes, seed {asked.seed}; {len(found)} kinds of faults\n"
    )
    return len(found)


def arguments(text: str) -> argparse.Namespace:
    """The options of both scripts."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--found", type=Path, default=Path("runs/fuzz"))
    parser.add_argument("--articles", type=Path, default=None)
    return parser.parse_args()


def main() -> None:
    """Fuzz, and say what was found; exit 1 if something was."""
    asked = arguments(__doc__ or "")
    files = sorted(asked.articles.rglob("*.xml")) if asked.articles else []
    seeds = [file.read_bytes() for file in files if file.stat().st_size <= LARGEST]

    def make(draw: random.Random) -> bytes:
        base = draw.choice(seeds) if seeds and draw.random() < 0.5 else made(draw)
        return damaged(base, draw) if draw.random() < 0.7 else base

    raise SystemExit(1 if fuzz(make, fault_of, name="jats", asked=asked) else 0)


if __name__ == "__main__":
    main()
