"""Words of place that name the panels of a caption without letters: "(left)", "Upper row:", "first column"."""

import re

from pipelines.captions.markers import Marker

_PLACE = r"(?:upper|lower|top|bottom|left|right|middle|cent(?:er|re|ral)|first|second|third|fourth|far)"
_COUNT = r"(?:\s(?:two|three|four|\d))?"
_PLACES = rf"{_PLACE}(?:(?:\sand\s|\s|-){_PLACE}){{0,2}}"
_NOUN = r"(?:\s(?:panels?|images?|rows?|columns?|pictures?|figures?|sides?))"
_SENTENCE = r"(?:^|(?<=[.;:!?)\]]\s)|(?<=[a-z]\.))"
_POSITION = re.compile(
    rf"\(\s?(?:the\s)?(?P<bracketed>{_PLACES})(?:{_NOUN}?\s?\)|{_NOUN}(?P<rest>[,;:]\s[^()]{{1,60}})\))"
    rf"|{_SENTENCE}(?:the\s)?(?P<colon>{_PLACES}){_NOUN}?\s?:(?=\s)"
    rf"|(?:{_SENTENCE}(?:the\s)?|\b(?:in|on|and)\sthe\s)(?P<noun>{_PLACES}{_COUNT}){_NOUN},?(?=[\s.;)])",
    re.IGNORECASE,
)


def find_positions(caption: str) -> list[Marker]:
    """The words of place that name panels, in the order of the caption; empty where they name fewer than two."""
    markers = []
    for match in _POSITION.finditer(caption):
        words = match["bracketed"] or match["colon"] or match["noun"]
        label = " ".join(words.lower().replace("-", " ").split())
        # A panel named by its noun alone stays part of its sentence: "Left panel shows".
        keeps = f"({match['rest'].strip(' ,;:')})" if match["rest"] else ""
        end = match.end() if match["noun"] is None else match.start()
        labels = tuple(label.split(" and ")) if " and " in label else (label,)
        markers.append(Marker(labels=labels, start=match.start(), end=end, style="position", keeps=keeps))
    return markers if len({label for marker in markers for label in marker.labels}) > 1 else []
