"""Networks that can be asked for by name."""

from collections.abc import Callable

from torch import nn

from sk_erts._lib.names import nearest
from sk_erts.models._lstm1d import LSTM1d
from sk_erts.models._resnet1d import ResNet1d

MODELS: dict[str, Callable[..., nn.Module]] = {
    "lstm1d": LSTM1d,
    "resnet1d": ResNet1d,
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
