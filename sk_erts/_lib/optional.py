"""Import what not every user has installed."""

import importlib
from typing import Any

__all__ = ["import_optional"]


def import_optional(name: str, *, extra: str, purpose: str) -> Any:
    """Import a module of a package that an extra of sk-erts installs.

    Parameters
    ----------
    name : str
        Dotted name of the module.
    extra : str
        Name of the extra, such as ``"plot"``.
    purpose : str
        What needs the module, as the error message begins.

    Returns
    -------
    module : module
        The module.

    Raises
    ------
    ImportError
        If its package is not installed; says how to install it. Other errors of the
        import are left as they are.

    Examples
    --------
    >>> from sk_erts._lib.optional import import_optional
    >>> import_optional("no_such_package", extra="plot", purpose="A figure")
    Traceback (most recent call last):
    ...
    ImportError: A figure needs the package no_such_package, which is not installed.
    Install it with: pip install "sk-erts[plot]"
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ImportError(
            f"{purpose} needs the package {package}, which is not installed.\n"
            f'Install it with: pip install "sk-erts[{extra}]"',
            name=package,
        ) from error
