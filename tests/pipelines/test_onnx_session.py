"""An ONNX session keeps to one thread."""

from pipelines.letters.wheel_models import RECOGNISER, source
from pipelines.onnx_session import session


def test_a_session_has_one_thread() -> None:
    options = session(source(RECOGNISER)).get_session_options()
    assert options.intra_op_num_threads == options.inter_op_num_threads == 1
