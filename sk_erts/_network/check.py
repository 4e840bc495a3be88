"""Let a network see two records, so that what cannot work fails before a training."""

from __future__ import annotations

import numpy as np
import torch

from sk_erts._lib.warn import warn_caller
from sk_erts._network.network import Network
from sk_erts._network.untouched import untouched
from sk_erts._records.records import Records
from sk_erts._records.signals import Signals
from sk_erts._records.training_set import TrainingSet
from sk_erts.exceptions import DoubtfulInputWarning

__all__ = ["check_network"]

N_LOOKED_AT = 32
# What changes the shape or type of a tensor only.
VIEWS = {
    "Alias",
    "Clone",
    "Reshape",
    "Select",
    "Slice",
    "Squeeze",
    "T",
    "ToCopy",
    "Transpose",
    "UnsafeView",
    "Unsqueeze",
    "View",
}


def check_network(network: Network, training_set: TrainingSet, n_classes: int) -> None:
    """Look at what a network makes of two records.

    Parameters
    ----------
    network : Network
        Left as found.
    training_set : TrainingSet
        Where they are from.
    n_classes : int
        Logits that there must be.

    Raises
    ------
    ValueError
        If the network cannot read the records, returns anything but logits, is not
        ``head(features(x))`` though it has both, or sees padding; or if it returns
        probabilities, to which the loss would apply softmax or sigmoid again.
    """
    _check_lengths(network, training_set.records)
    batch = training_set.signals(np.arange(min(2, len(training_set))), network.device)
    n, *shape = batch.x.shape
    with untouched(network.module), torch.no_grad():
        try:
            logits = network.logits(batch)
        except (RuntimeError, TypeError, IndexError) as error:
            raise ValueError(
                f"The module {network.name} must read records of shape (n_leads, "
                f"n_times) = {tuple(shape)}. It raised: {error}"
            ) from error
        is_tensor = isinstance(logits, torch.Tensor)
        if not is_tensor or tuple(logits.shape) != (n, n_classes):
            got = f"shape {tuple(logits.shape)}" if is_tensor else type(logits).__name__
            raise ValueError(
                f"The module {network.name} must return logits of shape (n_samples, "
                f"n_classes) = {(n, n_classes)}. Got {got} instead; take 'n_classes' "
                "as a parameter to be told the number of classes; of several outputs "
                "let the logits be the first."
            )
        if batch.lengths is not None and not _are_close(
            network.logits(_padded_further(batch)), logits
        ):
            raise ValueError(
                f"The module {network.name} takes 'lengths', but its logits change "
                "with what stands behind a record. Set every layer's padding to zero, "
                "and average over 'lengths' steps."
            )
        if network.splits and not _are_close(network.look(batch)[0], logits):
            raise ValueError(
                f"The module {network.name} has 'features' and 'head', but its forward "
                "pass is not head(features(x)): maps of its features would not explain "
                "its logits. Make it so, or name a layer with 'cam_layer'."
            )
        _check_scale(network, training_set, logits)


def _check_scale(
    network: Network, training_set: TrainingSet, logits: torch.Tensor
) -> None:
    """Refuse a network that ends in softmax or sigmoid: probabilities are no logits.

    Rows that sum to one are enough to know a softmax by. A sigmoid is known by the last
    operation alone: what is new may give values between 0 and 1 by chance.
    """
    task_applies = "sigmoid" if training_set.codes.ndim == 2 else "softmax"
    found = _scale_of(logits)
    if found is None:
        return

    def look(n_records: int) -> torch.Tensor:
        rows = np.arange(min(n_records, len(training_set)))
        return network.logits(training_set.signals(rows, network.device))

    found = _scale_of(look(N_LOOKED_AT))
    if found == "between 0 and 1":
        with torch.enable_grad():
            found = "sigmoid" if _last_operation(look(2)) == "Sigmoid" else None
    if found is None:
        return
    what = (
        f"The module {network.name} ends in {found}: its outputs are not logits, and "
        f"the loss and predict_proba apply {task_applies} themselves. Remove its last "
        "layer"
    )
    if found == "log-softmax" and task_applies == "softmax":
        warn_caller(f"{what}; it changes nothing here.", DoubtfulInputWarning)
    else:
        raise ValueError(f"{what}.")


def _scale_of(logits: torch.Tensor) -> str | None:
    """Return what the values of logits (n, n_classes) look like, if not like logits."""
    values = logits.double()
    if values.shape[1] > 1:
        one = torch.ones_like(values[:, 0])
        if (values >= 0).all() and torch.allclose(values.sum(dim=1), one, atol=1e-4):
            return "softmax"
        total = values.exp().sum(dim=1)
        if (values <= 0).all() and torch.allclose(total, one, atol=1e-4):
            return "log-softmax"
    inside = ((values >= 0) & (values <= 1)).all()
    return "between 0 and 1" if inside else None


def _last_operation(output: torch.Tensor) -> str:
    """Return the name of what made an output, in autograd's words, views aside."""
    step = output.grad_fn
    while step is not None:
        name = type(step).__name__.partition("Backward")[0]
        if name not in VIEWS or not step.next_functions:
            return name
        step = step.next_functions[0][0]
    return ""


def _check_lengths(network: Network, records: Records) -> None:
    """Refuse records of different lengths where padding would be seen."""
    if records.lengths is None:
        return
    spread = f"{records.lengths.min()} to {records.lengths.max()} time steps"
    if not (network.takes_lengths and network.has_parts):
        raise ValueError(
            f"X of ERTSClassifier holds records of {spread}, and the module "
            f"{network.name} cannot leave the padding behind short ones aside: it has "
            "no 'features', 'head', 'feature_lengths' and forward with 'lengths'. "
            "Bring the records to one length with sk_erts.preprocessing.FixLength, or "
            "use a network that can, such as ResNet1d."
        )
    if not network.splits:
        raise ValueError(
            f"The 'cam_layer' parameter of ERTSClassifier must be None for records of "
            f"{spread}: only the maps of 'features' leave padding aside. Got "
            f"{network.layer!r} instead."
        )


def _padded_further(batch: Signals) -> Signals:
    """Return the records with something behind them that nobody should see."""
    behind = batch.x.new_ones(*batch.x.shape[:2], 32)
    return Signals(torch.cat([batch.x, behind], dim=2), batch.lengths)


def _are_close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-3, atol=1e-4)
