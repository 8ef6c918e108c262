"""What Ray prints by itself does not mix with what a command prints."""

import sys
import threading

import pytest

from app.verbosity import ASKED, ray_apart


def from_another_thread(text: str) -> None:
    thread = threading.Thread(target=print, args=(text,))
    thread.start()
    thread.join()


def test_what_other_threads_print_goes_into_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    stream = sys.stdout
    with ray_apart() as log:
        print('{"json": 1}')  # noqa: T201
        from_another_thread("(raylet) WARNING")
    assert sys.stdout is stream
    assert capsys.readouterr().out == '{"json": 1}\n'
    assert log.read_text() == "(raylet) WARNING\n"
    log.unlink()


def test_without_a_word_there_is_no_log() -> None:
    with ray_apart() as log:
        pass
    assert not log.exists()


def test_whoever_asks_for_all_sees_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ASKED, "verbose", True)
    with ray_apart():
        from_another_thread("(raylet) WARNING")
    assert capsys.readouterr().out == "(raylet) WARNING\n"
