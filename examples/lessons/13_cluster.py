"""
Can several processes, or machines, share a search?
===================================================

A grid search is many trainings that know nothing of each other. joblib hands them to
processes of this machine, and with a Dask cluster to other machines. Does that change
the result, and what has to travel?
"""

# %%
# Records that travel as a path
# -----------------------------
# Each process needs the records. An array is sent whole; a file of 16 bits, which all
# processes can read, is sent as its path and a few bytes for each record.

import os
import pickle
import tempfile
from importlib.util import find_spec
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from sk_erts import DeepEnsemble, ERTSClassifier
from sk_erts.datasets import make_ecg, to_memmap

kind = {"n_leads": 2, "duration_s": 3, "classes": ("NORM", "BBB")}
X, y = make_ecg(96, **kind, label_noise=0.1, random_state=0)
place = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
packed = to_memmap(X, Path(place.name, "ecg.npy"), dtype="int16")

sizes = np.arange(8, len(X) + 1, 8)
fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for name, records in {"array": X, "file of 16 bits": packed}.items():
    ax.plot(sizes, [len(pickle.dumps(records[:n])) for n in sizes], label=name)
ax.set(xlabel="records", ylabel="bytes to send", yscale="log")
ax.legend()
plt.show()

# %%
# The search
# ----------
# Two settings on two folds are four trainings. Beside its score, each tells in which
# process it ran.


def in_process(estimator, X, y):
    """Return the number of the process, as if it were a score."""
    return os.getpid()


clf = ERTSClassifier(
    module__width=4,
    module__blocks=(1,),
    looks__first_step=0,  # few records: choose among them from the fifth epoch on
    max_epochs=8,
    batch_size=8,
    lr=3e-3,
    verbose=0,
    random_state=0,
)
thresholds = [0.2, 0.5]


def search(n_jobs):
    """Return what a search over two settings found, by setting and fold."""
    tried = GridSearchCV(
        clf,
        {"focus_threshold": thresholds},
        scoring={"loss": "neg_log_loss", "process": in_process},
        refit=False,
        cv=2,
        n_jobs=n_jobs,
    )
    results = tried.fit(packed, y).cv_results_
    return {
        name: np.array([results[f"split{fold}_test_{name}"] for fold in (0, 1)]).T
        for name in ("loss", "process")
    }


# %%
# In this process, with one thread: sums are rounded otherwise on several, and each of
# the processes below has one.

with threadpool_limits(1):
    alone = search(n_jobs=1)

# %%
# In other processes
# ------------------
# If Dask is installed (``pip install "sk-erts[dask]"``), a scheduler and two workers
# are started on this machine. In their place ``Client("tcp://first-machine:8786")``
# joins a cluster of other machines; give the file an absolute path then, in a folder
# that all of them have. Without Dask joblib's own processes do the same, on this
# machine only.

if find_spec("distributed"):
    from distributed import Client
    from distributed.deploy import SubprocessCluster

    with (
        SubprocessCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster),
        joblib.parallel_config("dask", scatter=[packed, y]),
    ):
        shared = search(n_jobs=2)
else:
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        shared = search(n_jobs=2)

# %%
# On recordings of patients
# -------------------------
# Write the records to a file once; each worker opens it.
#
# .. code-block:: python
#
#     from sk_erts.datasets import load_ptbxl, to_memmap
#
#     X, y = load_ptbxl("ptbxl", folds=[1, 2], single_label=True, return_X_y=True)
#     X = to_memmap(X, "ptbxl.npy", dtype="int16", overwrite=True)

# %%
# Answer
# ------
# Yes, and the result is the same to the last bit: each training has its seed, and knows
# nothing of where it runs. What travels is little more than the path of the records.

elsewhere = (shared["process"] != os.getpid()).all()
print(f"trainings in other processes: {elsewhere}")
print(f"equal scores, bit for bit: {np.array_equal(shared['loss'], alone['loss'])}")
sent = {
    name: len(pickle.dumps(records))
    for name, records in {"array": X, "file": packed}.items()
}
print(f"the array is {sent['array'] / sent['file']:.0f} times as much to send")

# %%
# Exercise 1
# ----------
# The scores are log losses, with a minus sign, so that the greater one is better. Which
# of the two settings is better on average, and do both folds agree?

# Answer
best = alone["loss"].mean(axis=1).argmax()
agree = (alone["loss"].argmax(axis=0) == best).all()
print(f"focus_threshold={thresholds[best]} is better; both folds agree: {agree}")

# %%
# Exercise 2
# ----------
# A ``DeepEnsemble`` shares its trainings in the same way, by ``n_jobs``. Are the
# probabilities of an ensemble of two the same for one process and for two?

# Answer
proba = []
for n_jobs in (1, 2):
    ensemble = DeepEnsemble(clf, n_ensemble=2, n_jobs=n_jobs, random_state=0)
    proba.append(ensemble.fit(packed, y).predict_proba(packed))
print(f"equal probabilities: {np.array_equal(*proba)}")
place.cleanup()
