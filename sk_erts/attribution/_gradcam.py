"""Grad-CAM over time: in closed form where there is one, else by autograd.

Grad-CAM asks which steps of a layer's feature maps ``a[k, t]`` speak for a class::

    w_k = mean_t d y_c / d a[k, t]        S[t] = sum_k w_k a[k, t]        A = relu(S)

For average pooling and a linear layer ``w_k`` is a weight of that layer, so that
map and logits fall out of one forward pass. For everything else the logit is
differentiated with respect to the feature maps, never through the whole network.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn

from sk_erts._lib.typing import Backbone
from sk_erts._network.heads import has_parts, linear_after_pooling
from sk_erts._network.untouched import untouched
from sk_erts._records.signals import inside

__all__ = ["Direction", "GradCAM"]

# Layers whose output is (n, channels, times).
TIME_LAST = (
    nn.Conv1d,
    nn.ConvTranspose1d,
    nn.BatchNorm1d,
    nn.SyncBatchNorm,
    nn.GroupNorm,
    nn.InstanceNorm1d,
    nn.MaxPool1d,
    nn.AvgPool1d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveMaxPool1d,
)

Direction = Callable[[torch.Tensor], torch.Tensor]


class GradCAM:
    r"""Compute logits and signed class activation maps of batches.

    Parameters
    ----------
    module : Module
        Maps records (n, leads, times) to logits (n, classes). If it has
        ``features(x)`` and ``head(z)``, the maps are those of its features.
    layer : str, optional
        Dotted name of the submodule whose output (n, channels, times) is explained.
        By default ``features``, else the last submodule with a time axis.

    Attributes
    ----------
    linear : Linear or None
        The layer that holds the weights of the closed form; None where the logits
        have to be differentiated.

    Raises
    ------
    ValueError
        If the module has no submodule of this name.

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
        self.module = module
        self.layer = layer
        self._splits_at_features = has_parts(module) and layer in (None, "features")
        self.linear = (
            linear_after_pooling(module.head)
            if self._splits_at_features and isinstance(module.head, nn.Module)
            else None
        )
        if layer is not None and not self._splits_at_features:
            names = [name for name, _ in module.named_modules() if name]
            if layer not in names:
                raise ValueError(
                    f"The 'cam_layer' {layer!r} is no submodule of "
                    f"{type(module).__name__}. Its submodules are "
                    f"{', '.join(map(repr, names))}."
                )

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
        if self.linear is None:
            logits, z, gradient = self.with_gradient(x, direction, lengths)
            steps = None if lengths is None else self.steps(lengths)
            weights = gradient.sum(dim=-1) / _count(z, steps)  # (n, channels)
            return logits, torch.einsum("nkt,nk->nt", z, weights)
        with untouched(self.module), torch.inference_mode():
            logits, z, steps = self._look(x, lengths)
            return logits, self.maps_from_features(z, direction(logits), steps)

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
            Feature maps.
        gradient : tensor of shape (n, channels, feature times)
            Of the explained logits with respect to them; zero behind each record.
        """
        steps = None if lengths is None else self.steps(lengths)
        # cuDNN cannot differentiate recurrent layers in evaluation mode.
        without_cudnn = torch.backends.cudnn.flags(enabled=False)
        with untouched(self.module), without_cudnn:
            if self.linear is not None:
                with torch.no_grad():
                    logits, z, steps = self._look(x, lengths)
                    weights = direction(logits) @ self.linear.weight / _count(z, steps)
                gradient = weights[:, :, None].expand_as(z)
            else:
                with self._feature_leaf(x, lengths) as (z, logits):
                    goal = (logits * direction(logits.detach())).sum()
                    (gradient,) = torch.autograd.grad(goal, z)
        if steps is not None:
            # Even where padding is zero, the head would answer to a change of it.
            gradient = gradient * inside(steps, z.shape[-1])[:, None]
        return logits.detach(), z.detach(), gradient

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
        if not self._splits_at_features:
            raise ValueError(
                f"The 'cam_layer' {self.layer!r} of {type(self.module).__name__} "
                "cannot explain records of different lengths: only feature maps of a "
                "network with 'features', 'head' and 'feature_lengths' can. Leave "
                "'cam_layer' at None, or bring the records to one length with "
                "FixLength."
            )
        return cast(Backbone, self.module).feature_lengths(lengths)

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
        if self.linear is None:
            raise RuntimeError(
                f"{type(self.module).__name__} has no pooled linear head: its maps "
                "have no closed form."
            )
        weights = direction @ self.linear.weight / _count(z, steps)  # (n, channels)
        return torch.einsum("nkt,nk->nt", z, weights)

    @contextmanager
    def _feature_leaf(
        self, x: torch.Tensor, lengths: torch.Tensor | None
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Run the network with a graph that begins at its feature maps."""
        if self._splits_at_features:
            with torch.no_grad():
                z = self._features(x, lengths)
            z.requires_grad_()
            with torch.enable_grad():
                # A copy goes on, so that a head may begin in place.
                steps = None if lengths is None else self.steps(lengths)
                yield z, self._head(z.clone(), steps)
            return
        found: list[torch.Tensor] = []

        def begin_graph(
            _module: nn.Module, _inputs: object, output: object
        ) -> torch.Tensor:
            z = _check_maps(output, f"{type(self.module).__name__}.{layer}")
            torch.set_grad_enabled(True)
            found[:] = [z.detach().requires_grad_()]
            # A copy goes on, so that in-place layers after this one work.
            return found[0].clone()

        if self.layer is None:
            self.layer = self._last_layer_with_time(x[:1])
        layer = self.layer
        hook = self.module.get_submodule(layer).register_forward_hook(begin_graph)
        try:
            with torch.no_grad():
                logits = self.module(x)
        finally:
            hook.remove()
        if not found:
            raise ValueError(
                f"The 'cam_layer' {layer!r} of {type(self.module).__name__} is not "
                "called in its forward pass. Name a submodule that is."
            )
        with torch.enable_grad():
            yield found[0], logits

    def _look(
        self, x: torch.Tensor, lengths: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Return logits, feature maps and where they end."""
        z = self._features(x, lengths)  # (n, channels, times)
        steps = None if lengths is None else self.steps(lengths)
        return self._head(z, steps), z, steps

    def _features(self, x: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
        features = cast(Backbone, self.module).features
        z = features(x) if lengths is None else features(x, lengths)
        return _check_maps(z, f"{type(self.module).__name__}.features")

    def _head(self, z: torch.Tensor, steps: torch.Tensor | None) -> torch.Tensor:
        head = cast(Backbone, self.module).head
        return head(z) if steps is None else head(z, steps)

    def _last_layer_with_time(self, x: torch.Tensor) -> str:
        """Name the last submodule that returns (n, channels, more than one time).

        Convolutions, their normalisation and pooling have time last; what follows
        them without parameters (activations, dropout) and keeps their shape does too.
        Of anything else, such as attention or batch-first recurrence, it is not known.
        """
        order: list[tuple[str, int]] = []
        shape: list[torch.Size] = []

        def remember(name: str) -> Callable[[nn.Module, object, object], None]:
            def hook(module: nn.Module, _inputs: object, output: object) -> None:
                if not isinstance(output, torch.Tensor) or output.ndim != 3:
                    return
                follows = [output.shape] == shape and not list(module.parameters())
                if isinstance(module, TIME_LAST) or follows:
                    shape[:] = [output.shape]
                    order.append((name, output.shape[-1]))

            return hook

        leaves = [
            (name, part)
            for name, part in self.module.named_modules()
            if name and not any(part.children())
        ]
        hooks = [part.register_forward_hook(remember(name)) for name, part in leaves]
        try:
            with torch.no_grad():
                self.module(x)
        finally:
            for hook in hooks:
                hook.remove()
        longest = max((n_times for _, n_times in order), default=0)
        with_time = [name for name, n_times in order if n_times > 1 or longest == 1]
        if not with_time:
            raise ValueError(
                f"No submodule of {type(self.module).__name__} returns feature maps "
                "of shape (n, channels, times), so there is nothing to explain. "
                "Name one with 'cam_layer', or give the module 'features' and "
                "'head'."
            )
        return with_time[-1]


def _count(z: torch.Tensor, steps: torch.Tensor | None) -> int | torch.Tensor:
    """Return over how many steps the channels of feature maps are averaged."""
    return z.shape[-1] if steps is None else steps[:, None]


def _check_maps(z: object, name: str) -> torch.Tensor:
    if not isinstance(z, torch.Tensor) or z.ndim != 3:
        got = f"shape {tuple(z.shape)}" if isinstance(z, torch.Tensor) else type(z)
        raise ValueError(
            f"{name} must return feature maps of shape (n, channels, times) for "
            f"Grad-CAM. Got {got} instead; name another layer with 'cam_layer'."
        )
    return z
