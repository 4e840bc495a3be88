"""Bad input fails at once, and says what of which object must be what."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback
from torch import nn

from sk_erts import ERTSClassifier
from sk_erts.exceptions import DoubtfulInputWarning, NonFiniteLossError
from sk_erts.models import ResNet1d
from sk_erts.selection import DBPD, FocusFilter
from tests.conftest import bumps

X, Y, _ = bumps(40)


def changed(**places):
    bad = X.copy()
    bad[7, 1, 30] = places["value"]
    return bad


class NoStep(Callback):
    """Fail if the training begins before its input is refused."""

    def on_train_begin(self, net, **kwargs):
        raise AssertionError("the training has begun")


class Records:
    """A lazy collection that counts what is read before it fails."""

    def __init__(self, *arrays):
        self.arrays = arrays

    def __len__(self):
        return len(self.arrays)

    def __getitem__(self, i):
        return self.arrays[i]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (changed(value=np.nan), "Input X contains NaN, in record 7. Repair"),
        (changed(value=np.inf), "Input X contains infinity, in record 7"),
        (changed(value=np.nan).tolist(), "Input X contains NaN, in record 7"),
        (list(changed(value=np.nan)), "Input X contains NaN, in record 7"),
        (X[:0], r"Found array with 0 sample\(s\)"),
        (X[:, :0], r"at least one lead and one time step. Got the shape \(40, 0, 64\)"),
        (X[..., None], r"must have the shape \(n_samples, n_leads, n_times\).*Got"),
        (X[:, 0, 0], "Expected 2D array, got 1D array"),
        (X + 1j, "Complex data not supported"),
        (Records(*(X + 1j)), "Complex data not supported"),
        (Records(*X[:39], X[39, :, :50]), r"Record 39 of X has the shape \(2, 50\)"),
        (Records(*changed(value=np.nan)), "Record 7 of X contains NaN"),
        (Records(), r"Found array with 0 sample\(s\)"),
        (X[:20], "inconsistent numbers of samples"),
    ],
    ids=lambda case: case if isinstance(case, str) else "X",
)
def test_records(small, bad, message):
    clf = ERTSClassifier(**small, callbacks=[NoStep()])
    with pytest.raises(ValueError, match=message):
        clf.fit(bad, Y)
    assert not vars(clf).keys() & {"net_", "classes_", "n_leads_in_"}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "requires y to be passed"),
        (np.linspace(0, 1, 40), "Unknown label type"),
        (np.where(Y == 1, np.nan, Y), "Input y contains NaN"),
        (np.stack([Y, Y], axis=1), "multiclass-multioutput"),
        ([*Y[:9], None, *Y[10:]], "Input y contains None, in record 9. Give"),
        ([*"ab" * 15, np.nan, *"ab", *[None] * 7], "NaN, in record 30 and 7 others"),
        (pd.Series([*"ab" * 19, None, "a"]), "Input y contains .*, in record 38"),
        (np.where(Y[:, None] == [0, 1, 2], 1.0, np.nan), "NaN, in record 0 and 39 ot"),
        (np.full(40, "NORM"), "two classes or more. Got one class, 'NORM', in all 40"),
        (dict(enumerate(Y)), "y must be an array or a list with .* Got dict instead"),
        (3, "y must be an array or a list .* Got int instead"),
        (np.array(3), "y must be an array or a list .* Got ndarray instead"),
        ("ab" * 20, "y must be an array or a list .* Got str instead"),
        (iter(Y.tolist()), "y must be an array or a list .* Got list_iterator instead"),
        ([["a"], ["a", "b"]] * 20, "y must be .* Got labels of different shapes"),
        (np.where(Y == 1, b"a", b"b"), "Got bytes instead: pass .*astype"),
        (np.array(["a", 1] * 20, dtype=object), "Got text among other labels instead"),
    ],
    ids=[
        "none",
        "continuous",
        "missing",
        "two columns",
        "None in a list",
        "NaN among strings",
        "series",
        "indicators",
        "one class",
        "dictionary",
        "number",
        "array of no dimension",
        "text",
        "iterator",
        "lists",
        "bytes",
        "text and numbers",
    ],
)
def test_labels(small, bad, message):
    with pytest.raises(ValueError, match=message):
        ERTSClassifier(**small).fit(X, bad)


def test_a_memory_map_names_its_record_too(small, tmp_path):
    np.save(tmp_path / "ecg.npy", changed(value=np.nan))
    mapped = np.load(tmp_path / "ecg.npy", mmap_mode="r")
    with pytest.raises(ValueError, match="Input X contains NaN, in record 7"):
        ERTSClassifier(**small).fit(mapped, Y)


LARGE = X.astype(np.float64)
LARGE[7, 1, 30] = -1e300


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (LARGE, "contains a number that is infinite in float32, in record 7"),
        (LARGE.astype(np.longdouble), "infinite in float32, in record 7"),
        (LARGE.tolist(), "infinite in float32, in record 7"),
        (LARGE.astype(object), "infinite in float32, in record 7"),
        ([*LARGE[:39], LARGE[39, :, :50]], "Record 7 of X .* infinity"),
        ([*LARGE[:39].astype("g"), X[39, :, :50]], "Record 7 of X .* infinity"),
        (Records(*LARGE), "Record 7 of X contains NaN or infinity"),
    ],
    ids=["double", "longest", "list", "objects", "lengths", "longest ones", "lazy"],
)
def test_a_number_too_large_for_what_it_is_read_as(small, bad, message):
    with pytest.raises(ValueError, match=message):
        ERTSClassifier(**small).fit(bad, Y)


def test_so_is_one_in_a_memory_map(small, tmp_path):
    np.save(tmp_path / "ecg.npy", LARGE)
    mapped = np.load(tmp_path / "ecg.npy", mmap_mode="r")
    with pytest.raises(ValueError, match="infinity, in record 7"):
        ERTSClassifier(**small).fit(mapped, Y)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g"])
def test_both_infinities_name_their_record_too(small, dtype):
    """They have no sum, by which arrays are looked through."""
    bad = changed(value=np.inf).astype(dtype)
    bad[7, 1, 31] = -np.inf
    with pytest.raises(ValueError, match="Input X contains infinity, in record 7"):
        ERTSClassifier(**small).fit(bad, Y)
    large = np.full(X.shape, 6e4, dtype) * np.sign(X).astype(dtype)
    with pytest.warns(DoubtfulInputWarning, match="microvolts"):
        ERTSClassifier(**small).fit(large, Y)


def test_what_is_next_to_nothing_is_compared_with_what_was(small):
    """The squares of such numbers are nothing."""
    clf, tiny = ERTSClassifier(**small), 1e-200 * X.astype(np.float64)
    with pytest.warns(DoubtfulInputWarning, match=r"X \* 1000 if it is in volts"):
        clf.fit(tiny, Y)
    assert clf.predict(X).shape == clf.predict(tiny).shape == (40,)


def test_one_class_is_enough_for_a_part(small):
    clf = ERTSClassifier(**small)
    with pytest.raises(ValueError, match="one class, 1, .* pass all 'classes'"):
        clf.partial_fit(X[Y == 1], Y[Y == 1])
    clf.partial_fit(X[Y == 1], Y[Y == 1], classes=[0, 1, 2])
    clf.partial_fit(X[Y == 2], Y[Y == 2])
    assert clf.classes_.tolist() == [0, 1, 2]


def test_new_records_on_their_side(fitted):
    with pytest.raises(ValueError, match=r"X holds \(64, 2\).* X.transpose\(0, 2, 1\)"):
        fitted.predict(X.transpose(0, 2, 1))


@pytest.fixture(scope="module")
def fitted(small):
    return ERTSClassifier(**small).fit(X, Y)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "explain"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (X[:, :1], r"expecting 128 features.*= \(2, 64\), and X holds \(1, 64\)"),
        (X[:, :, :60], r"expecting 128 features.*= \(2, 64\), and X holds \(2, 60\)"),
        (changed(value=np.nan), "Input X contains NaN"),
        (X[:0], r"0 sample\(s\)"),
    ],
    ids=["leads", "times", "NaN", "empty"],
)
def test_new_records(fitted, method, bad, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(bad)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "explain"])
def test_before_fit(method):
    with pytest.raises(NotFittedError, match="ERTSClassifier instance is not fitted"):
        getattr(ERTSClassifier(), method)(X)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("PVC", "target 'PVC' is none of the classes seen in fit"),
        ([0] * 39 + [pd.NA], "target <NA> is none of the classes seen in fit"),
        ([0, 1], r"one for each of the 40 records. Got the shape \(2,\)"),
    ],
)
def test_targets_of_explain(fitted, target, message):
    with pytest.raises(ValueError, match=message):
        fitted.explain(X, target=target)


def test_labels_of_focus_score(fitted):
    with pytest.raises(ValueError, match=r"labels \[9\], which were not seen in fit"):
        fitted.focus_score(X, np.full(40, 9))
    with pytest.raises(ValueError, match="y contains infinity"):
        fitted.focus_score(X, np.resize([0.0, np.inf], 40))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"max_epochs": 0}, r"'max_epochs' parameter of ERTSClassifier must be an int"),
        ({"confidence_threshold": 2}, r"'confidence_threshold' .* Got 2 instead"),
        ({"focus_threshold": 1.0}, r"'focus_threshold' .* Got 1.0 instead"),
        ({"focus_threshold": "best"}, "'focus_threshold' .* Got 'best' instead"),
        ({"data_dropout": "dpbd"}, "'data_dropout' .* Got 'dpbd' instead"),
        ({"looks__renewal_interval": 0}, "'looks__renewal_interval' .* Got 0 instead"),
        ({"easy_share": -0.1}, "'easy_share' .* Got -0.1 instead"),
        ({"lr": 0}, "'lr' .* Got 0 instead"),
        ({"focus": "top_mas"}, "Did you mean 'top_mass'"),
        ({"module": "resnet"}, "Did you mean 'resnet1d'"),
        ({"class_weight": "balance"}, "'class_weight' .* Got 'balance' instead"),
        ({"class_weight": {"PVC": 2}}, r"names the classes \['PVC'\], which are not"),
        ({"selection": "dbpd"}, "'selection' .* Got 'dbpd' instead"),
        ({"max_epoch": 3}, "'max_epoch' for .* Did you mean 'max_epochs'"),
        ({"modul__width": 3}, "'modul__width' for .* Did you mean 'module__"),
        ({"module__widht": 3}, "'module__widht' .* Did you mean 'width'"),
        ({"optimizer__weight_decai": 3}, "Did you mean 'weight_decay'"),
        ({"iterator_train__n_workers": 3}, "Did you mean 'num_workers'"),
        (
            {"iterator_train__num_workers": 1.5},
            "'iterator_train__\\*' .* 'float' object",
        ),
        (
            {"optimizer__weight_decay": -1},
            "'optimizer' AdamW, .* weight_decay value: -1",
        ),
        ({"iterator_train__batch_size": 3}, "Use 'batch_size' instead"),
        ({"criterion__weight": 3}, "Use 'class_weight' instead"),
        ({"criterion__pos_weight": 3}, "Use 'class_weight' instead"),
        ({"criterion__reduction": "sum"}, "Use 'sample_weight' instead"),
        ({"iterator_train__drop_last": True}, "Use 'batch_size' instead"),
        ({"iterator_train__shuffle": True}, "Use 'random_state' instead"),
        ({"iterator_train__sampler": [0]}, "Use 'selection' instead"),
        ({"iterator_train__batch_sampler": [[0]]}, "Use 'selection' instead"),
        ({"iterator_valid__shuffle": True}, "Use 'validation_fraction' instead"),
        ({"validation_fraction": [([0], [99])]}, r"only rows in \[0, 40\)"),
        ({"validation_fraction": [([0, 1], [1])]}, "each row of X to one part at most"),
        ({"validation_fraction": [([0, 1], [])]}, "no record in the validation part"),
        ({"validation_fraction": "0.1"}, "Got '0.1' instead"),
        ({"validation_fraction": b"0.1"}, "Got b'0.1' instead"),
        ({"validation_fraction": {1, 2}}, "a pair of indices.* Got 1 instead"),
        ({"validation_fraction": [3]}, "a pair of indices.* Got 3 instead"),
        ({"validation_fraction": []}, r"list of pairs of indices.* Got \[\] instead"),
        ({"validation_fraction": [([0.5], [1])]}, "a pair of indices"),
        ({"validation_fraction": [(Y == 1, Y == 2)]}, "a pair of indices"),
        ({"validation_fraction": [([0, 1], [-1])]}, r"only rows in \[0, 40\).*from -1"),
        (
            {"iterator_train__num_workers": None},
            r"'iterator_train__\*' of .* DataLoader",
        ),
        ({"iterator_valid__num_workers": -1}, r"'iterator_valid__\*' of .* DataLoader"),
        ({"device": "gpu"}, "must name a device of this machine"),
        ({"criterion__label_smoothin": 1}, "Did you mean 'label_smoothing'"),
        ({"callbacks__schedul__gamma": 1}, "no such callback"),
        ({"selection": DBPD("0.3")}, "'threshold' parameter of DBPD must be a number"),
        ({"selection": FocusFilter(DBPD(), threshold=1.5)}, "Got 1.5 instead"),
        ({"cam_layer": "convolution"}, "'convolution' is no submodule of ResNet1d"),
    ],
    ids=lambda case: next(iter(case)) if isinstance(case, dict) else "",
)
def test_parameters(small, params, message):
    clf = ERTSClassifier(**small | {"callbacks": [NoStep()]} | params)
    with pytest.raises(ValueError, match=message):
        clf.fit(X, Y)


def test_set_params_refuses_what_it_cannot_reach():
    with pytest.raises(ValueError, match="Did you mean 'focus_threshold'"):
        ERTSClassifier().set_params(focus_treshold=0.5)


class TestNetworks:
    def fit(self, module, **params):
        ERTSClassifier(module, max_epochs=2, verbose=0, **params).fit(X, Y)

    def test_forward_is_not_head_of_features(self):
        class Scaled(ResNet1d):
            def forward(self, x):
                return super().forward(100 * x)

        params = {"module__width": 4, "module__blocks": (1,)}
        with pytest.raises(ValueError, match=r"is not head\(features\(x\)\)"):
            self.fit(Scaled, **params)
        self.fit(Scaled, **params, cam_layer="features.0")

    def test_a_module_that_lacks_an_argument(self):
        class Needy(nn.Linear):
            def __init__(self, n_hidden, n_classes):
                super().__init__(n_hidden, n_classes)

        with pytest.raises(ValueError, match=r"'n_hidden'.*given \['n_classes'\]"):
            self.fit(Needy)

    def test_a_layer_that_is_not_called(self):
        module = nn.Sequential(nn.Flatten(), nn.Linear(128, 3))
        module.spare = nn.Conv1d(1, 1, 1)
        module.forward = lambda x: module[1](module[0](x))
        with pytest.raises(ValueError, match="'spare' of Sequential is not called"):
            self.fit(module, cam_layer="spare")

    def test_wrong_number_of_logits(self):
        module = nn.Sequential(nn.Flatten(), nn.Linear(128, 7))
        with pytest.raises(ValueError, match=r"= \(2, 3\). Got shape \(2, 7\) instead"):
            self.fit(module)

    def test_cannot_read_the_records(self):
        module = nn.Sequential(nn.Flatten(), nn.Linear(100, 3))
        with pytest.raises(ValueError, match=r"\(n_leads, n_times\) = \(2, 64\)"):
            self.fit(module)

    def test_returns_no_tensor(self):
        class Nothing(nn.Linear):
            def forward(self, x):
                return {"logits": None, "x": x}

        with pytest.raises(ValueError, match="Got NoneType instead"):
            self.fit(Nothing(1, 1))

    def test_parameters_of_an_instance(self):
        module = nn.Sequential(nn.Flatten(), nn.Linear(128, 3))
        with pytest.raises(ValueError, match="'module__width' cannot change"):
            self.fit(module, module__width=3)

    def test_no_layer_to_explain_fails_at_the_start_not_epochs_later(self):
        module = nn.Sequential(nn.Flatten(), nn.Linear(128, 3))
        with pytest.raises(ValueError, match="Name one with 'cam_layer'"):
            self.fit(module, focus="top_mass", warmup_epochs=10**6)
        self.fit(module)


class TestLossThatIsNotFinite:
    def test_is_an_error_that_names_the_epoch(self, small):
        clf = ERTSClassifier(
            **small | {"lr": 1e30}, optimizer=torch.optim.SGD, data_dropout=None
        )
        with pytest.raises(
            NonFiniteLossError, match=r"in epoch 1, batch \d+. It must be finite"
        ):
            clf.fit(X, Y)
        assert not hasattr(clf, "net_")

    @pytest.mark.parametrize("warmup_epochs", [0, 1])
    def test_is_found_when_the_selection_is_renewed(self, small, warmup_epochs):
        """By a look or by steps, and is not taken for a measure that went wrong."""
        params = small | {"lr": 1e30, "batch_size": 8}
        params["warmup_epochs"] = warmup_epochs
        clf = ERTSClassifier(
            **params,
            optimizer=torch.optim.SGD,
            looks__renewal_interval=8,
            focus=lambda maps: maps.mean(axis=1),
            confidence_threshold=1,
        )
        with pytest.raises(NonFiniteLossError, match="training has diverged"):
            clf.fit(X, Y)


def test_a_failed_fit_changes_nothing(small):
    clf = ERTSClassifier(**small).fit(X, Y)
    before = {k: v for k, v in vars(clf).items() if k.endswith("_")}
    proba = clf.predict_proba(X)
    clf.set_params(lr=1e30, optimizer=torch.optim.SGD)
    with pytest.raises(NonFiniteLossError):
        clf.fit(X[:, :1, :30], Y + 5)
    after = {k: v for k, v in vars(clf).items() if k.endswith("_")}
    assert after.keys() == before.keys()
    assert all(after[k] is before[k] for k in before)
    np.testing.assert_array_equal(clf.predict_proba(X), proba)


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (lambda maps: maps, "given as 'focus' must return .* numbers, one per record"),
        (len, r"given as 'focus' must return .* Got shape \(\) with 0 NaN"),
        (lambda maps: np.full(len(maps), np.nan), "no NaN"),
    ],
)
def test_focus_measures(small, measure, message):
    clf = ERTSClassifier(**small, focus=measure, selection=None)
    with pytest.raises(ValueError, match=message):
        clf.fit(X, Y)


def test_a_policy_of_an_unknown_score_is_told(small):
    class Hopeful(DBPD):
        reads = frozenset({"confidence", "beauty"})

    with pytest.raises(ValueError, match="reads 'beauty'"):
        ERTSClassifier(**small, selection=Hopeful()).fit(X, Y)
