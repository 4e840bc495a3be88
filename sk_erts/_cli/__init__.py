"""The command `sk-erts`."""
