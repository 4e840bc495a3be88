"""How do several processes train one network?

Each takes its share of every batch, and all end with the same classifier. By itself
this is one process; for two, or on several machines, see torchrun:

    torchrun --nproc-per-node 2 examples/several_processes.py
"""

import os

from torch import distributed

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg

group = None
if "WORLD_SIZE" in os.environ:  # set by torchrun
    distributed.init_process_group("gloo")  # "nccl" for GPUs
    group = distributed.group.WORLD

# All processes are given all records; of a file they read what they train on.
X, y = make_ecg(300, n_leads=2, duration_s=4, random_state=0)
clf = ERTSClassifier(module__width=8, max_epochs=10, batch_size=16, random_state=0)
clf.fit(X, y, process_group=group)

if group is None or distributed.get_rank() == 0:
    kept = ", ".join(map(str, clf.kept_counts_))
    print(f"records trained, by epoch: {kept}")
    print(f"effective epochs: {clf.effective_epochs_:.2f}")
if group is not None:
    distributed.destroy_process_group()
