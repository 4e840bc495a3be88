"""The estimator as scikit-learn's users meet it."""

import io
import os
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import f1_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupShuffleSplit,
    KFold,
    PredefinedSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts._records.records import as_records
from sk_erts._training.plan import make_plan
from sk_erts.models import ResNet1d
from sk_erts.selection import DBPD, SRD, FocusFilter, KeepAll, Rehearsal, Status
from tests.conftest import bumps


@pytest.fixture(scope="module")
def fitted(records, small):
    return ERTSClassifier(**small | {"max_epochs": 30, "warmup_epochs": (10, 1)}).fit(
        *records
    )


class TestLearning:
    def test_learns_what_is_plain_to_see(self, fitted):
        X, codes, _ = bumps(90, seed=1)
        y = np.array(["AFIB", "NORM", "PVC"])[codes]
        assert fitted.score(X, y) > 0.9

    def test_probabilities_are_in_the_order_of_classes(self, fitted, records):
        X, _ = records
        proba = fitted.predict_proba(X)
        assert fitted.classes_.tolist() == ["AFIB", "NORM", "PVC"]
        np.testing.assert_array_equal(
            fitted.classes_[proba.argmax(axis=1)], fitted.predict(X)
        )
        np.testing.assert_allclose(proba.sum(axis=1), 1)

    def test_two_dimensions_are_one_lead(self, small, records):
        X, y = records
        flat = ERTSClassifier(**small).fit(X[:, 0], y)
        deep = ERTSClassifier(**small).fit(X[:, :1], y)
        assert (flat.n_leads_in_, flat.n_times_in_, flat.n_features_in_) == (1, 64, 64)
        np.testing.assert_array_equal(
            flat.predict_proba(X[:, 0]), deep.predict_proba(X[:, 0])
        )

    def test_knows_the_shape_of_its_records(self, fitted):
        assert (fitted.n_leads_in_, fitted.n_times_in_) == (2, 64)
        assert fitted.n_features_in_ == 128


class TestInputs:
    def same(self, small, records, X, y=None):
        expected = ERTSClassifier(**small).fit(*records)
        got = ERTSClassifier(**small).fit(X, records[1] if y is None else y)
        np.testing.assert_array_equal(
            got.predict_proba(records[0]), expected.predict_proba(X)
        )

    def test_float64(self, small, records):
        self.same(small, records, records[0].astype(np.float64))

    def test_lists(self, small, records):
        self.same(small, records, records[0].tolist(), records[1].tolist())

    def test_tensor(self, small, records):
        self.same(small, records, torch.from_numpy(records[0]))

    def test_read_only_memory_map(self, small, records, tmp_path):
        np.save(tmp_path / "X.npy", records[0])
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
        self.same(small, records, X)

    @pytest.mark.parametrize("dtype", ["f4", "f8", "i2", ">f4"])
    def test_a_memory_map_is_never_copied_whole(self, tmp_path, dtype):
        np.save(tmp_path / "X.npy", np.zeros((4, 2, 10), dtype))
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
        records = as_records(X, ERTSClassifier())
        assert np.shares_memory(records.source, X)
        assert records.take(np.array([3, 1])).dtype == np.float32

    def test_dataset_of_pairs_brings_its_labels(self, small, records):
        X, y = records
        codes = torch.from_numpy(np.unique(y, return_inverse=True)[1])
        pairs = torch.utils.data.TensorDataset(torch.from_numpy(X), codes)
        clf = ERTSClassifier(**small).fit(pairs)
        expected = ERTSClassifier(**small).fit(X, y)
        np.testing.assert_array_equal(
            clf.predict_proba(pairs), expected.predict_proba(X)
        )

    def test_lazy_collection_is_read_by_index(self, small, records):
        class Folder:
            def __len__(self):
                return len(records[0])

            def __getitem__(self, i):
                assert isinstance(i, int)
                return records[0][i]

        self.same(small, records, Folder())
        clf = ERTSClassifier(**small).fit(*records)
        np.testing.assert_array_equal(clf.explain(Folder()), clf.explain(records[0]))

    def test_data_frame_keeps_its_names(self, small, records):
        X = pd.DataFrame(records[0][:, 0], columns=[f"t{i}" for i in range(64)])
        clf = ERTSClassifier(**small).fit(X, pd.Series(records[1]))
        assert clf.feature_names_in_.tolist() == X.columns.tolist()
        with pytest.raises(ValueError, match="feature names"):
            clf.predict(X[X.columns[::-1]])

    @pytest.mark.parametrize("kind", [bool, int, float, str])
    def test_labels_of_any_kind(self, small, records, kind):
        X, y = records
        labels = (y == "PVC").astype(kind)
        predicted = ERTSClassifier(**small).fit(X, labels).predict(X)
        assert predicted.dtype == labels.dtype
        assert set(predicted) <= set(labels)


