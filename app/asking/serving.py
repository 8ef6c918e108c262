"""figray serve: a small site and JSON on Ray Serve, which batches questions and holds copies of the model."""

import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ray import serve
from ray.exceptions import RayTaskError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from app.asking import pages, questions
from app.session import say
from core.config import SettingError, UserError
from trainers.asking import Asked
from trainers.index import Hit, Index, nearest

LARGEST = 50_000_000  # bytes of an image that is sent
TOGETHER = 16  # texts that are embedded at once
WAITS = 0.01  # seconds that a text waits for others


@serve.deployment(max_ongoing_requests=4 * TOGETHER)
class Answers:
    """A copy of the model with the index of its run's images."""

    def __init__(self, folder: str, index: Index, device: str) -> None:
        self.asked, self.index = Asked(folder, device=device), index.holding()
        self.how = self.asked.how_mapped

    @serve.batch(max_batch_size=TOGETHER, batch_wait_timeout_s=WAITS)  # type: ignore[arg-type]
    async def words(self, texts: list[str], tops: list[int]) -> list[list[Hit]]:  # type: ignore[misc]
        """The pairs nearest to words; Serve calls it with several questions at once."""
        found = nearest(self.index, self.asked.texts(texts), top=max(tops))
        return [hits[:top] for hits, top in zip(found, tops, strict=True)]

    async def image(self, data: bytes, top: int) -> list[Hit]:
        """The pairs nearest to an image file; UserError where it is none."""
        return nearest(self.index, self.asked.image(questions.image_of(data, "the image")), top=top)[0]

    async def compare(self, data: bytes, texts: Sequence[str]) -> tuple[list[dict[str, str]], str]:
        """Texts beside an image, as pages have them, and what the colours of the maps mean."""
        image = questions.image_of(data, "the image")
        found = pages.shown_fits(questions.fits(self.asked, image, texts), image)
        return found, self.how


@serve.deployment
class Site:
    """The pages and the JSON. hosts: the names that it answers by; none: every name."""

    def __init__(self, answers: Any, about: str, hosts: Sequence[str]) -> None:
        self.answers, self.about, self.hosts = answers, about, hosts

    async def __call__(self, request: Request) -> Response:
        """The answer to one request; 400 by a name that it does not have, which a page elsewhere made lead here."""
        if self.hosts and request.url.hostname not in self.hosts:
            return PlainTextResponse("another name leads here than this server's own", 400)
        routes: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            ("GET", "/"): self.home,
            ("POST", "/found"): lambda asked: self._piece(self._near, asked, pages.hits_piece),
            ("POST", "/compared"): lambda asked: self._piece(self._beside, asked, pages.fits_piece),
            ("GET", "/v1/search"): lambda asked: self._json(self._named, asked),
            ("POST", "/v1/search"): lambda asked: self._json(self._near, asked),
            ("POST", "/v1/compare"): lambda asked: self._json(self._beside, asked),
        }
        answer = routes.get((request.method, request.url.path))
        return await answer(request) if answer else PlainTextResponse("there is no such page", 404)

    async def home(self, request: Request) -> Response:
        """The page; with words, the images that are nearest to them."""
        query = request.query_params.get("q", "")
        hits, said = list[Hit](), ""
        if query.strip():
            try:
                hits = await self._named(request)
            except UserError as error:
                said = str(error)
        return HTMLResponse(pages.site_page(self.about, query=query, hits=hits, said=said))

    async def _named(self, request: Request) -> list[Hit]:
        """The pairs whose images are nearest to words."""
        text, top = request.query_params.get("q", ""), top_of(request)
        questions.refuse_question(text, top)
        found: list[Hit] = await told(self.answers.words.remote(text, top))
        return found

    async def _near(self, request: Request) -> list[Hit]:
        """The pairs whose images are nearest to the one that was sent."""
        found: list[Hit] = await told(self.answers.image.remote(await body_of(request), top_of(request)))
        return found

    async def _beside(self, request: Request) -> pages.Compared:
        """How well texts fit the image that was sent."""
        texts = request.query_params.getlist("text")
        questions.refuse_texts(texts)
        shown, how = await told(self.answers.compare.remote(await body_of(request), texts))
        return pages.Compared(fits=shown, how=how)

    async def _json(self, ask: Callable[[Request], Awaitable[Any]], request: Request) -> Response:
        try:
            return JSONResponse(pages.as_json(await ask(request)))
        except UserError as error:
            return JSONResponse({"error": str(error)}, status_code=422)

    async def _piece(
        self, ask: Callable[[Request], Awaitable[Any]], request: Request, show: Callable[[Any], str]
    ) -> Response:
        try:
            return HTMLResponse(show(await ask(request)))
        except UserError as error:
            return HTMLResponse(pages.said_piece(str(error)), status_code=422)


def top_of(request: Request) -> int:
    """How many hits were asked for; SettingError for what is no number, or too many."""
    asked = request.query_params.get("top", "20")
    if not asked.isdecimal():
        raise SettingError(f"top={asked}: a whole number")
    questions.refuse_top(int(asked))
    return int(asked)


async def body_of(request: Request) -> bytes:
    """What was sent; UserError where it is nothing, or larger than LARGEST, of which no more is read."""
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST:
            raise UserError(f"the image has more than {LARGEST // 1_000_000} MB")
        parts.append(part)
    if not size:
        raise UserError("no image was sent: it is the body of the request")
    return b"".join(parts)


async def told(answer: Any) -> Any:
    """What a copy of the model answers; what a user can mend as the UserError that it was there."""
    try:
        return await answer
    except RayTaskError as error:
        cause = error.cause if hasattr(error, "cause") else None
        if isinstance(cause, UserError):
            raise cause from error
        raise


def answer(
    folder: str, index: Index, about: str, hosts: Sequence[str], *, device: str, host: str, port: int, replicas: int
) -> None:
    """Answer until an error or a signal ends it. Ray has to be connected."""
    gpu = {"num_gpus": 1} if device == "cuda" else {}
    answers = Answers.options(num_replicas=replicas, ray_actor_options={"num_cpus": 0.5, **gpu})  # type: ignore[attr-defined]
    site = Site.options(ray_actor_options={"num_cpus": 0.1})  # type: ignore[attr-defined]
    try:
        serve.start(http_options={"host": host, "port": port}, proxy_location="HeadOnly")
        serve.run(site.bind(answers.bind(folder, index, device), about, hosts), name="figray", route_prefix="/")
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        say(f"http://{host}:{port} answers; Ctrl-C ends it")
        while True:
            time.sleep(1)
    finally:
        serve.shutdown()


def _stop(*_: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)
