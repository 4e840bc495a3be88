"""One line in the terminal that says how a training goes."""

from __future__ import annotations

import sys
from typing import Any

from skorch.callbacks import Callback
from tqdm import tqdm

__all__ = ["ProgressCallback", "shows_bars"]


def shows_bars() -> bool:
    """Return whether somebody could see a progress bar.

    Returns
    -------
    shows_bars : bool
        True in a terminal and in a notebook.
    """
    return sys.stderr.isatty() or "ipykernel" in sys.modules


class ProgressCallback(Callback):
    """Show epochs, effective epochs and the share of records kept.

    Silent where the output is neither a terminal nor a notebook.

    Parameters
    ----------
    epochs : int
        Length of the training.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self._bar: Any = None

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Draw an empty bar."""
        self._bar = tqdm(total=self.epochs, unit="epoch", disable=not shows_bars())

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Move it by one."""
        row = net.history[-1]
        figures = {"EE": f"{row['EE']:.1f}", "kept": f"{row['kept']:.0%}"}
        if "valid_f1" in row:
            figures["valid F1"] = f"{row['valid_f1']:.3f}"
        self._bar.set_postfix(figures, refresh=False)
        self._bar.update()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Leave the line as it is and let go of the terminal."""
        self._bar.close()
        self._bar = None