class TestInsideScikitLearn:
    def test_pipeline(self, small, records):
        X, y = records
        scale = FunctionTransformer(lambda X: 1000 * X)
        pipeline = make_pipeline(scale, ERTSClassifier(**small)).fit(X / 1000, y)
        assert pipeline.predict(X / 1000).shape == (len(X),)

    def test_clone_copies_every_parameter_and_nothing_fitted(self, fitted):
        twin = clone(fitted)
        assert twin.get_params() == fitted.get_params()
        assert twin.get_params()["module__width"] == 8
        assert not hasattr(twin, "net_")

    def test_cross_val_score(self, small, records):
        clf = ERTSClassifier(**small | {"max_epochs": 30, "warmup_epochs": (10, 1)})
        scores = cross_val_score(clf, *records, cv=3)
        assert scores.shape == (3,)
        assert scores.min() > 0.5

    def test_folds_of_one_class(self, small, records):
        y = np.sort(records[1] == "PVC")
        with pytest.warns(FitFailedWarning, match="two classes or more. Got one"):
            scores = cross_val_score(
                ERTSClassifier(**small), records[0], y, cv=KFold(3)
            )
        assert np.isfinite(scores).tolist() == [True, True, False]

    def test_grid_search_over_everything_in_two_processes(self, small, records):
        grid = {
            "focus_threshold": [0.1, 0.5],
            "confidence_threshold": [0.5],
            "module__width": [4, 8],
            "optimizer__weight_decay": [0.1],
        }
        clf = ERTSClassifier(**small | {"max_epochs": 3})
        search = GridSearchCV(clf, grid, n_jobs=2, cv=2, error_score="raise")
        search.fit(*records)
        best = search.best_estimator_
        assert best.get_params()["optimizer__weight_decay"] == 0.1
        assert best.net_.optimizer_.param_groups[0]["weight_decay"] == 0.1
        n_channels = best.net_.module_.features[0].out_channels
        assert n_channels == search.best_params_["module__width"]
        assert len(search.cv_results_["params"]) == 4

    def test_policy_parameters_are_searched(self, small, records):
        clf = ERTSClassifier(selection=FocusFilter(DBPD(0.5)), **small)
        clf.set_params(selection__policy__threshold=0.7, selection__threshold=0.4)
        assert clf.selection.policy.threshold == 0.7
        assert clf.selection.threshold == 0.4

    @pytest.mark.parametrize("dump", [pickle.dump, joblib.dump])
    def test_round_trip(self, fitted, records, dump):
        file = io.BytesIO()
        dump(fitted, file)
        file.seek(0)
        loaded = (pickle if dump is pickle.dump else joblib).load(file)
        np.testing.assert_array_equal(
            loaded.predict_proba(records[0]), fitted.predict_proba(records[0])
        )
        np.testing.assert_array_equal(
            loaded.explain(records[0]), fitted.explain(records[0])
        )

    def test_a_fitted_estimator_holds_no_training_data(self, small):
        X, y, _ = bumps(40, n_leads=1, n_times=50_000)
        params = small | {"max_epochs": 2, "early_stopping": "best"}
        clf = ERTSClassifier(**params).fit(X, y)
        assert len(pickle.dumps(clf)) < X.nbytes / 10

    def test_repr_shows_what_was_changed(self):
        clf = ERTSClassifier(module__width=8, focus_threshold=0.2)
        assert repr(clf) == "ERTSClassifier(focus_threshold=0.2, module__width=8)"


