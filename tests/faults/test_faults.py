"""Each fault, injected for real, has the end that docs/reliability.md promises."""

from pathlib import Path

import pytest

from tests.faults.fault import Fault
from tests.faults.page import GROUPS, PAGE, page

FAULTS = [fault for faults in GROUPS.values() for fault in faults]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_has_its_end(fault: Fault, tmp_path: Path) -> None:
    assert fault.end in fault.inject(tmp_path)


def test_there_are_enough_and_the_page_is_made_of_them() -> None:
    assert len(FAULTS) >= 60 and len({fault.what for fault in FAULTS}) == len(FAULTS)
    assert PAGE.read_text(encoding="utf-8") == page()
