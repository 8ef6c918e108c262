"""What the site answers, without Ray: tests/browser/test_serve.py starts it whole."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from app.asking import serving
from app.asking.questions import image_of
from app.asking.started import OWN
from core.config import UserError
from trainers.index import Hit

HITS = [Hit(0.5, {"pair_id": "a", "text": "x", "image": b""}), Hit(0.4, {"pair_id": "b", "text": "y", "image": b""})]


def answers() -> Any:
    """What stands for the copies of the model."""

    def remote(answer: Callable[..., Any]) -> Any:
        async def asked(*given: Any) -> Any:
            return answer(*given)

        return SimpleNamespace(remote=asked)

    def image(data: bytes, top: int) -> list[Hit]:
        image_of(data, "the image")
        return HITS[:top]

    def compare(data: bytes, texts: list[str]) -> tuple[list[dict[str, str]], str]:
        return [{"score": "0.100", "text": text, "image": ""} for text in texts], "how"

    return SimpleNamespace(words=remote(lambda text, top: HITS[:top]), image=remote(image), compare=remote(compare))


@pytest.fixture
def client() -> TestClient:
    """The site of a run, by this machine's own names."""
    site: Callable[[Request], Awaitable[Any]] = serving.Site.func_or_class(  # type: ignore[attr-defined]
        answers(), "2 pairs", OWN
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        response = await site(Request(scope, receive))
        await response(scope, receive, send)

    return TestClient(app, base_url="http://127.0.0.1")


def test_words_are_answered_and_what_is_wrong_is_said(client: TestClient) -> None:
    assert [each["pair_id"] for each in client.get("/v1/search?q=x&top=1").json()] == ["a"]
    assert client.get("/v1/search?q=x").json()[1] == {"score": 0.4, "pair_id": "b", "text": "y"}
    for wrong in ("q=", "q=x&top=0", "q=x&top=9999", "q=x&top=some"):
        found = client.get(f"/v1/search?{wrong}")
        assert found.status_code == 422 and found.json()["error"]
    assert client.get("/elsewhere").status_code == client.delete("/").status_code == 404


def test_images_are_answered_and_what_is_none_is_said(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        client.post("/v1/search", content=b"no image").json()
        == client.post("/v1/search?top=3", content=b"no image").json()
    )
    assert client.post("/v1/search", content=b"no image").json()["error"].startswith("the image: ")
    assert client.post("/v1/search").json()["error"].startswith("no image was sent")
    assert client.post("/v1/compare?text=a&text=b", content=b"x").json()[1] == {"score": 0.1, "text": "b"}
    assert "at least one text" in client.post("/v1/compare", content=b"x").json()["error"]
    assert "0.100" in client.post("/compared?text=a", content=b"x").text
    assert client.post("/found", content=b"<b>").status_code == 422
    monkeypatch.setattr(serving, "LARGEST", 2)
    assert "more than" in client.post("/v1/compare?text=a", content=b"xxx").json()["error"]


def test_another_name_that_leads_here_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/", headers={"Host": "localhost:8600"}).status_code == 200


def test_an_error_of_a_copy_comes_as_the_users() -> None:
    async def fails() -> None:
        raise UserError("no image")

    with pytest.raises(UserError, match="no image"):
        asyncio.run(serving.told(fails()))
