"""Let a network see two records, so that what cannot work fails before a training."""

from __future__ import annotations

import numpy as np
import torch

from sk_erts._network.network import Network
from sk_erts._network.untouched import untouched
from sk_erts._records.records import Records
from sk_erts._records.signals import Signals
from sk_erts._records.training_set import TrainingSet

__all__ = ["check_network"]


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
        ``head(features(x))`` though it has both, or sees padding.
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
