"""Can a Ray cluster share a grid search?

Each worker trains with one setting at a time. Here Ray starts two workers on this
machine; `ray.init(address="auto")` takes those of a cluster. Needs the extra `ray`.
"""

import joblib
import ray
from ray.util.joblib import register_ray
from sklearn.model_selection import GridSearchCV

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg

X, y = make_ecg(80, n_leads=2, duration_s=4, noise=0.2, label_noise=0.1, random_state=0)
clf = ERTSClassifier(
    module__width=8, max_epochs=8, batch_size=8, random_state=0, verbose=0
)
search = GridSearchCV(
    clf, {"focus_threshold": [0.2, 0.5]}, scoring="f1_macro", cv=2, n_jobs=2
)
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
register_ray()
with joblib.parallel_config("ray"):
    search.fit(X, y)
ray.shutdown()

results = search.cv_results_
for params, score in zip(results["params"], results["mean_test_score"], strict=True):
    print(f"{params}: macro-F1 {score:.2f}")
print(f"best: {search.best_params_}")
