"""Before or after its text: told from what stands around a marker."""

import pytest

from pipelines.captions.families import chosen_family
from pipelines.captions.marked import marked
from pipelines.captions.markers import find_markers
from pipelines.captions.roles import roles_of, usual_role


def roles(caption: str) -> list[str]:
    cut = marked(caption, chosen_family(caption, find_markers(caption))).with_marks
    return [role for part in cut for role in roles_of(part, usual_role(cut))]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("(A) CT of the head. (B) MRI of the head.", ["before", "before"]),
        ("CT of the head (A). MRI of the head (B).", ["after", "after"]),
        ("CT (A) and MRI (B) of the head.", ["after", "after"]),
        ("The head in (A) axial and (B) coronal views.", ["before", "before"]),
        ("CT (A) shows a mass, and MRI (B) shows a cyst.", ["after", "after"]),
        (
            "(A) CT with a mass. The stroma shows a strong vimentin (B) and a weak inhibin (C) stain.",
            ["before", "after", "after"],
        ),
        ("(A) CT shows a stenosis with (B) collateral flow.", ["before", "before"]),
        ("CT before (A) and after (B) treatment.", ["after", "after"]),
        ("Of healthy cells (A) Levels were low. (B) Levels were high.", ["before", "before"]),
    ],
)
def test_the_side_of_a_marker_is_told_from_its_neighbours(caption: str, expected: list[str]) -> None:
    assert roles(caption) == expected
