"""Networks for electrocardiograms: ``features(x)`` to maps, ``head(z)`` to logits."""

from sk_erts._network.heads import PooledLinear
from sk_erts.models._attention_regularised import AttentionRegularised
from sk_erts.models._ecg_imn import ECGIMN
from sk_erts.models._efficientnetv2 import EfficientNetV2S_1d
from sk_erts.models._fcn1d import FCN1d
from sk_erts.models._inceptiontime1d import InceptionTime1d
from sk_erts.models._lstm1d import LSTM1d
from sk_erts.models._mobilenetv2 import MobileNetV2_1d
from sk_erts.models._pretrained import Pretrained
from sk_erts.models._registry import get_model
from sk_erts.models._resnet1d import ResNet1d
from sk_erts.models._resnet1d_presets import ResNet1d18, ResNet1d34
from sk_erts.models._s4d1d import S4D1d
from sk_erts.models._tensor_power_rnn1d import TensorPowerLayer, TensorPowerRNN1d
from sk_erts.models._weights import load_weights, save_weights
from sk_erts.models._xecgnet import XECGNet
from sk_erts.models._xresnet1d import XResNet1d101

__all__ = [
    "ECGIMN",
    "AttentionRegularised",
    "EfficientNetV2S_1d",
    "FCN1d",
    "InceptionTime1d",
    "LSTM1d",
    "MobileNetV2_1d",
    "PooledLinear",
    "Pretrained",
    "ResNet1d",
    "ResNet1d18",
    "ResNet1d34",
    "S4D1d",
    "TensorPowerLayer",
    "TensorPowerRNN1d",
    "XECGNet",
    "XResNet1d101",
    "get_model",
    "load_weights",
    "save_weights",
]
