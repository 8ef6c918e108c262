"""Faults drawn from a seed."""

from phantom.pmc.faults import FaultDraw, Faults


def test_no_faults_unless_asked_for() -> None:
    assert {FaultDraw(None).draw(f"/{k}") for k in range(50)} == {None}


def test_faults_do_not_depend_on_the_order_of_requests() -> None:
    faults = Faults(seed=4, too_many=0.2, truncated=0.2)
    forwards, backwards = FaultDraw(faults), FaultDraw(faults)
    one = {k: forwards.draw(f"/{k}") for k in range(100)}
    other = {k: backwards.draw(f"/{k}") for k in reversed(range(100))}
    assert one == other
    assert 20 < sum(fault is not None for fault in one.values()) < 60


def test_a_path_fails_no_more_often_than_stated() -> None:
    draw = FaultDraw(Faults(unavailable=1.0, at_most=3))
    assert [draw.draw("/x") for _ in range(5)] == ["unavailable"] * 3 + [None] * 2


def test_a_script_is_followed_to_the_letter() -> None:
    draw = FaultDraw(Faults(scripted={"/x": ("slow", "corrupted")}))
    assert [draw.draw("/x"), draw.draw("/y"), draw.draw("/x"), draw.draw("/x")] == ["slow", None, "corrupted", None]
