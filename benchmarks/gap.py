"""What share ``focus_threshold="auto"`` puts aside of scores of known shapes.

Prints a table in Markdown: the mean share over many draws, by distribution and number
of candidates. Of one group nothing should be put aside; of two groups, the lower one.
After each share, the draws in which anything is put aside. The mixture alone is asked
about the same draws: it shows what the other distributions with one mode are for.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from sklearn.mixture import GaussianMixture

from sk_erts.selection import share_below_gap

Rule = Callable[[np.ndarray], float]
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


def mixture_alone(focus: np.ndarray) -> float:
    """Return the share of the lower of two normal groups, if BIC prefers two to one."""
    z = ((focus - focus.mean()) / focus.std())[:, np.newaxis]
    one, two = (
        GaussianMixture(k, covariance_type="tied", random_state=0).fit(z)
        for k in (1, 2)
    )
    separation = np.ptp(two.means_) / two.covariances_[0, 0] ** 0.5
    if separation < 2 or one.bic(z) - two.bic(z) < 2:
        return 0.0
    return min(float(np.mean(two.predict(z) == two.means_.argmin())), 0.5)


TIMED = (ONE_GROUP["normal"], two_groups(0.2, 3))
RULES: dict[str, Rule] = {
    "share_below_gap": share_below_gap,
    "mixture alone": mixture_alone,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=300)
    n_draws = parser.parse_args().draws
    cases = ONE_GROUP | {
        f"{share:.0%} lie {distance} sd lower": two_groups(share, distance)
        for distance in (3, 4)
        for share in (0.1, 0.2, 0.3, 0.4)
    }
    heads = [f"{rule}, n = {n}" for rule in RULES for n in SIZES]
    print("| scores |", " | ".join(heads), "|")
    print("|---" * (1 + len(heads)) + "|")
    for name, draw in cases.items():
        rng = np.random.default_rng(0)
        draws = [[draw(rng, n) for _ in range(n_draws)] for n in SIZES]
        cells = " | ".join(
            cell([rule(focus) for focus in same_size])
            for rule in RULES.values()
            for same_size in draws
        )
        print(f"| {name} | {cells} |", flush=True)
    print("\nProcessor time of a call (median):")
    for name, rule in RULES.items():
        for n in (SIZES[-1], 2000):
            one, two = (milliseconds(rule, draw, n) for draw in TIMED)
            print(f"{name}, {n} scores: {one:.1f} ms of one group, {two:.1f} ms of two")


def cell(shares: list[float]) -> str:
    """Return the mean share and how often it is not 0."""
    return f"{np.mean(shares):.1%} ({np.mean(np.greater(shares, 0)):.0%})"


def milliseconds(rule: Rule, draw: Draw, n: int) -> float:
    """Return the median processor time of a call, in ms."""
    focus = draw(np.random.default_rng(0), n)
    seconds = []
    for _ in range(100):
        start = time.process_time()
        rule(focus)
        seconds.append(time.process_time() - start)
    return 1e3 * statistics.median(seconds)


if __name__ == "__main__":
    main()
