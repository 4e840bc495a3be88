"""Feature maps over time, of networks that do not name any.

The output of a layer is explained if its axis of time is known. In this order:

1. maps (n, channels, times), of convolutions over time;
2. maps (n, channels, ..., times), of convolutions over leads and time, wherever time
   stands;
3. the hidden sequence of recurrent layers, (n, hidden, times).

Of each kind the last layer is taken that all evidence flows through: what else the
logits know of the record would be missing from the map of a branch, or of a window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sk_erts._network.logits import logits_of

__all__ = ["Layer", "NoFeatureMapsError", "check_maps", "find_layer", "graph_from"]

# Layers whose output is (n, channels, times) or (n, channels, ..., times).
CHANNELS_FIRST = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    nn.GroupNorm,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
)

# How far, in records, an axis of time moves what its two halves look at; an axis of
# leads moves it by nothing.
LEAST_MOVE = 0.1
# Maps over more axes that have fewer steps hardly say where.
LEAST_STEPS = 8
# Gradients below this part of the greatest are rounding.
ROUNDING = 1e-6

WHOLE = (0.0, 1.0)


class NoFeatureMapsError(ValueError):
    """Raise for a network in which no layer with a time axis is found."""


@dataclass(frozen=True)
class Layer:
    """A submodule, and how its output becomes feature maps over time.

    Attributes
    ----------
    name : str
        Dotted name.
    order : tuple of int
        Axes of its output as maps have them: records, channels, ..., time.
    recurrent : bool
        Whether it returns a sequence and last states.
    span : tuple of (float, float)
        Where the first and last step of the maps stand, in records.
    """

    name: str
    order: tuple[int, ...] = (0, 1, 2)
    recurrent: bool = False
    span: tuple[float, float] = WHOLE

    @property
    def kind(self) -> str:
        """What is explained, in words."""
        if self.recurrent:
            return "hidden sequence"
        return "feature maps" if len(self.order) == 3 else "2-D feature maps"

    def maps(self, output: Any) -> torch.Tensor:
        """Return what the layer returned as maps (n, channels, ..., times)."""
        z: torch.Tensor = output[0] if self.recurrent else output
        return z.permute(self.order)

    def put_back(self, part: nn.Module, output: Any, maps: torch.Tensor) -> Any:
        """Return maps in the form in which the layer returns them."""
        back = sorted(range(len(self.order)), key=self.order.__getitem__)
        z = maps.permute(back)
        return (z, _last_states(part, output[1], maps)) if self.recurrent else z


@contextmanager
def graph_from(module: nn.Module, layer: Layer) -> Iterator[list[torch.Tensor]]:
    """Let the graph of a forward pass begin at the output of a layer.

    Parameters
    ----------
    module : Module
        Is called inside, without gradients.
    layer : Layer
        One of its submodules.

    Yields
    ------
    found : list of tensor
        After the call the layer's maps (n, channels, ..., times); empty if it was not
        reached.
    """
    found: list[torch.Tensor] = []

    def begin(part: nn.Module, _inputs: object, output: Any) -> Any:
        check_maps(output, f"{type(module).__name__}.{layer.name}", layer)
        torch.set_grad_enabled(True)
        found[:] = [layer.maps(output).detach().requires_grad_()]
        # A copy goes on, so that in-place layers after this one work.
        return layer.put_back(part, output, found[0].clone())

    hook = module.get_submodule(layer.name).register_forward_hook(begin)
    try:
        with torch.no_grad():
            yield found
    finally:
        hook.remove()


def find_layer(module: nn.Module, x: torch.Tensor, name: str | None = None) -> Layer:
    """Find the layer whose feature maps are explained, and its axis of time.

    Convolutions, their normalisation and pooling have channels first; what follows
    them and keeps their shape does too. Which of the other axes is time is asked of
    the gradient: the first and the second half of it look at different times of the
    record. Of anything else, such as attention, it is not known.

    Parameters
    ----------
    module : Module
        The network.
    x : tensor of shape (n, leads, times)
        Records, the first of which it is tried on.
    name : str, optional
        Dotted name of the layer, if the user has named one.

    Returns
    -------
    layer : Layer
        By default the last one of the first kind that there is.

    Raises
    ------
    NoFeatureMapsError
        If there is none.
    ValueError
        If the named one is not called, or returns no maps.
    """
    # With noise on it, so that nothing is flat or at rest.
    noise = torch.randn(x[:1].shape, generator=_generator()).to(x)
    x = (x[:1].detach() + noise).requires_grad_()
    with torch.enable_grad():
        if name is not None:
            return _named(module, x, name)
        calls, logits = _watch(module, x, [each for each, _ in module.named_modules()])
        tiers = _tiers(calls, x)
        whole = [[each for each in t if _carries_all(each, logits, x)] for t in tiers]
        for tier in (*whole, *tiers):
            for seen in reversed(tier):
                layer = _as_layer(seen, x)
                if layer is not None:
                    return layer
    raise NoFeatureMapsError(
        f"No submodule of {type(module).__name__} returns feature maps of shape "
        "(n, channels, times), so there is nothing to explain. Name one with "
        "'cam_layer', or give the module 'features' and 'head'; or use a method that "
        "needs none, such as 'input_x_gradient' or 'occlusion'."
    )


def check_maps(z: Any, where: str, layer: Layer | None = None) -> torch.Tensor:
    """Refuse feature maps without a time axis.

    Parameters
    ----------
    z : object
        What a layer returned.
    where : str
        Which one, for the error.
    layer : Layer, optional
        What is known of it; by default it returns maps as they are.

    Returns
    -------
    z : tensor of shape (n, channels, ..., times)
        The maps.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    layer = Layer(where) if layer is None else layer
    inner = z[0] if layer.recurrent and isinstance(z, tuple) else z
    if not isinstance(inner, torch.Tensor) or inner.ndim != len(layer.order):
        raise _no_maps(inner, where)
    return layer.maps(z)


