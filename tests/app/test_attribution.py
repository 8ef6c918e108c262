"""Whom each pair names."""

from app.attribution import row_of

PAIR = {
    "pair_id": "PMC1.2/f#0", "article_id": "PMC1.2", "licence": "CC BY", "media_url": "s3://x",
    "attribution": "Doe J, Roe R. A cyst. A case. J Case 2016. doi:10.1/x. PMC1.2. CC BY",
}  # fmt: skip


def test_authors_title_doi_licence_and_version_are_told() -> None:
    row = row_of(PAIR, {"title": "A cyst. A case.", "doi": "10.1/x", "permission": "with permission from Y"})
    assert (row["authors"], row["title"], row["doi"]) == ("Doe J, Roe R", "A cyst. A case.", "10.1/x")
    assert (row["licence"], row["version"], row["permission"]) == ("CC BY", "PMC1.2", "with permission from Y")


def test_a_pair_without_its_figure_keeps_what_it_says_itself() -> None:
    row = row_of(PAIR, {})
    assert (row["authors"], row["title"], row["attribution"]) == ("", "", PAIR["attribution"])
