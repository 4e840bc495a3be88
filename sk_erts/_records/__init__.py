"""Records and labels in: arrays, maps, lazy and ragged records, tasks, divisions."""
