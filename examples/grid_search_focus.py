"""Which of the hard records should be put aside, and how many?

By the reliability of their label, or by the focus of their Grad-CAM map, as in the
paper? Measure and share are parameters like any other: a grid search tries several.
"""

from sklearn.model_selection import GridSearchCV

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg
from sk_erts.models import ResNet1d

X, y = make_ecg(
    240,
    n_leads=2,
    duration_s=4,
    classes=("NORM", "BBB", "PVC"),
    noise=0.2,
    label_noise=0.1,
    random_state=0,
)
clf = ERTSClassifier(
    module=ResNet1d,
    module__width=8,
    module__blocks=(1, 1),
    max_epochs=15,
    batch_size=8,  # few records: more steps, before anything is doubted
    lr=3e-3,
    random_state=0,
)
search = GridSearchCV(
    clf,
    {"focus": ["support", "top_mass"], "focus_threshold": [0.2, 0.5]},
    scoring="f1_macro",
    cv=2,
    n_jobs=2,
).fit(X, y)

results = search.cv_results_
for params, score in zip(results["params"], results["mean_test_score"], strict=True):
    print(f"{params}: macro-F1 {score:.2f}")
print(f"best: {search.best_params_}")
# Differences within the spread between folds are no differences.
print(f"spread between folds: {results['std_test_score'].max():.2f}")
