"""Functions whose true map is known: sums of weighted samples."""

import numpy as np


def linear(*weights):
    """Return a function from records to one score for each array of weights."""

    def predict(X):
        return np.stack([(X * each).sum(axis=(1, 2)) for each in weights], axis=1)

    return predict


class Counting:
    """A function that remembers how many records it got each time."""

    def __init__(self, function):
        self.function = function
        self.sizes = []

    def __call__(self, X):
        self.sizes.append(len(X))
        return self.function(X)
