"""Named characters become numbers; what the file says itself stays."""

import pytest

from pipelines.sources.entities import resolved


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"<p>&squf; 5&nbsp;mm &mdash; x</p>", "<p>&#9642; 5&#160;mm &#8212; x</p>"),
        (b"<p>&lt;5 &amp; &gt;3 &quot;a&quot; &apos;</p>", "<p>&lt;5 &amp; &gt;3 &quot;a&quot; &apos;</p>"),
        (b"<p>&#8212; &#x2014; &nosuchname; & alone;</p>", "<p>&#8212; &#x2014; &nosuchname; & alone;</p>"),
        (b"<p><![CDATA[a &mdash; b]]> &mdash;</p>", "<p><![CDATA[a &mdash; b]]> &#8212;</p>"),
        (b'<!DOCTYPE a [<!ENTITY mdash "--">]><a>&mdash; &ndash;</a>', None),
        (b"<p>&NotEqualTilde;</p>", "<p>&#8770;&#824;</p>"),  # one name, two characters
    ],
)
def test_names_of_the_dtd_become_numbers(written: bytes, read: str | None) -> None:
    expected = read.encode() if read else written.replace(b"&ndash;", b"&#8211;")
    assert resolved(written) == expected


def test_an_unclosed_section_costs_no_time() -> None:
    xml = b"<![CDATA[" * 50_000 + b"&mdash;"
    assert resolved(xml).endswith(b"&#8212;")
