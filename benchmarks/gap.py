"""What share ``focus_threshold="auto"`` puts aside of scores of known shapes.

Prints a table in Markdown: the mean share over many draws, by distribution and number
of candidates. Of one group nothing should be put aside; of two groups, the lower one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from sk_erts.selection import share_below_gap

Draw = Callable[[np.random.Generator, int], np.ndarray]

SIZES = (60, 200, 500)
ONE_GROUP: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.random(n),
    "beta(2, 5)": lambda rng, n: rng.beta(2, 5, n),
    "beta(5, 2)": lambda rng, n: rng.beta(5, 2, n),
    "beta(8, 1)": lambda rng, n: rng.beta(8, 1, n),
    "beta(2, 2)": lambda rng, n: rng.beta(2, 2, n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "exponential, mirrored": lambda rng, n: -rng.exponential(size=n),
    "log-normal (0.5)": lambda rng, n: rng.lognormal(0, 0.5, n),
    "Gumbel, mirrored": lambda rng, n: -rng.gumbel(size=n),
    "Laplace": lambda rng, n: rng.laplace(size=n),
    "Student's t (3)": lambda rng, n: rng.standard_t(3, n),
}


def two_groups(share: float, distance: float) -> Draw:
    """Return a draw of two normal groups, of which the lower one has a known share."""

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        n_low = round(share * n)
        return rng.normal(size=n) + distance * (np.arange(n) >= n_low)

    return draw


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    n_draws = parser.parse_args().draws
    cases = ONE_GROUP | {
        f"{share:.0%} lie {distance} sd lower": two_groups(share, distance)
        for distance in (3, 4)
        for share in (0.1, 0.2, 0.3, 0.4)
    }
    print("| scores |", " | ".join(f"n = {n}" for n in SIZES), "|")
    print("|---" * (1 + len(SIZES)) + "|")
    for name, draw in cases.items():
        rng = np.random.default_rng(0)
        shares = [
            np.mean([share_below_gap(draw(rng, n)) for _ in range(n_draws)])
            for n in SIZES
        ]
        cells = " | ".join(f"{share:.1%}" for share in shares)
        print(f"| {name} | {cells} |", flush=True)
    print(f"\n{SIZES[-1]} scores take {milliseconds(SIZES[-1]):.2f} ms (median)")


def milliseconds(n: int) -> float:
    """Return the median time of a call, in ms."""
    focus = two_groups(0.2, 3)(np.random.default_rng(0), n)
    seconds = []
    for _ in range(300):
        start = time.perf_counter()
        share_below_gap(focus)
        seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds)


if __name__ == "__main__":
    main()
