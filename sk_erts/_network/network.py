"""What a module can do, answered once, whoever wrote it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

import torch
from torch import nn

from sk_erts._network.heads import linear_after_pooling
from sk_erts._network.layers import Layer, check_maps, find_layer, graph_from
from sk_erts._network.logits import logits_of
from sk_erts._network.untouched import device_of
from sk_erts._records.signals import Signals

__all__ = ["Backbone", "Network", "logits_of"]


class Backbone(Protocol):
    """All that a module may have beside its forward pass; every part is optional.

    One that leaves padding aside takes `lengths` (n,) as a second argument of
    ``forward``, ``features``, ``head`` and ``contributions``.
    """

    def features(self, x: torch.Tensor, *lengths: torch.Tensor) -> torch.Tensor:
        """Map records (n, leads, times) to feature maps (n, channels, times)."""

    def head(self, z: torch.Tensor, *lengths: torch.Tensor) -> torch.Tensor:
        """Map feature maps (n, channels, times) to logits (n, classes)."""

    def feature_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return the steps of feature maps (n,) of records of some lengths (n,)."""

    def contributions(self, x: torch.Tensor, *lengths: torch.Tensor) -> torch.Tensor:
        """Return the parts of each logit, (n, classes, times) or with leads before."""

    def penalty(self, output: Any, codes: torch.Tensor) -> torch.Tensor:
        """Return what each record adds to its loss (n,), given output and labels."""


