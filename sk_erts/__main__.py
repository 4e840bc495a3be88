"""The command `sk-erts`, also ``python -m sk_erts``."""

import sys

from sk_erts._lib.optional import import_optional

__all__ = ["main"]

WRONG_USAGE = 2


def main() -> None:
    """Run the command with the words of the command line, and end the process."""
    try:
        for needed in ("typer", "rich"):
            import_optional(needed, extra="cli", purpose="The command sk-erts")
    except ImportError as error:
        line = " ".join(str(error).split())
        sys.stderr.write(f"error: {line}\n")
        sys.exit(WRONG_USAGE)
    from sk_erts._cli._app import app

    app()


if __name__ == "__main__":
    main()
