"""A bias that goes into the layer before it."""

import pytest
import torch

from core.config import UserError
from trainers.formats.handed_on import with_bias_before


def test_a_bias_is_told_before_the_weight() -> None:
    weight, bias, x = torch.randn(4, 9), torch.randn(4), torch.randn(9)
    assert torch.allclose(weight @ (x + with_bias_before(weight, bias)), weight @ x + bias, atol=1e-5)


def test_where_the_head_is_wider_than_what_it_reads_there_is_no_such_place() -> None:
    with pytest.raises(UserError, match="cannot be told"):
        with_bias_before(torch.randn(9, 4), torch.randn(9))
