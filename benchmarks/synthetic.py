"""Time make_ecg for 10,000 records of 12 leads and 10 s."""

import resource
import statistics
import time

from sk_erts.datasets import make_ecg


def main() -> None:
    seconds = []
    for seed in range(3):
        start = time.perf_counter()
        X, _ = make_ecg(10_000, noise=0.2, label_noise=0.1, random_state=seed)
        seconds.append(time.perf_counter() - start)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{len(X)} records of shape {X.shape[1:]}: {statistics.median(seconds):.1f} s "
        f"(median of {len(seconds)}), peak memory {peak_gb:.1f} GB for "
        f"{X.nbytes / 2**30:.1f} GB of signal"
    )


if __name__ == "__main__":
    main()
