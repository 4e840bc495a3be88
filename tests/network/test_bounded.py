"""Networks that a file asks for are no larger than it."""

import threading

import pytest
import torch
from torch import nn

from sk_erts._network.bounded import no_larger_than
from sk_erts.models import ResNet1d


def test_a_network_of_the_size_of_the_file_is_made():
    own = ResNet1d(12, 5)
    with no_larger_than(own.state_dict().values()):
        ResNet1d(12, 5)


@pytest.mark.parametrize("sizes", [{"blocks": (2**31,)}, {"width": 2**10}])
def test_a_larger_one_is_not(sizes):
    held = list(ResNet1d(12, 5, width=4).state_dict().values())
    with no_larger_than(held), pytest.raises(ValueError, match="more parameters than"):
        ResNet1d(12, 5, **sizes)


def test_shapes_alone_are_counted_too():
    with torch.device("meta"):
        held = list(ResNet1d(12, 5, width=4).state_dict().values())
        with no_larger_than(held):
            ResNet1d(12, 5, width=2**14)  # takes no memory
        with no_larger_than(held), pytest.raises(ValueError, match="more parameters"):
            ResNet1d(12, 5, blocks=(300,), width=4)


def test_nothing_is_left_behind():
    with pytest.raises(ValueError, match="more param"), no_larger_than([]):
        nn.Linear(2**11, 2**11)
    nn.Linear(2**11, 2**11)


def test_what_others_make_meanwhile_does_not_count():
    made = []

    def make():
        made.append(nn.Linear(2**11, 2**11))

    with no_larger_than([torch.zeros(1)]):
        other = threading.Thread(target=make)
        other.start()
        other.join()
    assert len(made) == 1
