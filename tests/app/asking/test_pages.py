"""Answers as pages: escaped, and with a policy that names the one script."""

from app.asking.pages import Compared, as_json, fits_piece, said_piece, site_page
from app.report.page import policy_hash


def test_the_site_names_its_script_and_escapes_what_was_asked() -> None:
    text = site_page("3 pairs", query='"><script>x</script>', hits=[], said="top <b>")
    script = text[text.index("<script>") + 8 : text.rindex("</script>")]
    assert text.count("<script>") == 1 and policy_hash(script) in text
    assert "top &lt;b&gt;" in text


def test_pieces_escape_and_json_has_no_pictures() -> None:
    found = Compared(fits=[{"score": "0.500", "text": "<i>", "image": ""}], how="")
    assert "&lt;i&gt;" in fits_piece(found) and "<i>" not in said_piece("<i>")
    assert as_json(found) == [{"score": 0.5, "text": "<i>"}]