@dataclass(frozen=True)
class _Seen:
    """The last call of a submodule, and where its output stands in the graph."""

    name: str
    part: nn.Module
    output: Any
    nodes: tuple[Any, ...]


def _watch(
    module: nn.Module, x: torch.Tensor, names: Sequence[str]
) -> tuple[list[_Seen], torch.Tensor]:
    """Return what submodules returned, in the order of their last call, and logits."""
    calls: dict[str, _Seen] = {}

    def remember(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(part: nn.Module, _inputs: object, output: Any) -> None:
            calls.pop(name, None)
            # Last states come from the sequence too, if a layer returns both.
            tensors = _flat(output)[:2] if isinstance(part, nn.RNNBase) else [output]
            nodes = tuple(getattr(each, "grad_fn", None) for each in tensors)
            # Layers behind it may work in place.
            kept = output.clone() if isinstance(output, torch.Tensor) else output
            calls[name] = _Seen(name, part, kept, nodes)

        return hook

    hooks = [
        module.get_submodule(name).register_forward_hook(remember(name))
        for name in names
        if name
    ]
    try:
        logits = logits_of(module(x.clone()))
    finally:
        for hook in hooks:
            hook.remove()
    return list(calls.values()), logits


def _flat(output: Any) -> list[Any]:
    """Return a sequence, its hidden states, and what else a recurrent layer returns."""
    z, states = output
    return [z, *(states if isinstance(states, tuple) else [states])]


def _tiers(calls: list[_Seen], x: torch.Tensor) -> list[list[_Seen]]:
    """Return calls with channels first over time; over more axes; and sequences."""
    flat: list[_Seen] = []
    deep: list[_Seen] = []
    sequences = [
        seen
        for seen in calls
        if isinstance(seen.part, nn.RNNBase) and _is_sequence(seen.output)
    ]
    shape = None
    for seen in calls:
        z = seen.output
        if not isinstance(z, torch.Tensor) or z.ndim < 3 or len(z) != len(x):
            continue
        is_leaf = not any(seen.part.children())
        # A block ends with the sum of its branches, whose shape is theirs.
        follows = z.shape == shape and not (is_leaf and list(seen.part.parameters()))
        if isinstance(seen.part, CHANNELS_FIRST) or follows:
            tier, shape = flat if z.ndim == 3 else deep, z.shape
            if is_leaf or not tier or not torch.equal(tier[-1].output, z):
                tier.append(seen)
    longest = max((seen.output.shape[-1] for seen in flat), default=0)
    flat = [seen for seen in flat if seen.output.shape[-1] > 1 or longest == 1]
    fine = [seen for seen in deep if max(seen.output.shape[2:]) >= LEAST_STEPS]
    return [flat, fine, deep, sequences]


def _carries_all(seen: _Seen, logits: torch.Tensor, x: torch.Tensor) -> bool:
    """Whether the logits know nothing of a record but by what a layer returned."""
    done = set(seen.nodes)
    rest: list[Any] = [getattr(logits, "grad_fn", None)]
    while rest:
        node = rest.pop()
        if node is None or node in done:
            continue
        if getattr(node, "variable", None) is x:
            return False
        done.add(node)
        rest += [before for before, _ in node.next_functions]
    return True


def _named(module: nn.Module, x: torch.Tensor, name: str) -> Layer:
    """Return what is known of the layer that a user has named."""
    calls, _ = _watch(module, x, [name])
    where = f"{type(module).__name__}.{name}"
    if not calls:
        raise ValueError(
            f"The 'cam_layer' {name!r} of {type(module).__name__} is not called in its "
            "forward pass. Name a submodule that is."
        )
    (seen,) = calls
    layer = _as_layer(seen, x, named=True)
    if layer is None:
        raise _no_maps(seen.output, where)
    return layer


def _as_layer(seen: _Seen, x: torch.Tensor, *, named: bool = False) -> Layer | None:
    """Return how an output becomes maps; None if it has no axis of time."""
    if isinstance(seen.part, nn.RNNBase):
        if not _is_sequence(seen.output):
            return None
        order: tuple[int, ...] = (0, 2, 1) if seen.part.batch_first else (1, 2, 0)
        z = seen.output[0].permute(order)
        # Some networks read leads one after another.
        known = named or _moves(z, x, axis=2) > LEAST_MOVE
        return Layer(seen.name, order, recurrent=True) if known else None
    z = seen.output
    if not isinstance(z, torch.Tensor) or z.ndim < 3:
        return None
    if z.ndim == 3:
        return Layer(seen.name, span=_span(z, x))
    moves = {axis: _moves(z, x, axis) for axis in range(2, z.ndim)}
    time = max(moves, key=moves.__getitem__)
    if moves[time] <= LEAST_MOVE:
        return None
    order = (0, 1, *(axis for axis in moves if axis != time), time)
    return Layer(seen.name, order, span=_span(z.permute(order), x))


def _is_sequence(output: Any) -> bool:
    """Whether a recurrent layer returned (a batch of) sequences, not packed."""
    z = output[0]
    return isinstance(z, torch.Tensor) and z.ndim == 3


def _last_states(part: nn.Module, states: Any, maps: torch.Tensor) -> Any:
    """Return last states in which those of the last layer come from its sequence."""
    hidden = states[0] if isinstance(states, tuple) else states
    n_directions = 2 if getattr(part, "bidirectional", False) else 1
    forward, *backward = maps.chunk(n_directions, dim=1)  # (n, hidden, times) each
    ends = [forward[..., -1], *(own[..., 0] for own in backward)]
    hidden = torch.cat([hidden[:-n_directions], torch.stack(ends)])
    return (hidden, *states[1:]) if isinstance(states, tuple) else hidden


def _moves(z: torch.Tensor, x: torch.Tensor, axis: int) -> float:
    """Return how far in time the halves of an axis look apart, in records."""
    half = z.shape[axis] // 2
    if not half:
        return 0.0
    times = torch.linspace(0, 1, x.shape[-1], device=x.device)
    centres = []
    for part in torch.tensor_split(z, [half], dim=axis):
        seen = _seen_of(part, x)
        if seen is None:
            return 0.0
        centres.append(float((seen * times).sum() / seen.sum()))
    return abs(centres[1] - centres[0])


def _span(z: torch.Tensor, x: torch.Tensor) -> tuple[float, float]:
    """Return where the first and last step of maps stand in the record.

    A convolution without padding begins half a kernel behind the beginning. What a
    step in the middle sees tells how wide a step looks; the others may be cut off.
    Where that is not known steps are taken to spread over the whole record.
    """
    latest, n_steps = x.shape[-1] - 1, z.shape[-1]
    first, middle, last = (
        _ends(z[..., at], x) for at in (0, n_steps // 2, n_steps - 1)
    )
    if first is None or middle is None or last is None:
        return WHOLE
    if middle[0] <= 0 or middle[1] >= latest:
        return WHOLE
    half = (middle[1] - middle[0]) / 2
    begin, end = max(first[1] - half, 0.0), min(last[0] + half, float(latest))
    return (begin / latest, end / latest) if begin < end else WHOLE


def _ends(part: torch.Tensor, x: torch.Tensor) -> tuple[int, int] | None:
    """Return the first and last time that a part of an output looks at."""
    seen = _seen_of(part, x)
    if seen is None:
        return None
    times = torch.nonzero(seen > ROUNDING * seen.max())
    return int(times[0]), int(times[-1])


def _seen_of(part: torch.Tensor, x: torch.Tensor) -> torch.Tensor | None:
    """Return how much a part of an output looks at each time (n_times,)."""
    # Weights by chance, as sums of normalised channels are constant.
    weights = torch.randn(part.shape, generator=_generator()).to(part)
    gradient = _gradient(part * weights, x)
    if gradient is None:
        return None
    seen = gradient.abs().sum(dim=(0, 1))  # (1, leads, times) -> (times,)
    return seen if bool(seen.sum() > 0) else None


def _gradient(part: torch.Tensor, x: torch.Tensor) -> torch.Tensor | None:
    """Return what would change an output in a record; None if nothing can."""
    if not part.requires_grad:
        return None
    (gradient,) = torch.autograd.grad(
        part.sum(), x, retain_graph=True, allow_unused=True
    )
    return gradient


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _no_maps(z: object, where: str) -> ValueError:
    got = f"shape {tuple(z.shape)}" if isinstance(z, torch.Tensor) else type(z)
    return ValueError(
        f"{where} must return feature maps of shape (n, channels, times) for "
        f"Grad-CAM. Got {got} instead; name another layer with 'cam_layer'."
    )
