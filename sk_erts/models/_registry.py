"""Networks that can be asked for by name."""

from collections.abc import Callable

from torch import nn

from sk_erts._lib.names import nearest
from sk_erts.models._attention_regularised import AttentionRegularised
from sk_erts.models._ecg_imn import ECGIMN
from sk_erts.models._efficientnetv2 import EfficientNetV2S_1d
from sk_erts.models._fcn1d import FCN1d
from sk_erts.models._inceptiontime1d import InceptionTime1d
from sk_erts.models._lstm1d import LSTM1d
from sk_erts.models._mobilenetv2 import MobileNetV2_1d
from sk_erts.models._resnet1d import ResNet1d
from sk_erts.models._resnet1d_presets import ResNet1d18, ResNet1d34
from sk_erts.models._s4d1d import S4D1d
from sk_erts.models._tensor_power_rnn1d import TensorPowerRNN1d
from sk_erts.models._xecgnet import XECGNet
from sk_erts.models._xresnet1d import XResNet1d101

MODELS: dict[str, Callable[..., nn.Module]] = {
    "attention_regularised": AttentionRegularised,
    "ecg_imn": ECGIMN,
    "efficientnetv2s_1d": EfficientNetV2S_1d,
    "fcn1d": FCN1d,
    "inceptiontime1d": InceptionTime1d,
    "lstm1d": LSTM1d,
    "mobilenetv2_1d": MobileNetV2_1d,
    "resnet1d": ResNet1d,
    "resnet1d18": ResNet1d18,
    "resnet1d34": ResNet1d34,
    "s4d1d": S4D1d,
    "tensor_power_rnn1d": TensorPowerRNN1d,
    "xecgnet": XECGNet,
    "xresnet1d101": XResNet1d101,
}


def get_model(name: str) -> Callable[..., nn.Module]:
    """Return the class of a registered network.

    Parameters
    ----------
    name : str
        One of the keys of ``MODELS``.

    Returns
    -------
    model : class
        Makes a network from ``n_leads``, ``n_classes`` and its own parameters.

    Raises
    ------
    ValueError
        If no network has this name; the nearest one is named.

    Examples
    --------
    >>> from sk_erts.models import get_model
    >>> get_model("resnet1d").__name__
    'ResNet1d'
    """
    if name not in MODELS:
        raise ValueError(
            f"No network is registered under the name {name!r}. {nearest(name, MODELS)}"
        )
    return MODELS[name]
