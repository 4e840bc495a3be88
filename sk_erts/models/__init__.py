"""Networks for electrocardiograms: ``features(x)`` to maps, ``head(z)`` to logits."""

from sk_erts._network.heads import PooledLinear
from sk_erts.models._lstm1d import LSTM1d
from sk_erts.models._registry import get_model
from sk_erts.models._resnet1d import ResNet1d

__all__ = ["LSTM1d", "PooledLinear", "ResNet1d", "get_model"]
