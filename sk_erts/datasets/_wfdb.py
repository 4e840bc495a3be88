"""The package wfdb, imported when it is needed."""

import warnings
from types import ModuleType

__all__ = ["import_wfdb"]


def import_wfdb() -> ModuleType:
    """Import wfdb, which is slow to import and not needed for synthetic data.

    Returns
    -------
    wfdb : module
        The package.
    """
    with warnings.catch_warnings():
        # wfdb builds a table in a way that recent pandas deprecate: not the user's to
        # mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        import wfdb

    module: ModuleType = wfdb
    return module
