"""Can several machines share a grid search?

On a Dask cluster each worker trains with one setting at a time. Here the workers are
two processes of this machine; with the address of a scheduler in place of the cluster
they are all machines that have joined it. The records lie in a file that each worker
opens itself, so that little more than its path is sent. Needs the extra `dask`.
"""

import tempfile
from pathlib import Path

import joblib
from distributed import Client, LocalCluster
from sklearn.model_selection import GridSearchCV

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg, to_memmap
from sk_erts.models import ResNet1d


def main(folder):
    """Search with what is written to a folder that all workers can read."""
    X, y = make_ecg(
        80, n_leads=2, duration_s=4, noise=0.2, label_noise=0.1, random_state=0
    )
    X = to_memmap(X, folder / "ecg.npy", dtype="int16")
    clf = ERTSClassifier(
        module=ResNet1d,
        module__width=8,
        module__blocks=(1, 1),
        max_epochs=8,
        batch_size=8,
        lr=3e-3,
        random_state=0,
        verbose=0,
    )
    search = GridSearchCV(
        clf, {"focus_threshold": [0.2, 0.5]}, scoring="f1_macro", cv=2, n_jobs=-1
    )
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster),
        joblib.parallel_config("dask", scatter=[X, y]),
    ):
        search.fit(X, y)
    results = search.cv_results_
    scores = zip(results["params"], results["mean_test_score"], strict=True)
    for params, score in scores:
        print(f"{params}: macro-F1 {score:.2f}")
    print(f"best: {search.best_params_}")


if __name__ == "__main__":  # workers import this file, and must not search again
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
