"""What every level uses: checks, names, optional imports, types."""
