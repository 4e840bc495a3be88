"""Grad-CAM over time: in closed form where there is one, else by autograd.

Grad-CAM asks which steps of a layer's feature maps ``a[k, t]`` speak for a class::

    w_k = mean_t d y_c / d a[k, t]        S[t] = sum_k w_k a[k, t]        A = relu(S)

For average pooling and a linear layer ``w_k`` is a weight of that layer, so that
map and logits fall out of one forward pass. For everything else the logit is
differentiated with respect to the feature maps, never through the whole network.
Of 2-D maps ``a[k, h, t]`` the mean is over ``h`` too, and so is the sum.
"""

from collections.abc import Callable

import torch
from torch import nn

from sk_erts._network.network import Network
from sk_erts._network.untouched import untouched
from sk_erts._records.signals import Signals

__all__ = ["Direction", "GradCAM", "weighed"]

Direction = Callable[[torch.Tensor], torch.Tensor]


class GradCAM:
    r"""Compute logits and signed class activation maps of batches.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes). If it has
        ``features(x)`` and ``head(z)``, the maps are those of its features.
    layer : str, optional
        Dotted name of the submodule whose output (n, channels, times) is explained,
        or (n, channels, heights, times), in whatever order, or the sequence of a
        recurrent layer. By default ``features``, else the last one of the first of
        these kinds that there is, if all evidence flows through it.

    Attributes
    ----------
    linear : Linear or None
        The layer that holds the weights of the closed form; None where the logits
        have to be differentiated.

    Raises
    ------
    ValueError
        If the module has no submodule of this name; when it is called, if no layer
        with a time axis is found.

    Notes
    -----
    With :math:`y` the combination of logits that is explained and :math:`a` the
    feature maps, :math:`S_t = \\sum_k w_k a_{kt}`,
    :math:`w_k = \\frac1T \\sum_t \\partial y / \\partial a_{kt}`.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM", ICCV 2017, arXiv:1610.02391.

    Examples
    --------
    >>> import torch
    >>> from sk_erts.attribution import GradCAM
    >>> from sk_erts.models import ResNet1d
    >>> network = ResNet1d(n_leads=2, n_classes=3, width=4)
    >>> logits, maps = GradCAM(network)(
    ...     torch.randn(5, 2, 160),
    ...     lambda logits: torch.eye(3)[logits.argmax(dim=1)],
    ... )
    >>> logits.shape, maps.shape
    (torch.Size([5, 3]), torch.Size([5, 10]))
    """

    def __init__(self, module: nn.Module, layer: str | None = None) -> None:
        self.network = Network(module, layer)
        self.linear = self.network.linear

    @property
    def layer(self) -> str | None:
        """Dotted name of the submodule that is explained; None if none was named."""
        return self.network.layer

    def __call__(
        self,
        x: torch.Tensor,
        direction: Direction,
        lengths: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Explain one batch.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records, on the network's device.
        direction : callable
            Maps the logits (n, classes) to weights of the same shape; the weighted
            sum of a record's logits is what its map explains. One-hot rows explain
            one class each.
        lengths : int tensor of shape (n,), optional
            Where each record ends; only with the features of a network that takes
            lengths. By default all records fill the tensor.

        Returns
        -------
        logits : tensor of shape (n, classes)
            Of the network in evaluation mode.
        maps : tensor of shape (n, feature times)
            Signed maps; rectify them for Grad-CAM. See `steps` for where they end.
        """
        logits, maps = self.look(Signals(x, lengths), direction)
        return logits, maps.x

    def look(
        self, batch: Signals, direction: Direction, *, bias: bool = False
    ) -> tuple[torch.Tensor, Signals]:
        """Explain one batch whose records may differ in length.

        Parameters
        ----------
        batch : Signals
            Records on the network's device.
        direction : callable
            What is explained, as in a call.
        bias : bool, default=False
            Share the biases of a pooled linear head out among the steps, so that maps
            sum to what is explained. Of another head they are not known.

        Returns
        -------
        logits : tensor of shape (n, classes)
            Of the network in evaluation mode.
        maps : Signals
            Signed maps (n, feature times), and where each ends.
        """
        if self.linear is None:
            logits, z, gradient = self.gradients(batch, direction)
            n_heights = z.x[0, 0].numel() // z.x.shape[-1]
            weights = gradient.flatten(2).sum(dim=-1) / (n_heights * z.n_steps)
            return logits, weighed(z, weights)
        with untouched(self.network.module), torch.inference_mode():
            logits, z = self.network.look(batch)
            return logits, self.in_closed_form(z, direction(logits), bias=bias)

    def in_closed_form(
        self, z: Signals, direction: torch.Tensor, *, bias: bool = False
    ) -> Signals:
        """Return signed maps without a gradient, for a pooled linear head.

        Parameters
        ----------
        z : Signals
            Feature maps (n, channels, times), as the head got them.
        direction : tensor of shape (n, classes)
            Weights of the logits, as in a call.
        bias : bool, default=False
            Whether the biases of the head are shared out among the steps.

        Returns
        -------
        maps : Signals
            Signed maps (n, times).
        """
        maps = weighed(z, self._weights(z, direction))
        if not bias or self.linear is None or self.linear.bias is None:
            return maps
        share = direction @ self.linear.bias[:, None] / z.n_steps
        return Signals(maps.clean(maps.x + share), maps.lengths)

    def gradients(
        self, batch: Signals, direction: Direction
    ) -> tuple[torch.Tensor, Signals, torch.Tensor]:
        """Return feature maps, and what would change the explained logits in them.

        Parameters
        ----------
        batch : Signals
            Records on the network's device.
        direction : callable
            What is explained, as in a call.

        Returns
        -------
        logits : tensor of shape (n, classes)
            Of the network in evaluation mode.
        z : Signals
            Feature maps (n, channels, feature times); of 2-D maps (n, channels,
            heights, feature times).
        gradient : tensor of the same shape
            Of the explained logits with respect to them; zero behind each record.
        """
        # cuDNN cannot differentiate recurrent layers in evaluation mode.
        without_cudnn = torch.backends.cudnn.flags(enabled=False)
        with untouched(self.network.module), without_cudnn:
            if self.linear is not None:
                with torch.no_grad():
                    logits, z = self.network.look(batch)
                    weights = self._weights(z, direction(logits))
                gradient = weights[:, :, None].expand_as(z.x)
            else:
                with self.network.feature_leaf(batch) as (z, logits):
                    goal = (logits * direction(logits.detach())).sum()
                    (gradient,) = torch.autograd.grad(goal, z.x, allow_unused=True)
                    if gradient is None:
                        raise ValueError(
                            f"The logits of {self.network.name} do not depend on the "
                            f"'cam_layer' {self.layer!r}. Name another one."
                        )
        # Even where padding is zero, the head would answer to a change of it.
        return logits.detach(), Signals(z.x.detach(), z.lengths), z.clean(gradient)

    def with_gradient(
        self,
        x: torch.Tensor,
        direction: Direction,
        lengths: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return feature maps, and what would change the explained logits in them.

        Parameters
        ----------
        x : tensor of shape (n, leads, times)
            Records, as in a call.
        direction : callable
            What is explained, as in a call.
        lengths : int tensor of shape (n,), optional
            Where each record ends, as in a call.

        Returns
        -------
        logits : tensor of shape (n, classes)
            Of the network in evaluation mode.
        z : tensor of shape (n, channels, feature times)
            Feature maps; 2-D maps have heights before the times.
        gradient : tensor of the same shape
            Of the explained logits with respect to them; zero behind each record.
        """
        logits, z, gradient = self.gradients(Signals(x, lengths), direction)
        return logits, z.x, gradient

    def steps(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return where the maps of records of some lengths end.

        Parameters
        ----------
        lengths : int tensor of shape (n,)
            Time steps of the records.

        Returns
        -------
        steps : int tensor of shape (n,)
            Time steps of their maps.

        Raises
        ------
        ValueError
            If the maps are not those of ``features``.
        """
        return self.network.steps(lengths)

    def maps_from_features(
        self,
        z: torch.Tensor,
        direction: torch.Tensor,
        steps: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return signed maps in closed form, for a pooled linear head.

        Parameters
        ----------
        z : tensor of shape (n, channels, times)
            Feature maps, as the head got them.
        direction : tensor of shape (n, classes)
            Weights of the logits, as in a call.
        steps : int tensor of shape (n,), optional
            Steps of each record; by default all.

        Returns
        -------
        maps : tensor of shape (n, times)
            Signed maps.
        """
        return self.in_closed_form(Signals(z, steps), direction).x

    def _weights(self, z: Signals, direction: torch.Tensor) -> torch.Tensor:
        """Return what each channel weighs in the logits explained, (n, channels)."""
        if self.linear is None:
            raise RuntimeError(
                f"{self.network.name} has no pooled linear head: its maps have no "
                "closed form."
            )
        weights: torch.Tensor = direction @ self.linear.weight / z.n_steps
        return weights


def weighed(z: Signals, weights: torch.Tensor) -> Signals:
    """Return the weighed sum over the channels of feature maps, and their heights.

    Parameters
    ----------
    z : Signals
        Feature maps (n, channels, times) or (n, channels, heights, times).
    weights : tensor of shape (n, channels)
        What each channel weighs.

    Returns
    -------
    maps : Signals
        Of shape (n, times).
    """
    over_heights = z.x if z.x.ndim == 3 else z.x.flatten(2, -2).sum(dim=2)
    return Signals(torch.einsum("nkt,nk->nt", over_heights, weights), z.lengths)
