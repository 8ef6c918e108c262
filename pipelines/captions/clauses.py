"""Clauses, brackets and legends: what a stretch between two markers may be divided at."""

import re

BRACKETED = re.compile(r"[(\[][^()\[\]]{0,400}[)\]]")
_CLAUSE = re.compile(
    r"(?:[.;]\s|,\s(?:and\s|while\s|whereas\s|but\s)?|\s(?:and|while|whereas|but|or)\s(?!(?:then|not)\b)|\swith\s)"
)
_ADVERB = r"(?:Later|However|Finally|Thus|Then|Here|Also|Again|Overall|Next|Hence|Notably|Meanwhile|Instead)"
_TAIL = re.compile(
    r"\W{0,2}(?:(?i:abbreviations?|notes?(?=\s?:)|(?:all |the )?scale\s?bars?|(?:error )?bars?\b|scale (?:is|equals)"
    r"|(?:original |all )?magnifications?|adapted|reproduced|reprinted|courtesy|used with|copyright|see (?:also )?\w+"
    r"|(?:\w+ ){0,2}cells (?:are|were) stained|lanes?\s\d"
    r"|(?:written )?informed consent|consent|arrows|(?:the )?patients? (?:gave|consented)|colou?r figure|statistical"
    r"|(?:the )?(?:data|values|results|numbers|p[ -]values?) (?:are|were|is|represent|in|shown|at)|different letters"
    r"|(?:dashed|dotted|solid|thick|thin)\s[a-z ]{0,20}lines?|hatching|anterior is|dorsal is"
    r"|(?:all|these)(?: of)?(?: the)? (?:images|graphs|sections|panels|photos|data|results|figures)"
    r"|each (?:bar|point|dot|value)|p\s?[<=]|n\s?=)\b"
    r"|[*#†‡§]+\s?(?i:p\b|indicat|denot|stat|signif)"
    rf"|(?!{_ADVERB},)[A-Za-z][A-Za-z0-9]{{0,9}}(?:\s?[:=—]\s?|,\s)[a-z]"  # "CT, computed tomography", "r: right"
    r"|[A-Z][A-Za-z0-9-]{1,9}\s?[:=—]\s?\w"
    r"|[A-Z][A-Z0-9]+(?: and [A-Z0-9]+)* (?:is|are|denotes?|indicates?|stands? for)\b)"
)


def is_tail(sentence: str) -> bool:
    """Whether a sentence is a legend, a scale, a source or a statement on all panels."""
    return bool(_TAIL.match(sentence.lstrip()))


def last_clause(text: str) -> int | None:
    """Where the last clause of a stretch begins, a bracket counting as one word; None if it has one only."""
    bare = BRACKETED.sub(lambda match: "x" * len(match[0]), text)
    found = [match for match in _CLAUSE.finditer(bare) if match.start() > 0]
    return found[-1].start() if found else None


def bracket_cut(text: str) -> tuple[str, str]:
    """A stretch up to the end of the bracket that was open when it began, and what follows; all, where none was."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth < 0:
            return text[:index], text[index + 1 :]
    return text, ""