class TestModule:
    def test_an_instance_is_copied(self, small, records):
        module = ResNet1d(2, 3, width=4, blocks=(1,))
        before = {k: v.clone() for k, v in module.state_dict().items()}
        params = {k: v for k, v in small.items() if "module__" not in k}
        ERTSClassifier(module, **params).fit(*records)
        assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())

    def test_a_module_is_told_only_what_it_asks_for(self, small, records):
        class Linear(nn.Module):
            def __init__(self, n_times, n_classes, n_hidden):
                super().__init__()
                self.conv = nn.Conv1d(2, n_hidden, 3, padding=1)
                self.out = nn.Linear(n_hidden * n_times, n_classes)

            def forward(self, x):
                return self.out(self.conv(x).flatten(1))

        params = {k: v for k, v in small.items() if "module__" not in k}
        clf = ERTSClassifier(Linear, module__n_hidden=2, **params).fit(*records)
        assert clf.net_.module_.out.in_features == 128
        assert clf.explain(records[0]).shape == (120, 64)

    def test_a_factory_works_like_a_class(self, small, records):
        def network(n_leads, n_classes, width):
            return ResNet1d(n_leads, n_classes, width, blocks=(1,))

        params = {k: v for k, v in small.items() if "module__" not in k}
        clf = ERTSClassifier(network, module__width=4, **params).fit(*records)
        assert clf.net_.module_.features[0].out_channels == 4


class TestOneRecordInABatch:
    class Normalised(nn.Module):
        """Fails in training mode on a single record with a single time step."""

        def __init__(self, n_leads, n_classes):
            super().__init__()
            self.norm = nn.BatchNorm1d(n_leads)
            self.out = nn.Linear(n_leads, n_classes)

        def forward(self, x):
            return self.out(self.norm(x.mean(dim=-1)))

    @pytest.mark.parametrize("n_samples", [2, 9])
    def test_a_last_batch_of_one_is_trained(self, n_samples):
        X, y, _ = bumps(n_samples)
        clf = ERTSClassifier(
            self.Normalised,
            data_dropout=None,
            focus=None,
            batch_size=4,
            max_epochs=2,
            cam_layer="norm",
            verbose=0,
        ).fit(X, y)
        assert clf.kept_counts_.tolist() == [n_samples] * 2
        assert np.isfinite(clf.predict_proba(X)).all()

    def test_batches_of_one_only(self):
        X, y, _ = bumps(12)
        clf = ERTSClassifier(
            self.Normalised,
            batch_size=1,
            max_epochs=4,
            warmup_epochs=1,
            focus=None,
            verbose=0,
        ).fit(X, y)
        assert clf.kept_counts_[0] == 12

    def test_a_selection_of_one_is_trained(self):
        class First(KeepAll):
            def _keep(self, scores, rng):
                return np.arange(len(scores)) == 0

        X, y, _ = bumps(8)
        clf = ERTSClassifier(
            self.Normalised,
            selection=First(),
            looks__renewal_interval="epoch",
            looks__first_step=0,
            max_epochs=3,
            warmup_epochs=1,
            revision_epochs=0,
            verbose=0,
        ).fit(X, y)
        assert clf.kept_counts_.tolist() == [8, 1, 1]


def test_a_probability_hangs_on_its_record_alone(fitted):
    """To the last bit, so that one record or a thousand say the same."""
    X, _, _ = bumps(200, seed=2)
    together = fitted.predict_proba(X)
    for n in (1, 2, 3, 7, 8, 9, 31, 129):
        np.testing.assert_array_equal(fitted.predict_proba(X[:n]), together[:n])


def test_nor_do_threads_round_it_by_the_batch():
    """Short records and several threads, where oneDNN's kernels hang on the batch."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 1, 10)), rng.integers(3, size=300)
    clf = ERTSClassifier(max_epochs=2, random_state=0, verbose=0).fit(X, y)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        together = clf.predict_proba(X)
        pieces = np.split(X, [1, 6, 23, 63, 163])
        np.testing.assert_array_equal(
            np.concatenate([clf.predict_proba(piece) for piece in pieces]), together
        )
    finally:
        torch.set_num_threads(n_threads)


class TestRandomness:
    SCRIPT = """
