"""Does a training that was killed in another process end as if nothing had happened?

With ``checkpoint=`` and ``resume=True`` the same line is enough, however often it is
run. Here another process trains, and is killed in its fourth epoch, as a power cut
would; this one goes on, and compares with a training that nobody broke off.
"""

import os
import signal
import subprocess
import sys
import tempfile

import numpy as np
import torch
from skorch.callbacks import Callback

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg

torch.set_num_threads(1)  # several threads round in another order each time


class PowerCut(Callback):
    """Kill the process in the middle of the fourth epoch, if it is the first one."""

    def on_batch_end(self, net, training, **kwargs):
        if len(sys.argv) > 1 and len(net.history) == 4:
            os.kill(os.getpid(), signal.SIGKILL)


def fit(folder=None):
    """Train, or go on with what is in the folder."""
    classes = ("NORM", "BBB")
    X, y = make_ecg(120, n_leads=2, duration_s=3, classes=classes, random_state=0)
    clf = ERTSClassifier(
        module__width=8,
        max_epochs=8,
        lr=0.003,
        callbacks=[PowerCut()],
        random_state=0,
        verbose=0,
    )
    return clf.fit(X, y, checkpoint=folder, resume=folder is not None).predict_proba(X)


if __name__ == "__main__" and len(sys.argv) > 1:
    fit(sys.argv[1])
elif __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        killed = subprocess.run([sys.executable, __file__, folder], check=False)
        print(f"killed: {killed.returncode == -signal.SIGKILL}")
        proba = fit(folder)
    print(f"equal probabilities: {np.array_equal(proba, fit())}")
