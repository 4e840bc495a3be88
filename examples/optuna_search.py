"""Which settings are worth their gradients?

Optuna tries one after the other. Each training reports its macro-F1 in validation
whenever another effective epoch is spent, and is broken off where that is below the
median of what the earlier ones had for as much. Needs `pip install optuna`.
"""

import optuna
from skorch.callbacks import Callback

from sk_erts import ERTSClassifier
from sk_erts.datasets import make_ecg


class Prune(Callback):
    """Report to a trial, and end the training if it lags behind."""

    monitor = "valid_f1"  # `fit` sets records aside for it

    def __init__(self, trial):
        self.trial = trial

    def on_epoch_end(self, net, **kwargs):
        spent = [0, *(int(row["EE"]) for row in net.history)]
        if spent[-1] > spent[-2]:  # several short epochs may make up one
            self.trial.report(net.history[-1]["valid_f1"], step=spent[-1])
            if self.trial.should_prune():
                raise optuna.TrialPruned(f"after {spent[-1]} effective epochs")


kinds = {"n_leads": 2, "duration_s": 2, "classes": ("NORM", "BBB"), "noise": 0.2}
X, y = make_ecg(100, label_noise=0.1, random_state=0, **kinds)
X_new, y_new = make_ecg(100, random_state=1, **kinds)
clf = ERTSClassifier(
    module__width=8,
    module__blocks=(1, 1),
    max_epochs=10,
    batch_size=4,
    validation_fraction=0.4,
    random_state=0,
    verbose=0,
)


def objective(trial):
    clf.set_params(
        lr=trial.suggest_float("lr", 1e-5, 1e-2, log=True),
        confidence_threshold=trial.suggest_float("confidence_threshold", 0.5, 0.9),
        focus_threshold=trial.suggest_float("focus_threshold", 0.1, 0.9),
        callbacks=[Prune(trial)],
    )
    clf.fit(X, y)
    trial.set_user_attr("EE", clf.effective_epochs_)
    return clf.history_[-1]["valid_f1"]


optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(
    direction="maximize",
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=2),
)
study.optimize(objective, n_trials=6)

for trial in study.trials:
    spent = trial.user_attrs.get("EE", trial.last_step)
    print(
        f"{trial.number}: {trial.state.name.lower():8}  {spent:4.1f} effective epochs, "
        f"macro-F1 {trial.value:.2f}  lr {trial.params['lr']:.1e}"
    )
best = {name: round(value, 5) for name, value in study.best_params.items()}
clf.set_params(callbacks=None, **study.best_params).fit(X, y)
print(f"best: {best}\naccuracy on new records: {clf.score(X_new, y_new):.2f}")
