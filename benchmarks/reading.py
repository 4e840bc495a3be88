"""Speed of reading records, and the memory of fits on more than fit in memory.

Four tables. *records*: a PTB-XL folder, against a bare loop over wfdb. *batches*: an
epoch in random order from a file of `to_memmap`, against reading that file from end to
end. *shards*: batches in random order from a folder of `to_shards`, beside the file of
`to_memmap`, from the system's cache and from the disk, alone and beside steps of a
network. *memory*: a fit on a file of several
GB, against one on a hundredth of it, each in a process of its own. What is compared is
timed in turns, and ratios are taken within each turn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import wfdb
from joblib.externals.loky import get_reusable_executor

from sk_erts import ERTSClassifier
from sk_erts._records.records import Records
from sk_erts._records.training_set import TrainingSet
from sk_erts.datasets import load_ptbxl, make_ecg, open_records, to_memmap, to_shards

RECORD_BYTES = 12 * 1000 * 4
BATCH_SIZE = 64
TABLES = ["records", "batches", "shards", "memory"]


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def spread(values: list[float], digits: int) -> str:
    """Return the median with the range."""
    low, middle, high = np.percentile(values, [0, 50, 100])
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def print_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    for row in (head, ("---",) * len(head), *rows):
        print(f"| {' | '.join(row)} |")
    print(flush=True)


# ---------------------------------------------------------------------------- records


def records(folder: Path, n_records: int, turns: int) -> None:
    """Compare load_ptbxl, with one job and two, with a bare loop over wfdb."""
    with tempfile.TemporaryDirectory() as place:
        part = first_records(folder, n_records, Path(place))
        names = pd.read_csv(part / "ptbxl_database.csv")["filename_lr"]

        def bare() -> None:
            for name in names:
                wfdb.rdsamp(str(part / name))

        def two_jobs() -> None:
            load_ptbxl(part, n_jobs=2)

        def two_new_jobs() -> None:
            get_reusable_executor().shutdown(wait=True)
            two_jobs()

        ways = {
            "bare loop over wfdb.rdsamp": bare,
            "load_ptbxl": lambda: load_ptbxl(part),
            "load_ptbxl, n_jobs=2, processes started": two_new_jobs,
            "load_ptbxl, n_jobs=2, processes there": two_jobs,
        }
        seconds = [[timed(way) for way in ways.values()] for _ in range(turns)]
    rows = []
    for k, name in enumerate(ways):
        own = [turn[k] for turn in seconds]
        ratios = [turn[k] / turn[0] for turn in seconds]
        rows.append((name, spread(own, 1), spread(ratios, 2)))
    print_table((f"{n_records} records at 100 Hz", "time (s)", "over bare loop"), rows)


def first_records(folder: Path, n_records: int, place: Path) -> Path:
    """Make a folder whose table names the first records, and links to them."""
    table = pd.read_csv(folder / "ptbxl_database.csv", dtype=str).head(n_records)
    table.to_csv(place / "ptbxl_database.csv", index=False)
    for name in ("scp_statements.csv", "records100"):
        (place / name).symlink_to((folder / name).resolve())
    return place


# ---------------------------------------------------------------------------- batches


def batches(place: Path, n_records: int, turns: int) -> None:
    """Compare an epoch of random batches with reading the file from end to end."""
    X, _ = make_ecg(n_records, random_state=0, out=place / "float32.npy")
    to_memmap(X, place / "int16.npy", dtype="int16")
    rows = []
    for dtype in ("float32", "int16"):
        path = place / f"{dtype}.npy"
        size, loaded = path.stat().st_size / 1e6, n_records * RECORD_BYTES / 1e6
        pairs = [(read_batches(path, k), read_through(path)) for k in range(turns)]
        rows.append(
            (
                dtype,
                spread([size / batch for batch, _ in pairs], 0),
                spread([loaded / batch for batch, _ in pairs], 0),
                spread([size / through for _, through in pairs], 0),
                spread([through / batch for batch, through in pairs], 2),
            )
        )
        path.unlink()
    head = (
        f"file of {n_records} records",
        "batches, MB/s of the file",
        "batches, MB/s in memory",
        "end to end, MB/s of the file",
        "batches / end to end",
    )
    print_table(head, rows)


def read_batches(path: Path, seed: int) -> float:
    """Return the seconds of an epoch in random order, as training reads it."""
    X = Records(open_records(path))  # without the check of all, which comes once a fit
    n = len(X)
    training_set = TrainingSet(X, np.arange(n), np.zeros(n, int), np.ones(n))
    order = np.random.default_rng(seed).permutation(n)

    def epoch() -> None:
        for start in range(0, n, BATCH_SIZE):
            training_set.__getitems__(order[start : start + BATCH_SIZE])

    return timed(epoch)


def read_through(path: Path) -> float:
    """Return the seconds that it takes to read a file from end to end."""
    buffer = bytearray(2**23)

    def through() -> None:
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass

    return timed(through)


# ----------------------------------------------------------------------------- shards


def shards(place: Path, n_records: int, turns: int, step_s: float) -> None:
    """Compare random batches from shards with those from one file."""
    make_ecg(n_records, random_state=0, out=place / "float32.npy")
    rows = []
    for dtype in ("float32", "int16"):
        file, folder = place / f"{dtype}.npy", place / f"{dtype}.zarr"
        # Opened for this call only: mapped pages stay in the cache of the system.
        if dtype == "int16":
            to_memmap(open_records(place / "float32.npy"), file, dtype=dtype)
        to_shards(open_records(place / "float32.npy"), folder, dtype=dtype)
        rows += [(dtype, "to_memmap", file), (dtype, "to_shards", folder)]
    ways = {"cache": (False, 0.0), "disk": (True, 0.0), "disk, steps": (True, step_s)}
    rates = [
        [[rate(path, k, *way) for way in ways.values()] for _, _, path in rows]
        for k in range(turns)
    ]
    told = []
    for i, (dtype, name, path) in enumerate(rows):
        size = sum(each.stat().st_size for each in [path, *path.rglob("*")]) / 1e6
        own = [spread([turn[i][k] for turn in rates], 0) for k in range(len(ways))]
        told.append((dtype, name, f"{size:.0f}", *own))
    head = (
        *(f"{n_records} records", "from", "MB"),
        *("records/s, cache", "records/s, disk"),
        f"records/s, disk, a step of {1000 * step_s:.0f} ms per batch",
    )
    print_table(head, told)


def rate(path: Path, seed: int, cold: bool, step_s: float) -> float:
    """Return records per second over batches in random order."""
    if cold:
        forget(path)
    X = Records(open_records(path))
    n = len(X)
    training_set = TrainingSet(X, np.arange(n), np.zeros(n, int), np.ones(n))
    order = np.random.default_rng(seed).permutation(n)[: 64 * BATCH_SIZE]
    batches = np.split(order, range(BATCH_SIZE, len(order), BATCH_SIZE))
    if not cold:
        for batch in batches:
            training_set.__getitems__(batch)
    start = time.perf_counter()
    for batch in batches:
        training_set.__getitems__(batch)
        time.sleep(step_s)
    return len(order) / (time.perf_counter() - start)


def forget(path: Path) -> None:
    """Take files out of the cache of the system."""
    os.sync()
    for each in [path, *path.rglob("*")]:
        if each.is_file():
            handle = os.open(each, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


# ----------------------------------------------------------------------------- memory


def memory(place: Path, size_gb: float) -> None:
    """Compare the memory of fits on two files that differ a hundredfold in size."""
    rows = []
    measured = {}
    for name, gb in (("small", size_gb / 100), ("large", size_gb)):
        path, n_records = place / f"{name}.npy", round(gb * 1e9 / RECORD_BYTES)
        for job in ("make", "fit"):
            told = alone(job, path, n_records)
            measured[name, job] = told
            rows.append(
                (
                    {"make": "make_ecg to a file", "fit": "fit from it"}[job],
                    f"{path.stat().st_size / 1e9:.2f}",
                    f"{told['before'] / 1e3:.0f}",
                    f"{told['private'] / 1e3:.0f}",
                    f"{told['resident'] / 1e3:.0f}",
                    f"{told['seconds']:.0f}",
                )
            )
        path.unlink()
    head = (
        "what",
        "file (GB)",
        "private before (MB)",
        "private at most (MB)",
        "resident at most (MB)",
        "time (s)",
    )
    print_table(head, rows)
    for job in ("make", "fit"):
        small, large = measured["small", job], measured["large", job]
        for kind in ("private", "resident"):
            print(f"{job}: {kind} {(large[kind] - small[kind]) / 1e3:+.0f} MB")


def alone(job: str, path: Path, n_records: int) -> dict[str, float]:
    """Do a job in a process of its own; return its time and memory (kB)."""
    command = [sys.executable, "-m", "benchmarks.reading", "--job", job]
    command += ["--path", str(path), "--records", str(n_records)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def do(job: str, path: Path, n_records: int) -> None:
    """Do a job, and print what it took as JSON."""
    if job == "fit":
        X = open_records(path)
        y = np.arange(n_records) % 3
        clf = ERTSClassifier(
            module__width=2, module__blocks=(1,), max_epochs=2, verbose=0
        )
    before = status_kb()["RssAnon"]
    peaks = {"private": before}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            peaks["private"] = max(peaks["private"], status_kb()["RssAnon"])

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    if job == "make":
        make_ecg(n_records, random_state=0, out=path)
    else:
        clf.fit(X, y)
    seconds = time.perf_counter() - start
    over.set()
    watcher.join()
    peaks["resident"] = status_kb()["VmHWM"]
    print(json.dumps(peaks | {"before": before, "seconds": seconds}))


def status_kb() -> dict[str, int]:
    """Return the memory of this process: private (RssAnon), peak (VmHWM) and more."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return {
        line.split(":")[0]: int(line.split()[1]) for line in lines if line[-2:] == "kB"
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ptbxl", type=Path, help="folder of PTB-XL")
    parser.add_argument("--tables", nargs="+", default=TABLES)
    parser.add_argument("--records", type=int, default=3000, help="of PTB-XL")
    parser.add_argument("--batches-gb", type=float, default=1.0)
    parser.add_argument("--step-s", type=float, default=0.01, help="beside reading")
    parser.add_argument("--size-gb", type=float, default=4.0, help="of the large file")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--job", choices=["make", "fit"], help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        do(options.job, options.path, options.records)
        return
    if "records" in options.tables and options.ptbxl:
        records(options.ptbxl, options.records, options.turns)
    with tempfile.TemporaryDirectory() as place:
        if "batches" in options.tables:
            n_records = round(options.batches_gb * 1e9 / RECORD_BYTES)
            batches(Path(place), n_records, options.turns)
        if "shards" in options.tables:
            n_records = round(options.batches_gb * 1e9 / RECORD_BYTES)
            shards(Path(place), n_records, options.turns, options.step_s)
        if "memory" in options.tables:
            memory(Path(place), options.size_gb)


if __name__ == "__main__":
    main()
