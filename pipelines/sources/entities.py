"""Named characters of XML files whose DTD is not read: those of the JATS DTD are the ISO sets, which HTML has too."""

import re
from html.entities import html5

XML_OWN = frozenset({"amp", "lt", "gt", "quot", "apos"})
_NAME = rb"&([A-Za-z][A-Za-z0-9.]{1,31});"
_NAMED = re.compile(_NAME)
# A CDATA section is matched whole, so that nothing in it is touched.
_OUTSIDE_SECTIONS = re.compile(rb"<!\[CDATA\[.*?\]\]>|" + _NAME, re.DOTALL)
_DECLARED = re.compile(rb"<!ENTITY\s+([^\s%]+)\s")
_HEAD = 100_000  # bytes in which a file declares entities of its own


def resolved(xml: bytes) -> bytes:
    """The file with `&mdash;` and the like as numbers; what it declares itself, and unknown names, stay as they are."""
    declared = {name.decode("latin-1") for name in _DECLARED.findall(xml[:_HEAD])}

    def number(match: re.Match[bytes]) -> bytes:
        name = (match[1] or b"").decode("latin-1")
        characters = html5.get(f"{name};")
        if not characters or name in XML_OWN or name in declared:
            return match[0]
        return "".join(f"&#{ord(character)};" for character in characters).encode()

    # After the last end no section is closed: to look for its end from each of them would take for ever.
    end = xml.rfind(b"]]>") + 3 if b"]]>" in xml else 0
    return _OUTSIDE_SECTIONS.sub(number, xml[:end]) + _NAMED.sub(number, xml[end:])
