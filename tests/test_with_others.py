"""Other tools get what they ask for: loggers, Optuna, scikit-learn's routing."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import sklearn
import torch
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import (
    Callback,
    MlflowLogger,
    TensorBoard,
    WandbLogger,
)

from sk_erts import DeepEnsemble, ERTSClassifier
from sk_erts.preprocessing import BandPass
from tests.conftest import bumps

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "in_notebooks.md").read_text(encoding="utf-8")
FIGURES = {"EE", "candidates", "dur", "kept", "scoring_passes", "train_loss"}
IN_VALIDATION = {"valid_f1", "valid_loss"}


class SummaryWriter:
    """Take scalars as the one of TensorBoard does, which cannot be copied either."""

    made: list = []  # noqa: RUF012 - asked by the test of the page

    def __init__(self, folder=None):
        self.folder, self.scalars, self.closed = folder, [], False
        self.made.append(self)

    def add_scalar(self, tag, scalar_value, global_step):
        assert not self.closed
        self.scalars.append((tag, float(scalar_value), global_step))

    def close(self):
        self.closed = True

    def __deepcopy__(self, memo):
        raise TypeError("cannot pickle '_thread.lock' object")

    def of(self, tag):
        return {step: value for name, value, step in self.scalars if name == tag}


class MlflowClient:
    """Take metrics and files as the one of MLflow does."""

    def __init__(self, breaks_at=None):
        self.metrics, self.files, self.ended = [], {}, []
        self.breaks_at = breaks_at
        self.key = KEY

    def log_metric(self, run_id, key, value, step):
        assert run_id == "run 7"
        if step == self.breaks_at:
            raise ConnectionError("MLflow is gone")
        self.metrics.append((key, float(value), step))

    def log_artifact(self, run_id, path):
        self.files[Path(path).name] = Path(path).read_bytes()

    def set_terminated(self, run_id):
        self.ended.append(run_id)


class WandbRun:
    """Take rows as a run of Weights & Biases does."""

    def __init__(self, folder):
        self.dir, self.rows, self.watched = str(folder), [], []

    def watch(self, module):
        self.watched.append(module)

    def log(self, row):
        self.rows.append(row)


KEY = "k3y-0f-an-acc0unt"
RUN = SimpleNamespace(info=SimpleNamespace(run_id="run 7"))


@pytest.fixture(scope="module")
def data():
    X, codes, _ = bumps(90)
    return X, np.array(["AFIB", "NORM", "PVC"])[codes]


@pytest.fixture
def params(small):
    return small | {"max_epochs": 3, "validation_fraction": 0.2, "batch_size": 16}


def by_epoch(clf, name):
    return dict(enumerate(clf.history_[:, name], start=1))


class TestLoggers:
    def test_tensorboard_gets_the_history(self, data, params):
        writer = SummaryWriter()
        clf = ERTSClassifier(**params, callbacks=[TensorBoard(writer)]).fit(*data)
        for name in ("EE", "kept", "candidates", "scoring_passes"):
            assert writer.of(name) == by_epoch(clf, name)
        assert writer.of("Loss/valid_f1") == by_epoch(clf, "valid_f1")
        assert writer.of("EE")[3] == pytest.approx(clf.effective_epochs_)
        assert writer.closed

    def test_mlflow_gets_history_and_files(self, data, params, tmp_path):
        client = MlflowClient()
        logger = MlflowLogger(RUN, client)
        clf = ERTSClassifier(**params, callbacks=[("log", logger)]).fit(*data)
        assert {key for key, _, _ in client.metrics} == FIGURES | IN_VALIDATION
        spent = {step: value for key, value, step in client.metrics if key == "EE"}
        assert spent == by_epoch(clf, "EE")
        assert client.ended == ["run 7"]
        (tmp_path / "params.pth").write_bytes(client.files["params.pth"])
        weights = torch.load(tmp_path / "params.pth", weights_only=True)
        for name, value in clf.net_.module_.state_dict().items():
            assert torch.equal(weights[name], value)

    def test_wandb_gets_rows_and_the_best_network(self, data, params, tmp_path):
        run = WandbRun(tmp_path)
        clf = ERTSClassifier(**params, callbacks=[WandbLogger(run)]).fit(*data)
        assert [row["EE"] for row in run.rows] == clf.history_[:, "EE"]
        assert run.rows[0].keys() == FIGURES | IN_VALIDATION
        assert run.watched == [clf.net_.module_]
        assert (tmp_path / "best_model.pth").stat().st_size > 1000

    @pytest.mark.parametrize("named", [False, True])
    def test_a_training_goes_on_in_another_run(self, data, params, named, tmp_path):
        """What is written down holds neither connections nor keys of accounts."""
        alone = ERTSClassifier(**params).fit(*data)
        folder = tmp_path / "training"
        clients = [MlflowClient(breaks_at=3), MlflowClient()]
        fits = []
        for client in clients:
            loggers = [MlflowLogger(RUN, client), WandbLogger(WandbRun(tmp_path))]
            if named:
                loggers = [(f"log {i}", own) for i, own in enumerate(loggers)]
            fits.append(ERTSClassifier(**params, callbacks=loggers))
        with pytest.raises(ConnectionError, match="MLflow is gone"):
            fits[0].fit(*data, checkpoint=folder)
        fits[1].fit(*data, checkpoint=folder, resume=True)
        for path in folder.iterdir():
            assert KEY.encode() not in path.read_bytes()
        X = data[0]
        np.testing.assert_array_equal(fits[1].predict_proba(X), alone.predict_proba(X))
        steps = [[s for key, _, s in own.metrics if key == "EE"] for own in clients]
        assert steps == [[1, 2], [3]]

    def test_each_fit_begins_with_a_fresh_callback(self, data, params):
        class Counts(Callback):
            n_epochs = 0

            def __init__(self, told):
                self.told = told

            def on_epoch_end(self, net, **kwargs):
                self.n_epochs += 1
                self.told.append(self.n_epochs)

        for named in (False, True):
            told = []
            counts = Counts(told)
            callbacks = [("counts", counts) if named else counts]
            clf = ERTSClassifier(**params, callbacks=callbacks)
            clf.fit(*data).fit(*data)
            assert told == [1, 2, 3, 1, 2, 3]
            assert counts.n_epochs == 0


def test_the_page_does_what_it_shows(monkeypatch, tmp_path):
    """Its blocks run one after the other, with stand-ins for what is not installed."""
    monkeypatch.chdir(tmp_path)
    client, run = MlflowClient(), WandbRun(tmp_path)

    class started:
        __enter__ = __exit__ = lambda self, *exception: None

    mlflow = ModuleType("mlflow")
    mlflow.active_run, mlflow.start_run = lambda: RUN, started
    tracking = ModuleType("mlflow.tracking")
    tracking.MlflowClient = lambda: client
    wandb = ModuleType("wandb")
    wandb.init = lambda project: run
    boards = ModuleType("torch.utils.tensorboard")
    boards.SummaryWriter = SummaryWriter
    monkeypatch.setattr(SummaryWriter, "made", [])
    for module in (mlflow, tracking, wandb, boards):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    seen = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, seen)
    assert seen["table"].shape == (40, 7)
    assert len(seen["search"].cv_results_["params"]) == 2
    first, *of_search = SummaryWriter.made
    assert first.folder == "runs/first"
    assert first.of("valid_f1").keys() == {1, 2}
    assert len(client.metrics) == 2 * 8
    assert len(run.rows) == 2
    # Two settings, two folds, and the best on all records.
    assert len({board.folder for board in of_search}) == len(of_search) == 5
    assert all(board.closed and board.of("EE") for board in SummaryWriter.made)


class Seen(ERTSClassifier):
    """Write down what reaches `fit`."""

    fits: list = []  # noqa: RUF012 - of all clones

    def fit(
        self,
        X,
        y=None,
        sample_weight=None,
        groups=None,
        *,
        checkpoint=None,
        resume=False,
        process_group=None,
    ):
        self.fits.append((X[:, 0], sample_weight, groups))
        given = {"checkpoint": checkpoint, "resume": resume}
        return super().fit(X, y, sample_weight, groups, **given)


class TestRouting:
    @pytest.fixture(autouse=True)
    def routing(self, monkeypatch):
        monkeypatch.setattr(Seen, "fits", [])
        with sklearn.config_context(enable_metadata_routing=True):
            yield

    @pytest.fixture
    def given(self):
        rng = np.random.default_rng(0)
        return {
            "sample_weight": rng.uniform(0.5, 1, size=90),
            "groups": np.arange(90) // 3,
        }

    def check(self, data, given, n_fits):
        """Each record comes with its own weight and group."""
        rows = {row.tobytes(): i for i, row in enumerate(data[0][:, 0])}
        assert len(Seen.fits) == n_fits
        for records, weight, groups in Seen.fits:
            index = [rows[row.tobytes()] for row in records]
            np.testing.assert_array_equal(weight, given["sample_weight"][index])
            np.testing.assert_array_equal(groups, given["groups"][index])

    def wanting(self, params):
        clf = Seen(**params | {"max_epochs": 1})
        clf.set_fit_request(sample_weight=True, groups=True)
        return clf.set_score_request(sample_weight=True)

    def test_a_grid_search(self, data, params, given):
        search = GridSearchCV(
            self.wanting(params), {"focus_threshold": [0.2, 0.5]}, cv=GroupKFold(2)
        )
        search.fit(*data, **given)
        self.check(data, given, 5)
        assert np.isfinite(search.best_score_)

    def test_a_cross_validation(self, data, params, given):
        clf = self.wanting(params)
        cross_validate(clf, *data, cv=GroupKFold(3), params=given)
        self.check(data, given, 3)

    def test_a_pipeline_and_a_search_of_it(self, data, params, given):
        pipeline = make_pipeline(FunctionTransformer(), self.wanting(params))
        pipeline.fit(*data, **given)
        self.check(data, given, 1)
        values = {"seen__focus_threshold": [0.2]}
        search = GridSearchCV(pipeline, values, cv=GroupKFold(2), refit=False)
        search.fit(*data, **given)
        self.check(data, given, 3)

    def test_an_ensemble(self, data, params, given):
        ensemble = DeepEnsemble(Seen(**params | {"max_epochs": 1}), n_ensemble=2)
        ensemble.set_fit_request(sample_weight=True, groups=True)
        ensemble.set_score_request(sample_weight=False)
        cross_validate(ensemble, *data, cv=GroupKFold(2), params=given)
        self.check(data, given, 4)

    def test_what_was_not_requested_is_refused(self, data, params, given):
        search = GridSearchCV(Seen(**params), {"focus_threshold": [0.2]}, cv=2)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            search.fit(*data, sample_weight=given["sample_weight"])
        with pytest.raises(UnsetMetadataPassedError, match="checkpoint"):
            search.fit(*data, checkpoint="folder")
        assert Seen.fits == []

    def test_a_pipeline_writes_its_training_down(self, data, params, tmp_path):
        clf = ERTSClassifier(**params).set_fit_request(checkpoint=True)
        folder = tmp_path / "training"
        make_pipeline(BandPass(100), clf).fit(*data, checkpoint=folder)
        assert (folder / "last.safetensors").is_file()

    def test_trainings_of_a_search_share_no_checkpoint(self, data, params, tmp_path):
        clf = ERTSClassifier(**params | {"max_epochs": 1})
        clf.set_fit_request(checkpoint=True)
        search = GridSearchCV(
            clf, {"focus_threshold": [0.2, 0.5]}, cv=2, error_score="raise"
        )
        with pytest.raises(ValueError, match="holds a training already"):
            search.fit(*data, checkpoint=tmp_path / "training")


def pruning_after(n_epochs, error):
    class Prune(Callback):
        monitor = "valid_f1"

        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == n_epochs:
                raise error

    return Prune()


class TestPruning:
    def test_an_error_of_a_callback_leaves_all_as_it_was(self, data, params):
        """What `optuna.TrialPruned` is: an error, raised between two epochs."""
        clf = ERTSClassifier(**params).fit(*data)
        before, history = clf.predict_proba(data[0]), clf.history_
        state, handler = torch.get_rng_state(), signal.getsignal(signal.SIGINT)
        error = RuntimeError("pruned")
        clf.set_params(callbacks=[pruning_after(2, error)])
        with pytest.raises(RuntimeError) as raised:
            clf.fit(*data)
        assert raised.value is error
        assert torch.equal(torch.get_rng_state(), state)
        assert signal.getsignal(signal.SIGINT) is handler
        assert clf.history_ is history
        np.testing.assert_array_equal(clf.predict_proba(data[0]), before)
        clf.set_params(callbacks=None).fit(*data)
        np.testing.assert_array_equal(clf.predict_proba(data[0]), before)

    def test_optuna_ends_what_lags_behind(self, data, params):
        optuna = pytest.importorskip("optuna")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        namespace = example("optuna_search.py")
        study = optuna.create_study(
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=0),
        )
        clf = ERTSClassifier(**params | {"max_epochs": 6})

        def objective(trial):
            rate = trial.suggest_float("lr", 1e-9, 1)
            clf.set_params(lr=rate, callbacks=[namespace["Prune"](trial)])
            clf.fit(*data)
            trial.set_user_attr("EE", clf.effective_epochs_)
            return clf.history_[-1]["valid_f1"]

        study.enqueue_trial({"lr": 0.01})
        study.enqueue_trial({"lr": 1e-9})
        study.optimize(objective, n_trials=2)
        good, bad = study.trials
        spent = int(good.user_attrs["EE"] + 1e-9)
        assert list(good.intermediate_values) == list(range(1, spent + 1))
        assert good.state is optuna.trial.TrialState.COMPLETE
        assert bad.state is optuna.trial.TrialState.PRUNED
        lagged = bad.last_step
        assert lagged < spent
        assert bad.intermediate_values[lagged] < good.intermediate_values[lagged]

    @pytest.mark.slow
    def test_the_example_spends_less_on_what_is_bad(self, tmp_path):
        pytest.importorskip("optuna")
        path = os.pathsep.join(entry for entry in sys.path if entry)
        told = subprocess.run(
            [sys.executable, "-W", "error", str(ROOT / "examples/optuna_search.py")],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
        ).stdout
        pattern = r"(complete|pruned) +([\d.]+) effective"
        spent = {"complete": [], "pruned": []}
        for how, much in re.findall(pattern, told):
            spent[how].append(float(much))
        assert sum(map(len, spent.values())) == 6
        assert max(spent["pruned"]) < 0.5 * min(spent["complete"])
        assert float(re.search(r"new records: ([\d.]+)", told)[1]) > 0.6
        assert list(tmp_path.iterdir()) == []


def example(name):
    """Return what an example defines before it does anything."""
    source = (ROOT / "examples" / name).read_text(encoding="utf-8")
    namespace = {}
    exec(source.split("\nkinds = ")[0], namespace)
    return namespace