class Network:
    """One object around any module: how it is called, split and explained.

    Parameters
    ----------
    module : Module
        Returns logits (n, classes) for records (n, leads, times). What else it can
        do is that of `Backbone`.
    layer : str, optional
        Dotted name of the submodule whose feature maps are explained. By default
        ``features``, else what `find_layer` finds.

    Attributes
    ----------
    name : str
        Class of the module, for errors.
    has_parts : bool
        Whether the module has `features` and `head`.
    splits : bool
        Whether the feature maps that are explained are those of ``features``.
    found : Layer or None
        The submodule that is explained, once a record was; None while its maps are
        those of ``features``.
    linear : Linear or None
        The layer behind average pooling that the head consists of, if it does.
    takes_lengths : bool
        Whether the padding behind short records can be left aside.

    Raises
    ------
    ValueError
        If the module has no submodule of the name of `layer`.
    """

    def __init__(self, module: nn.Module, layer: str | None = None) -> None:
        self.module = module
        self.layer = layer
        self.found: Layer | None = None
        self.name = type(module).__name__
        self.has_parts = self._has("features") and self._has("head")
        self.splits = self.has_parts and layer in (None, "features")
        head = getattr(module, "head", None) if self.splits else None
        self.linear = linear_after_pooling(head)
        self.takes_lengths = self._has(
            "feature_lengths"
        ) and "lengths" in _parameters_of(module.forward)
        if layer is not None and not self.splits:
            names = [name for name, _ in module.named_modules() if name]
            if layer not in names:
                raise ValueError(
                    f"The 'cam_layer' {layer!r} is no submodule of {self.name}. Its "
                    f"submodules are {', '.join(map(repr, names))}."
                )

    @property
    def device(self) -> torch.device:
        """Where the module is."""
        return device_of(self.module)

    @property
    def span(self) -> tuple[float, float]:
        """Where the first and last step of the maps stand, in records."""
        return (0.0, 1.0) if self.found is None else self.found.span

    @property
    def contributes_by_length(self) -> bool:
        """Whether `contributions` takes records of different lengths."""
        part = getattr(self.module, "contributions", None)
        return callable(part) and "lengths" in _parameters_of(part)

    def logits(self, batch: Signals) -> torch.Tensor:
        """Return what the network says of records.

        Parameters
        ----------
        batch : Signals
            Records (n, leads, times).

        Returns
        -------
        logits : tensor of shape (n, classes)
            As the forward pass returns them, alone or first.
        """
        x, *lengths = batch.arguments
        said: torch.Tensor = logits_of(
            self.module(x, **dict(zip(("lengths",), lengths, strict=False)))
        )
        return said

    def look(self, batch: Signals) -> tuple[torch.Tensor, Signals]:
        """Return logits and feature maps of a network with `features` and `head`.

        Parameters
        ----------
        batch : Signals
            Records (n, leads, times).

        Returns
        -------
        logits : tensor of shape (n, classes)
            Those of the head.
        z : Signals
            Feature maps (n, channels, steps).
        """
        z = self.features(batch)
        return self.head(z), z

    def features(self, batch: Signals) -> Signals:
        """Return the feature maps (n, channels, steps) of records."""
        z = cast(Backbone, self.module).features(*batch.arguments)
        ends = None if batch.lengths is None else self.steps(batch.lengths)
        return Signals(check_maps(z, f"{self.name}.features"), ends)

    def head(self, z: Signals) -> torch.Tensor:
        """Return the logits (n, classes) of feature maps."""
        said: torch.Tensor = logits_of(cast(Backbone, self.module).head(*z.arguments))
        return said

    def steps(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return where the feature maps of records of some lengths end.

        Parameters
        ----------
        lengths : int tensor of shape (n,)
            Time steps of the records.

        Returns
        -------
        steps : int tensor of shape (n,)
            Time steps of their feature maps.

        Raises
        ------
        ValueError
            If the maps are not those of ``features``.
        """
        if not self.splits:
            raise ValueError(
                f"The 'cam_layer' {self.layer!r} of {self.name} cannot explain records "
                "of different lengths: only feature maps of a network with 'features', "
                "'head' and 'feature_lengths' can. Leave 'cam_layer' at None, or bring "
                "the records to one length with FixLength."
            )
        return cast(Backbone, self.module).feature_lengths(lengths)

    @contextmanager
    def feature_leaf(self, batch: Signals) -> Iterator[tuple[Signals, torch.Tensor]]:
        """Run the network with a graph that begins at the feature maps explained.

        Parameters
        ----------
        batch : Signals
            Records (n, leads, times).

        Yields
        ------
        z : Signals
            Feature maps (n, channels, steps) that want a gradient; between channels
            and steps stand the other axes of 2-D maps.
        logits : tensor of shape (n, classes)
            Of a graph that begins there.
        """
        if self.splits:
            with torch.no_grad():
                z = self.features(batch)
            z.x.requires_grad_()
            with torch.enable_grad():
                # A copy goes on, so that a head may begin in place.
                yield z, self.head(Signals(z.x.clone(), z.lengths))
            return
        if self.found is None:
            self.found = find_layer(self.module, batch.x, self.layer)
            self.layer = self.found.name
        with graph_from(self.module, self.found) as found:
            logits = self.logits(batch)
        if not found:
            raise ValueError(
                f"The 'cam_layer' {self.layer!r} of {self.name} is not called for all "
                "records. Name a submodule that is."
            )
        with torch.enable_grad():
            yield Signals(found[0]), logits

    def contributions(self, batch: Signals, n_classes: int) -> Signals:
        """Return what the network says itself that parts of a record contribute.

        Parameters
        ----------
        batch : Signals
            Records (n, leads, times).
        n_classes : int
            Number of logits.

        Returns
        -------
        parts : Signals
            Of shape (n, classes, leads, times), or over time alone: (n, classes,
            times), with the steps of the records or of the feature maps.

        Raises
        ------
        ValueError
            If the network does not explain itself, or not in these shapes.
        """
        self.check_contributions()
        parts = cast(Backbone, self.module).contributions(*batch.arguments)
        n, n_leads, n_times = batch.x.shape
        shape = tuple(parts.shape)
        over_all = (n, n_classes, n_leads, n_times)
        over_time = len(shape) == 3 and shape[:2] == (n, n_classes)
        if not (over_time or shape == over_all):
            raise ValueError(
                f"{self.name}.contributions must return the shape (n, classes, leads, "
                f"times) = {over_all}, or (n, classes, times). Got {shape} instead."
            )
        ends = batch.lengths
        if ends is not None and shape[-1] != n_times:
            ends = cast(Backbone, self.module).feature_lengths(ends)
        return Signals(parts, ends)

    def check_contributions(self) -> None:
        """Refuse a network that does not explain itself."""
        if not self._has("contributions"):
            raise ValueError(
                "The method 'intrinsic' needs a network that explains itself by "
                "contributions(x) of shape (n, classes, leads, times) or (n, classes, "
                f"times). {self.name} has none; use another method."
            )

    def penalty(self, output: Any, codes: torch.Tensor) -> torch.Tensor | None:
        """Return what the network adds to the loss of each record.

        Parameters
        ----------
        output : object
            What its forward pass returned, logits and all.
        codes : tensor of shape (n,) or (n, n_labels)
            Encoded labels.

        Returns
        -------
        penalty : tensor of shape (n,) or None
            None if it adds nothing.

        Raises
        ------
        ValueError
            If there is not one value for each record.
        """
        if not self._has("penalty"):
            return None
        extra = cast(Backbone, self.module).penalty(output, codes)
        if not isinstance(extra, torch.Tensor) or extra.shape != (len(codes),):
            got = getattr(extra, "shape", type(extra).__name__)
            raise ValueError(
                f"{self.name}.penalty must return a tensor with one value for each of "
                f"the {len(codes)} records. Got {got} instead."
            )
        return extra

    def _has(self, part: str) -> bool:
        return callable(getattr(self.module, part, None))


def _parameters_of(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters)
