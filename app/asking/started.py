"""serve_run(): what `figray serve` needs before Ray is there; Ray reads its environment once, as it is imported."""

from app import steps
from app.asking import questions
from app.session import connected, without_training
from core.config import UserError
from core.places import Place
from trainers.asking import Asked

OWN = ("127.0.0.1", "localhost", "::1")


def serve_run(run: Place, *, name: str, split: str, host: str, port: int, replicas: int) -> None:
    """Answer until Ctrl-C or SIGTERM. Raises UserError as questions.search() does, and where the port is taken."""
    files, folder = questions.searched(run, split), steps.checkpoint(run, name)
    with steps.opened(run, None, []) as config:  # while it writes; what only answers is in nobody's way
        device = steps.device_of(config)
        index = questions.indexed(config, run, name, files, lambda: Asked(folder, device=device))
    refuse_taken(host, port)
    rows = sum(file.rows for file in files.values())
    about = f"{rows:,} pairs of {run.uri.rstrip('/').rpartition('/')[2]}, by the model {name}."
    hosts = OWN if host in OWN else ()  # a page elsewhere must not reach it by a name that leads here
    with connected(without_training(config), stopped="it answers no more"):
        try:
            from app.asking.serving import answer
        except ImportError as error:
            raise UserError("Ray Serve is not installed: pip install 'figray[serve]'") from error
        answer(folder, index, about, hosts, device=device, host=host, port=port, replicas=replicas)


def refuse_taken(host: str, port: int) -> None:
    """UserError where something else listens there already, or nothing can."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            raise UserError(f"--host {host} --port {port}: {error.strerror or error}; name another") from error
