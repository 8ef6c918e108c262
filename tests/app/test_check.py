"""The first contact: all right against services as they are known, and each change named."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.check import Line, check, refuse_wrong, told, transcript
from core.config import UserError, override
from core.settings import Config
from phantom.pmc import answers, server
from phantom.pmc.server import Served, serve


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, draw_corpus: Callable[..., None]) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    draw_corpus(folder, articles=40, seed=0)
    return folder


@pytest.fixture
def served(corpus: Path) -> Iterator[Served]:
    with serve(corpus / "bucket") as there:
        yield there


def config(served: Served, **changes: object) -> Config:
    return override(Config(), {**served.settings, "source.esearch_per_second": 1000, "source.attempts": 1, **changes})


def wrong(served: Served) -> list[str]:
    return [line.name for line in check(config(served)) if not line.right]


def test_services_as_they_are_known_are_all_right(served: Served) -> None:
    lines = list(check(config(served)))
    assert [told(line) for line in lines if not line.right] == []
    assert len(lines) > 14
    refuse_wrong(lines)


def test_each_of_three_changes_is_named(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = {"pmc": {"caption": "", "filter": ""}, "pubmed": answers.FIELDS["pubmed"]}
    monkeypatch.setattr(answers, "FIELDS", renamed)
    monkeypatch.setattr(server.Ncbi, "elink", lambda *_: server.Answer(200, b'{"linksets": []}', "application/json"))
    monkeypatch.setattr(server, "inventory_of", lambda *_: {})
    with serve(corpus / "bucket") as changed:
        assert set(wrong(changed)) == {
            "EInfo of pmc: our fields", "ELink: one link", "PMC Cloud: the newest inventory",
        }  # fmt: skip


def test_what_differs_names_the_setting_to_change() -> None:
    line = Line("ELink: one link", 0.1, False, "no link", "source.links=idconv")
    assert "DIFFERS" in told(line) and "source.links=idconv" in told(line)
    with pytest.raises(UserError, match="1 of 2 differ: ELink: one link"):
        refuse_wrong([line, replace(line, right=True)])


def test_the_transcript_holds_neither_key_nor_e_mail(served: Served) -> None:
    named = config(served).source.model_copy(update={"email": "me@here.org", "api_key": SecretStr("SENTINEL")})
    secret = config(served).model_copy(update={"source": named})
    written = str(transcript(secret, list(check(secret)), version="0"))
    assert "SENTINEL" not in written and "me@here.org" not in written and "'given': {'email': True" in written


def test_ncbi_is_asked_by_name_only() -> None:
    with pytest.raises(UserError, match="e-mail"):
        next(check(Config()))
