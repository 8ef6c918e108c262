"""What is done before Ray: nothing of it is imported, and a port that is taken is refused."""

import socket
import subprocess
import sys

import pytest

from app.asking.started import refuse_taken
from core.config import UserError


def test_ray_is_not_imported_before_it_is_connected() -> None:
    said = "import app.asking.started, sys; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], timeout=120).returncode == 0


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="name another"):
            refuse_taken("127.0.0.1", taken.getsockname()[1])
