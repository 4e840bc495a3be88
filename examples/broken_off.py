"""Can a training be broken off and go on in another process, to the same end?

A run knows all that a training is. This script trains three epochs, writes the run's
state to a file, and lets another process finish; then it compares with a training that
nobody broke off.
"""

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from sk_erts import ERTSClassifier
from sk_erts._records.divide import divide
from sk_erts._records.records import as_records
from sk_erts._records.task import make_task
from sk_erts._training.plan import make_plan
from sk_erts._training.run import Run
from sk_erts.datasets import make_ecg

torch.set_num_threads(1)  # several threads round in another order each time


def new_run():
    """Return the training of a classifier, before its first epoch."""
    classes = ("NORM", "BBB")
    X, y = make_ecg(120, n_leads=2, duration_s=3, classes=classes, random_state=0)
    clf = ERTSClassifier(module__width=8, max_epochs=8, lr=0.003, random_state=0)
    task = make_task(y)
    return Run(make_plan(clf), divide(as_records(X, clf), task.encode(y), task))


def finish(path):
    """Go on from a file, and write what came of it beside."""
    run = new_run()
    run.load(pickle.loads(path.read_bytes()))
    run.train()
    path.with_suffix(".end").write_bytes(pickle.dumps(run.state()))


if __name__ == "__main__" and len(sys.argv) > 1:
    finish(Path(sys.argv[1]))
elif __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.state"
        run = new_run()
        run.train(until=3)
        path.write_bytes(pickle.dumps(run.state()))
        subprocess.run([sys.executable, __file__, str(path)], check=True)
        end = pickle.loads(path.with_suffix(".end").read_bytes())
    run = new_run()
    run.train()
    whole = run.state()
    weights, expected = end["net"]["module"], whole["net"]["module"]
    same = all(torch.equal(weights[name], expected[name]) for name in expected)
    print(f"equal weights: {same}")
    print(f"epochs: {len(end['net']['history'])} of {run.plan.epochs}")
