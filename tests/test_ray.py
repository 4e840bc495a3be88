"""A search on Ray's workers ends as it does without them.

In a process of its own, since Ray starts servers and warns of them:
``python -m tests.test_ray <file>`` writes the scores.
"""

import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV

from sk_erts import ERTSClassifier
from tests.conftest import bumps

pytestmark = pytest.mark.cluster


def where(estimator, X, y):
    """Return which process asks, as if it were a score."""
    return os.getpid()


def searched(n_jobs):
    X, y, _ = bumps(90)
    clf = ERTSClassifier(
        module__width=4,
        module__blocks=(1, 1),
        max_epochs=4,
        batch_size=16,
        random_state=0,
        verbose=0,
    )
    found = GridSearchCV(
        clf,
        {"focus_threshold": [0.05, 0.9]},
        scoring={"loss": "neg_log_loss", "process": where},
        refit=False,
        cv=2,
        n_jobs=n_jobs,
    ).fit(X, y)
    return {
        name: [found.cv_results_[f"split{i}_test_{name}"] for i in range(2)]
        for name in ("loss", "process")
    }


def test_a_search_on_ray_has_the_same_scores(tmp_path):
    pytest.importorskip("ray")
    subprocess.run(
        [sys.executable, "-m", "tests.test_ray", str(tmp_path / "scores.npz")],
        check=True,
        cwd=Path(__file__).parents[1],
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = searched(None)
    finally:
        torch.set_num_threads(threads)
    with np.load(tmp_path / "scores.npz") as ray:
        np.testing.assert_array_equal(ray["loss"], alone["loss"])
        assert ray["asked_by"] not in ray["process"]


def main():
    import ray
    from ray.util.joblib import register_ray

    torch.set_num_threads(1)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    register_ray()
    with joblib.parallel_config("ray"):
        np.savez(sys.argv[1], **searched(2), asked_by=os.getpid())
    ray.shutdown()


if __name__ == "__main__":
    main()
