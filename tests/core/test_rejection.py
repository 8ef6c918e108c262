"""A reason for leaving something out, as it crosses from one process to another."""

import pickle

import pytest

from core.images import ImageError
from core.rejection import RejectionError
from pipelines.sources.jats import JatsError
from pipelines.sources.transport import FetchError, PassingError


@pytest.mark.parametrize("kind", [RejectionError, FetchError, PassingError, JatsError, ImageError])
def test_code_and_message_survive_the_way_between_processes(kind: type[RejectionError]) -> None:
    error = pickle.loads(pickle.dumps(kind("gone", "no such figure")))  # noqa: S301
    assert type(error) is kind
    assert (error.code, error.message, str(error)) == ("gone", "no such figure", "no such figure")