import sys, numpy as np
sys.path.insert(0, {root!r})
from tests.conftest import bumps
from sk_erts import ERTSClassifier
X, y, _ = bumps(60)
clf = ERTSClassifier(**{params!r}).fit(X, y)
status = clf.selection_.status
sys.stdout.buffer.write(clf.predict_proba(X).tobytes() + status.tobytes())
"""

    def outcome(self, clf, X):
        return clf.predict_proba(X).tobytes() + clf.selection_.status.tobytes()

    def test_same_seed_twice_and_in_another_process(self, small):
        X, y, _ = bumps(60)
        clf = ERTSClassifier(**small)
        first = self.outcome(clf.fit(X, y), X)
        second = self.outcome(clf.fit(X, y), X)
        root = os.path.dirname(os.path.dirname(__file__))
        script = self.SCRIPT.format(root=root, params=small)
        threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
        other = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=True,
            env=os.environ | threads,
        )
        assert first == second == other.stdout

    def test_other_seeds_give_other_networks(self, small):
        X, y, _ = bumps(60)
        outcomes = {
            self.outcome(ERTSClassifier(**small | {"random_state": s}).fit(X, y), X)
            for s in (0, 1)
        }
        assert len(outcomes) == 2

    def test_global_generators_are_left_alone(self, small, records):
        torch.manual_seed(5)
        np.random.seed(5)  # noqa: NPY002  # the global generator is what is tested
        before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
        clf = ERTSClassifier(**small).fit(*records)
        clf.explain(records[0])
        assert torch.equal(torch.get_rng_state(), before[0])
        np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


class TestValidation:
    def test_nothing_is_set_aside_unless_asked(self, fitted):
        assert (fitted.selection_.status != Status.NOT_LOOKED_AT).all()
        assert "valid_f1" not in fitted.history_[-1]

    @pytest.mark.parametrize("stop", ["best", True, 5])
    def test_a_share_is_set_aside_in_the_proportions_of_the_classes(
        self, small, records, stop
    ):
        clf = ERTSClassifier(**small, early_stopping=stop, validation_fraction=0.2)
        clf.fit(*records)
        aside = (clf.selection_.status == Status.NOT_LOOKED_AT).all(axis=0)
        labels, counts = np.unique(records[1][aside], return_counts=True)
        assert len(labels) == 3
        assert counts.tolist() == [8, 8, 8]

    def spoilt(self, small, records, stop):
        """Return a classifier whose first epoch is the best, and its macro-F1."""
        X, y = records
        fold = np.where(np.arange(120) < 90, -1, 0)

        class Spoil(Callback):
            def on_batch_begin(self, net, training, **kwargs):
                if not training and len(net.history) > 1:
                    net.module_.head.linear.weight.data.zero_()

        clf = ERTSClassifier(
            **small | {"max_epochs": 8, "warmup_epochs": 8},
            early_stopping=stop,
            validation_fraction=PredefinedSplit(fold),
            callbacks=[Spoil()],
        ).fit(X, y)
        assert clf.history_[-1, "valid_f1"] < max(clf.history_[:, "valid_f1"])
        return clf, f1_score(y[90:], clf.predict(X[90:]), average="macro")

    @pytest.mark.parametrize("stop", ["best", True, np.True_, 2])
    def test_ends_with_the_best_epoch(self, small, records, stop):
        clf, got = self.spoilt(small, records, stop)
        assert got == pytest.approx(max(clf.history_[:, "valid_f1"]))
        assert (len(clf.history_) < 8) == (stop == 2)

    @pytest.mark.parametrize("stop", [False, "learned"])
    def test_ends_with_the_last_epoch(self, small, records, stop):
        clf, got = self.spoilt(small, records, stop)
        assert got == pytest.approx(clf.history_[-1, "valid_f1"])
        assert len(clf.history_) == 8

    def test_groups_stay_on_one_side(self, small, records):
        patient = np.arange(120) // 4
        clf = ERTSClassifier(**small, early_stopping="best", validation_fraction=0.3)
        clf.fit(*records, groups=patient)
        aside = (clf.selection_.status == Status.NOT_LOOKED_AT).all(axis=0)
        assert 0 < aside.sum() < 120
        assert not set(patient[aside]) & set(patient[~aside])
        splitter = GroupShuffleSplit(1, test_size=0.3, random_state=0)
        clf = ERTSClassifier(**small, validation_fraction=splitter)
        clf.fit(*records, groups=patient)
        aside = (clf.selection_.status == Status.NOT_LOOKED_AT).all(axis=0)
        assert not set(patient[aside]) & set(patient[~aside])

    def test_early_stopping_has_patience(self, small, records):
        module = nn.Sequential(nn.Flatten(), nn.Linear(128, 3))
        params = {k: v for k, v in small.items() if "module__" not in k}
        params |= {"lr": 1e-12, "max_epochs": 20, "data_dropout": None, "focus": None}
        clf = ERTSClassifier(module, **params, early_stopping=3)
        assert len(clf.fit(*records).history_) == 4

    def test_a_callback_may_stop_the_training(self, small, records):
        class Enough(Callback):
            def on_epoch_end(self, net, **kwargs):
                if len(net.history) == 2:
                    raise KeyboardInterrupt

        clf = ERTSClassifier(**small, callbacks=[Enough()]).fit(*records)
        assert len(clf.history_) == 2


class TestGoingOn:
    def test_warm_start_continues_from_the_last_network(self, small, records):
        clf = ERTSClassifier(**small | {"lr": 1e-9}, warm_start=True).fit(*records)
        weights = clf.net_.module_.head.linear.weight.detach().clone()
        clf.set_params(random_state=1).fit(*records)
        assert len(clf.history_) == 12
        torch.testing.assert_close(clf.net_.module_.head.linear.weight, weights)

    def test_without_warm_start_fit_begins_anew(self, small, records):
        clf = ERTSClassifier(**small).fit(*records)
        assert len(clf.fit(*records).history_) == 6

    def test_partial_fit_learns_by_epochs_and_needs_classes_once(self, small, records):
        X, y = records
        clf = ERTSClassifier(**small)
        clf.partial_fit(X[:10], np.repeat("NORM", 10), classes=np.unique(y))
        clf.set_params(warmup_epochs=(12, 1))
        for _ in range(15):
            clf.partial_fit(X, y)
        assert len(clf.history_) == 16
        assert clf.score(X, y) > 0.9
        assert clf.kept_counts_.shape == (1,)

    def test_partial_fit_selects_once_it_is_warm(self, small, records):
        clf = ERTSClassifier(**small, confidence_threshold=0, easy_share=0)
        kept = [clf.partial_fit(*records).kept_counts_[0] for _ in range(3)]
        assert kept[0] == 120
        assert max(kept[1:]) < 30

    def test_partial_fit_does_not_repeat_its_order(self, small, records):
        class Order(Callback):
            def on_batch_begin(self, net, batch, training, **kwargs):
                orders.append(batch[0]["index"].tolist())

        orders = []
        params = small | {"batch_size": 120, "data_dropout": None, "focus": None}
        clf = ERTSClassifier(**params, callbacks=[Order()])
        for _ in range(2):
            clf.partial_fit(*records)
        assert orders[0] != orders[1]

    @pytest.mark.parametrize("way", ["partial_fit", "warm_start"])
    def test_schedules_and_patience_go_on(self, small, records, way):
        schedule = LRScheduler("LambdaLR", lr_lambda=lambda epoch: 0.5**epoch)
        params = small | {"max_epochs": 1, "early_stopping": True}
        clf = ERTSClassifier(**params, callbacks=[schedule], warm_start=True)
        for _ in range(3):
            (clf.partial_fit if way == "partial_fit" else clf.fit)(*records)
        rate = clf.net_.optimizer_.param_groups[0]["lr"]
        assert rate == pytest.approx(0.01 * 0.5**3)

    @pytest.mark.parametrize("weight", ["balanced", "effective", {0: 1, 1: 2, 2: 3}])
    def test_a_class_may_be_missing_where_weights_are_given(self, small, weight):
        X, y, _ = bumps(60)
        clf = ERTSClassifier(**small, class_weight=weight)
        clf.partial_fit(X[y != 2], y[y != 2], classes=[0, 1, 2])
        assert clf.fit(X[y != 2], y[y != 2]).classes_.tolist() == [0, 1]

    def test_other_classes_are_refused(self, small, records):
        X, y = records
        clf = ERTSClassifier(**small).fit(X, y)
        with pytest.raises(ValueError, match=r"labels \['LBBB'\], which were not seen"):
            clf.partial_fit(X[:2], ["NORM", "LBBB"])
        with pytest.raises(ValueError, match="must hold the classes of the first fit"):
            clf.set_params(warm_start=True).fit(X, y == "NORM")


class TestSkorchParameters:
    def test_reach_their_parts(self, small, records):
        clf = ERTSClassifier(
            **small,
            optimizer=torch.optim.SGD,
            optimizer__momentum=0.5,
            criterion__label_smoothing=0.1,
            iterator_train__num_workers=0,
            callbacks=[("schedule", LRScheduler("StepLR", step_size=1, gamma=0.5))],
            callbacks__schedule__gamma=0.1,
        ).fit(*records)
        assert clf.net_.optimizer_.param_groups[0]["momentum"] == 0.5
        assert clf.net_.criterion_.label_smoothing == 0.1
        assert clf.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(0.01 * 0.1**6)

    def test_loading_in_worker_processes_gives_the_same(self, small, records):
        params = small | {"data_dropout": None, "focus": None}
        alone = ERTSClassifier(**params).fit(*records)
        helped = ERTSClassifier(**params, iterator_train__num_workers=1).fit(*records)
        np.testing.assert_array_equal(
            alone.predict_proba(records[0]), helped.predict_proba(records[0])
        )

    def test_parts_of_a_network_learn_at_their_own_rate(self, small, records):
        groups = [("head*", {"lr": 0.5})]
        clf = ERTSClassifier(**small, optimizer__param_groups=groups).fit(*records)
        rates = [group["lr"] for group in clf.net_.optimizer_.param_groups]
        assert rates == [0.5, 0.01]

    def test_skorch_scores_its_epochs(self, small, records):
        split = [(np.arange(90), np.arange(90, 120))]
        params = small | {"max_epochs": 20, "warmup_epochs": 20}
        clf = ERTSClassifier(
            **params,
            validation_fraction=split,
            callbacks=[EpochScoring("accuracy", lower_is_better=False)],
        ).fit(*records)
        got = clf.score(records[0][90:], records[1][90:])
        assert clf.history_[-1, "accuracy"] == pytest.approx(got)

    def test_callbacks_are_copied(self, small, records):
        class Counter(Callback):
            n_epochs = 0

            def on_epoch_end(self, net, **kwargs):
                self.n_epochs += 1

        counter = Counter()
        clf = ERTSClassifier(**small, callbacks=[counter]).fit(*records)
        assert counter.n_epochs == 0
        assert dict(clf.net_.callbacks_)["Counter"].n_epochs == 6


class TestOutput:
    def test_progress_bar_only_in_a_terminal(self, small, records, monkeypatch):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        shown = {}
        for kind, stream in {"terminal": Terminal(), "file": io.StringIO()}.items():
            monkeypatch.setattr(sys, "stderr", stream)
            ERTSClassifier(**small | {"verbose": 1}).fit(*records)
            shown[kind] = stream.getvalue()
        assert "6/6" in shown["terminal"]
        assert "EE=" in shown["terminal"]
        assert "kept=" in shown["terminal"]
        assert shown["file"] == ""

    def test_verbose_2_is_a_table(self, small, records, capsys):
        ERTSClassifier(**small | {"verbose": 2}).fit(*records)
        table = capsys.readouterr().out
        assert {"epoch", "EE", "kept", "train_loss"} <= set(table.split())
        assert len(table.splitlines()) == 8

    def test_silent_and_nothing_on_disk(
        self, small, records, capfd, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        ERTSClassifier(**small).fit(*records).explain(records[0])
        assert capfd.readouterr() == ("", "")
        assert list(tmp_path.iterdir()) == []


BY_EVIDENCE = FocusFilter(DBPD(0.7), "support", 0.5, doubt="soften")


class TestFlatParametersDescribeAPolicy:
    @pytest.mark.parametrize(
        ("params", "policy"),
        [
            ({}, Rehearsal(BY_EVIDENCE)),
            (
                {"easy_share": 0.2},
                Rehearsal(BY_EVIDENCE, 0.2),
            ),
            ({"easy_share": 0}, BY_EVIDENCE),
            (
                {"focus": "top_mass", "confidence_threshold": 0.3, "easy_share": 0},
                FocusFilter(DBPD(0.3), threshold=0.5),
            ),
            ({"focus": None, "easy_share": 0}, DBPD(0.7)),
            ({"data_dropout": None, "focus": None}, KeepAll()),
            (
                {"data_dropout": None, "focus": "gini"},
                FocusFilter(KeepAll(), "gini", 0.5),
            ),
            (
                {"data_dropout": SRD(0.9), "focus": None},
                SRD(0.9),
            ),
            (
                {"data_dropout": DBPD(0.4), "focus": None},
                Rehearsal(DBPD(0.4)),
            ),
            ({"selection": DBPD(0.9)}, DBPD(0.9)),
        ],
    )
    def test_policy(self, params, policy):
        assert repr(make_plan(ERTSClassifier(**params)).policy) == repr(policy)

    def test_both_ways_at_once_is_an_error(self, records):
        clf = ERTSClassifier(selection=DBPD(), confidence_threshold=0.5, verbose=0)
        with pytest.raises(ValueError, match=r"\['confidence_threshold'\].*not both"):
            clf.fit(*records)
