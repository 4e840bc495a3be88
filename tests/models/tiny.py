"""Each registered network, small enough for many tests."""

from sk_erts.models._registry import MODELS

TINY = {
    "attention_regularised": {"backbone_params": {"width": 4, "blocks": (1, 1)}},
    "ecg_imn": {"width": 2, "kernel_size": 5},
    "efficientnetv2s_1d": {"width": 6, "blocks": (1, 1, 1, 2)},
    "fcn1d": {"width": 4},
    "inceptiontime1d": {"width": 2, "n_modules": 4},
    "lstm1d": {"hidden": 4},
    "mobilenetv2_1d": {"width": 8, "blocks": (1, 1, 2, 1)},
    "resnet1d": {"width": 4},
    "resnet1d18": {"width": 4},
    "resnet1d34": {"width": 4},
    "s4d1d": {"width": 4, "n_layers": 2, "n_states": 4},
    "tensor_power_rnn1d": {"hidden": 4, "rank": 4},
    "xecgnet": {"width": 4},
    "xresnet1d101": {"width": 4, "blocks": (1, 2, 1)},
}


def make_tiny(name, n_leads, n_classes=3, **params):
    """Return a network of a registered name with few parameters."""
    return MODELS[name](n_leads, n_classes, **TINY[name], **params)
