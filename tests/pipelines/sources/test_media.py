"""Which file of an article a graphic names: names as people give them, and never a way out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records import Graphic
from core.rejection import RejectionError
from pipelines.sources.media import Media, chosen, images_of, media_of, name_of, without_suffix

ARTICLE = "PMC1.1"


def taken_for(href: str, *names: str, others: tuple[str, ...] = ()) -> str:
    """The file of a bucket that a href names, or the code of its refusal."""
    images = images_of([f"s3://bucket/{ARTICLE}/{name}?md5=00" for name in names], ARTICLE)
    try:
        return chosen(Graphic(href=href, others=others), images, taken=()).name.name
    except RejectionError as error:
        return error.code


@pytest.mark.parametrize(
    ("href", "file"),
    [
        ("Fig 1.jpg", "Fig 1.jpg"),
        ("fig(2)", "fig(2).jpg"),
        ("a+b,3.jpg", "a+b,3.jpg"),
        ("U\u0308-4.jpg", "\u00dc-4.jpg"),
        ("\u00dc-4.jpg", "U\u0308-4.jpg"),
        ("Fig%209.jpg", "Fig 9.jpg"),
        ("Fig 9.jpg", "Fig%209.jpg"),
        ("100%.jpg", "100%.jpg"),
        ("fig#1&2;[3]'.tif", "fig#1&2;[3]'.jpg"),
        ("why?.jpg", "no_media"),  # no key of a bucket
        ("FIG6.JPG", "fig6.png"),
        ("图1.jpg", "图1.jpg"),
        ("fig5.v2.final", "fig5.v2.final.jfif"),
    ],
)
def test_a_file_is_found_by_its_name_however_it_is_written(href: str, file: str) -> None:
    assert taken_for(href, file, "other.jpg") == file


@pytest.mark.parametrize(
    "href",
    [
        "images/fig7.jpg", "./fig7.jpg", "../fig7.jpg", "..", ".", "/fig7.jpg", "a\\fig7.jpg", "http://h/fig7.jpg",
        "C:fig7.jpg", "..%2Ffig7.jpg", "%2e%2e", "fig7%00.jpg", "file:fig7.jpg", "fig7\n.jpg", "x" * 151,
    ],
)  # fmt: skip
def test_a_folder_or_an_address_is_refused(href: str) -> None:
    assert taken_for(href, "fig7.jpg") == "bad_href"
    assert taken_for("none", "fig7.jpg", others=(href,)) == "no_media"
    assert name_of(href) is None


def test_of_several_the_same_case_and_the_usual_format_come_first() -> None:
    assert taken_for("Fig1.jpg", "fig1.jpg", "Fig1.jpg") == "Fig1.jpg"
    assert taken_for("fig1.tif", "fig1.tif", "fig1.jpg") == "fig1.jpg"
    assert taken_for("FIG1", "fig1.gif", "fig1.png") == "fig1.png"
    assert taken_for("none", "fig1.png", others=("fig1.eps",)) == "fig1.png"
    assert (without_suffix("CRIM.2016-001"), without_suffix("a.TIF")) == ("CRIM.2016-001", "a")


def test_what_an_earlier_figure_has_taken_is_repeated() -> None:
    images = images_of([f"s3://b/{ARTICLE}/a.jpg"], ARTICLE)
    with pytest.raises(RejectionError) as refused:
        chosen(Graphic(href="a"), images, taken=[f"s3://b/{ARTICLE}/a.jpg"])
    assert refused.value.code == "repeated"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"s3://b/{ARTICLE}/a.jpg?md5=0f", Media(key=f"{ARTICLE}/a.jpg", url=f"s3://b/{ARTICLE}/a.jpg", md5="0f")),
        (f"https://h/{ARTICLE}/a.jpg", Media(key=f"{ARTICLE}/a.jpg", url=f"https://h/{ARTICLE}/a.jpg", md5=None)),
        (f"{ARTICLE}/a.jpg", Media(key=f"{ARTICLE}/a.jpg", url=f"{ARTICLE}/a.jpg", md5=None)),
        ("s3://b/PMC2.1/a.jpg", None),
        (f"s3://b/{ARTICLE}/../PMC2.1/a.jpg", None),
        (f"s3://b/{ARTICLE}/x/a.jpg", None),
        ("", None),
        (f"s3://{ARTICLE}/a.jpg", None),
    ],
)
def test_a_file_lies_in_the_folder_of_its_article(url: str, expected: Media | None) -> None:
    assert media_of(url, ARTICLE) == expected


def test_percent_signs_are_read_within_the_folder_alone() -> None:
    def keys(name: str) -> tuple[str, ...]:
        found = media_of(f"s3://b/{ARTICLE}/{name}", ARTICLE)
        assert found is not None
        return found.keys

    assert keys("Fig%201.jpg") == (f"{ARTICLE}/Fig%201.jpg", f"{ARTICLE}/Fig 1.jpg")
    assert keys("a.jpg") == (f"{ARTICLE}/a.jpg",)
    assert keys("..%2Fa.jpg") == (f"{ARTICLE}/..%2Fa.jpg",)
    assert keys("%2e%2e") == (f"{ARTICLE}/%2e%2e",)


@given(href=st.text(max_size=12) | st.text(alphabet="./\\:%2eF5cC0aA ", max_size=12))
def test_no_href_leads_out_of_the_article(href: str) -> None:
    images = images_of([f"s3://b/{ARTICLE}/{name}" for name in ("a.jpg", href)], ARTICLE)
    for files in images.values():
        for file in files:
            for key in file.keys:
                assert key.startswith(f"{ARTICLE}/") and "/" not in key.removeprefix(f"{ARTICLE}/")
                assert key.removeprefix(f"{ARTICLE}/") not in (".", "..")
