"""Which version of the package this is."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["package_version"]


def package_version() -> str:
    """Return the version of sk_erts; "unknown" of a source tree that is not installed.

    Examples
    --------
    >>> from sk_erts._lib.version import package_version
    >>> package_version() == "unknown" or package_version()[0].isdigit()
    True
    """
    try:
        return version("sk-erts")
    except PackageNotFoundError:
        return "unknown"
