"""The table of the wheels' files: grey levels as pydicom's own chain gives them, or a reason."""

import pytest

from tests.dicom_table import Compared, compared, files, table

READ_OTHERWISE = {"MR_truncated.dcm", "badVR.dcm", "nested_priv_SQ.dcm", "meta_missing_tsyntax.dcm"}
NO_DECODER = {"JPEG-lossy.dcm", "JPGExtended.dcm", "JPEG2000-embedded-sequence-delimiter.dcm"}


@pytest.fixture(scope="module")
def found() -> list[Compared]:
    """Those of pydicom, and of pydicom-data where it is installed."""
    return [compared(path) for path in files()]


@pytest.mark.filterwarnings("ignore")
def test_every_file_is_read_as_the_chain_reads_it_or_refused_with_a_reason(found: list[Compared]) -> None:
    assert len(found) >= 100
    assert {one.name for one in found if one.refused} == READ_OTHERWISE | NO_DECODER
    apart = [one for one in found if one.difference is not None and not one.note and one.difference > 1]
    assert not apart
    assert all(one.chain for one in found if one.difference is None)


@pytest.mark.filterwarnings("ignore")
def test_files_that_came_out_alike_share_a_row(found: list[Compared]) -> None:
    rows = list(table(found))
    assert len(rows) < 60
    assert sum(int(row.rsplit("| ", 1)[1].split(":")[0]) for row in rows[2:]) == len(found)
