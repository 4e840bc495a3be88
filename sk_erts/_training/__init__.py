"""One training, from a plan to a trained network and its story."""
