"""Bad input fails at once, says what must be what, and changes nothing."""

import numpy as np
import pandas as pd
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from sk_erts.models import FCN1d, PooledLinear
from sk_erts.pretraining import ECGTextPretrainer
from sk_erts.selection import JUDGES
from tests.pretraining.conftest import OF_NETWORK, make, pairs

X, REPORTS = pairs()
N = len(REPORTS)


def changed(value, *rows):
    """Return reports of which some are something else."""
    found = list(REPORTS)
    for row in rows:
        found[row] = value
    return found


def frame(**sections):
    return pd.DataFrame(sections)


class NoStep(Callback):
    """Fail if the training begins before its input is refused."""

    def on_train_begin(self, net, **kwargs):
        raise AssertionError("the training has begun")


BAD_REPORTS = {
    "none": (None, "requires y to be passed, but the target y is None"),
    "one text": ("A report.", r"must be a sequence of texts. Got one text: give \[t"),
    "bytes": (b"A report.", "must be a sequence of texts. Got bytes"),
    "a number": (3, "must be a sequence of texts. Got int instead"),
    "a set": (set(REPORTS), "must be a sequence of texts. Got set instead"),
    "a dictionary": (dict.fromkeys("ab", "c"), "sequence of texts. Got dict instead"),
    "no reports": ([], "must hold a text. Got none"),
    "None among them": (changed(None, 3), "Got NoneType in rows 3: leave"),
    "NaN among them": (changed(np.nan, 3, 7), "Got float in rows 3, 7: leave"),
    "NA among them": (
        pd.Series(changed(pd.NA, 4), dtype=object),
        "Got NAType in rows 4",
    ),
    "a missing one of a series": (
        pd.Series(changed(None, 4), dtype="string"),
        "Got NAType in rows 4",
    ),
    "numbers": (np.arange(N), "must be texts. Got int.* in rows 0, 1, 2, 3, 4 and 43"),
    "bytes among them": (changed(b"a", 1), "Got bytes in rows 1: leave"),
    "of two kinds": ([*changed(None, 1)[:-1], 3], "Got NoneType, int in rows 1, 47"),
    "empty": (changed("", 2), "must hold words. Got empty texts in rows 2: leave"),
    "blank": (changed(" \n\t", *range(10, 15)), "rows 10, 11, 12, 13, 14: leave"),
    "many blank": (changed(" ", *range(10, 20)), "10, 11, 12, 13, 14 and 5 more: le"),
    "an index": (
        pd.Series(changed("", 2), index=range(100, 148)),
        "Got empty texts in rows 102: leave",
    ),
    "fewer than records": (REPORTS[:-1], r"inconsistent numbers of samples: \[48, 47"),
    "more than records": ([*REPORTS, "One."], r"numbers of samples: \[48, 49"),
    "two-dimensional": (
        np.array([REPORTS, REPORTS]).T,
        r"must be one-dimensional.* Got the shape \(48, 2\)",
    ),
    "lists": ([[text] for text in REPORTS], r"Got the shape \(48, 1\)"),
    "lists of lengths": ([["a"], ["a", "b"]] * 24, "must be texts. Got list in rows 0"),
    "no known column": (
        frame(text=REPORTS, report=REPORTS),
        r"must have some of the columns \['definition'.* Got \['text', 'report'\] ins",
    ),
    "a missing section": (
        frame(verdict=REPORTS, definition=changed(None, 6)),
        r"in all of \['definition', 'verdict'\]. Got something else in rows 6: a sec",
    ),
    "a section of numbers": (
        frame(verdict=REPORTS, definition=0.5),
        "Got something else in rows 0, 1, 2, 3, 4 and 43 more",
    ),
    "all sections empty": (
        frame(verdict=changed("", 6, 8), definition=" "),
        "must hold words. Got rows without any: rows 6, 8. Leave",
    ),
    "all the same": (
        ["Normal ECG."] * N,
        "must differ.*Got 'Normal ECG.' for all",
    ),
}


@pytest.mark.parametrize("case", BAD_REPORTS)
def test_reports(case):
    bad, message = BAD_REPORTS[case]
    with pytest.raises(ValueError, match=message):
        make(callbacks=[NoStep()]).fit(X, bad)


def with_value(value):
    bad = X.copy()
    bad[7, 1, 30] = value
    return bad


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (with_value(np.nan), "Input X contains NaN, in record 7"),
        (with_value(np.inf), "Input X contains infinity, in record 7"),
        (X[:0], r"Found array with 0 sample\(s\)"),
        (X[:, :0], "at least one lead and one time step"),
        (X[..., None], r"must have the shape \(n_samples, n_leads, n_times\)"),
        (X[:, 0, 0], "Expected 2D array, got 1D array"),
        (X + 1j, "Complex data not supported"),
        (X[:20], "inconsistent numbers of samples"),
    ],
)
def test_records(bad, message):
    with pytest.raises(ValueError, match=message):
        make(callbacks=[NoStep()]).fit(bad, REPORTS)


def test_one_record():
    with pytest.raises(ValueError, match="must differ.* for all of n_samples=1"):
        make().fit(X[:1], REPORTS[:1])


def test_two_records_are_enough():
    pretrainer = make().fit(X[:2], ["Early.", "Late."])
    found = pretrainer.transform(X)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("method", ["transform", "uncertainty"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (X[:, :1], r"expecting 128 features.*= \(2, 64\), and X holds \(1, 64\)"),
        (X[:, :, :60], r"expecting 128 features.*= \(2, 64\), and X holds \(2, 60\)"),
        (with_value(np.nan), "Input X contains NaN"),
        (X[:0], r"0 sample\(s\)"),
    ],
)
def test_new_records(fitted, method, bad, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(bad)


class TestTexts:
    """Prompts, sentences, and what they are asked of."""

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            ("One.", r"'texts' of ECGTextPretrainer .*Got one text: give \[text\]"),
            ([], "'texts' of ECGTextPretrainer must hold a text"),
            (["One.", None], "'texts' .* must be texts. Got NoneType in rows 1"),
            (["One.", " "], "'texts' .* must hold words. Got empty texts in rows 1"),
            (None, "'texts' .* must be a sequence of texts. Got NoneType"),
        ],
    )
    @pytest.mark.parametrize("method", ["embed_text", "similarity"])
    def test_sentences(self, fitted, method, bad, message):
        args = (bad,) if method == "embed_text" else (X, bad)
        with pytest.raises(ValueError, match=message):
            getattr(fitted, method)(*args)

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            ({"a": "One."}, "must tell two classes or more apart. Got 1"),
            ({}, "must tell two classes or more apart. Got 0"),
            (["One."], "must tell two classes or more apart. Got 1"),
            ([], "'prompts' of ECGTextPretrainer must hold a text"),
            (
                {"a": "One.", "b": []},
                r"prompts\['b'\].* must hold a text",
            ),
            ({"a": "One.", "b": None}, r"prompts\['b'\].* sequence of texts. Got None"),
            ({"a": "One.", "b": [3]}, r"prompts\['b'\].* must be texts. Got int in ro"),
            ({"a": "One.", "b": " "}, r"prompts\['b'\].* must hold words"),
            ("One.", "'prompts' .* Got one text"),
            (3, "'prompts' .* sequence of texts. Got int"),
        ],
    )
    def test_prompts(self, fitted, bad, message):
        with pytest.raises(ValueError, match=message):
            fitted.predict_proba_zero_shot(X, bad)

    @pytest.mark.parametrize("bad", [None, ["One."], 3, b"One."])
    def test_what_is_explained(self, fitted, bad):
        message = f"'text' .* must be one text. Got {type(bad).__name__} instead"
        with pytest.raises(ValueError, match=message):
            fitted.explain(X, bad)

    @pytest.mark.parametrize("bad", [" ", [], ["One.", None], 3])
    def test_what_it_is_set_against(self, fitted, bad):
        with pytest.raises(ValueError, match="'contrast' of ECGTextPretrainer must"):
            fitted.explain(X, REPORTS[0], contrast=bad)


BAD_PARAMETERS = {
    "one dimension": ({"n_dims": 1}, r"'n_dims' .* in the range \[2, inf\). Got 1"),
    "half a dimension": ({"n_dims": 2.5}, "'n_dims' .* must be an int"),
    "distance": ({"distance": "euclidean"}, "'distance' .* Got 'euclidean' instead"),
    "text of another type": ({"text": 3}, "'text' .* instance of 'str'. Got 3"),
    "views": ({"views": -0.1}, "'views' .* Got -0.1 instead"),
    "masked_signal": ({"masked_signal": -1}, "'masked_signal' .* Got -1 instead"),
    "masked_words": ({"masked_words": -1}, "'masked_words' .* Got -1 instead"),
    "divergence": ({"divergence": -1}, "'divergence' .* Got -1 instead"),
    "no number": ({"divergence": np.nan}, "'divergence' .* Got nan instead"),
    "a measure of maps": ({"focus": "top_mass"}, "'focus' .* Got 'top_mass' instead"),
    "a judge of maps": (
        {"focus": JUDGES["top_mass"]},
        "'focus' .* must be a Judge that reads no maps. Got",
    ),
    "a judge of classes": ({"focus": "reliability"}, "'focus' .* Got 'reliability'"),
    "share": ({"focus_threshold": 1.0}, "'focus_threshold' .* Got 1.0 instead"),
    "policy": ({"data_dropout": "dpbd"}, "'data_dropout' .* Got 'dpbd' instead"),
    "module": ({"module": "resnet"}, "Did you mean 'resnet1d'"),
    "parameter": ({"max_epoch": 3}, "'max_epoch' for .* Did you mean 'max_epochs'"),
    "of a classifier": ({"class_weight": None}, "Invalid parameter 'class_weight'"),
    "of the module": (
        {"module__widht": 3},
        "'module__widht' of .* mean 'width'",
    ),
    "of the optimiser": ({"optimizer__weight_decai": 3}, "Did you mean 'weight_decay'"),
    "of the loader": ({"iterator_train__n_workers": 3}, "Did you mean 'num_workers'"),
    "of looks": ({"looks__renewal_interval": 0}, "'looks__renewal_interval' .* Got 0"),
    "layer": ({"cam_layer": "convolution"}, "'convolution' is no submodule of ResNet1"),
    "device": ({"device": "gpu"}, "must name a device of this machine"),
    "epochs": ({"max_epochs": 0}, "'max_epochs' parameter of ECGTextPretrainer must"),
}


@pytest.mark.parametrize("case", BAD_PARAMETERS)
def test_parameters(case):
    params, message = BAD_PARAMETERS[case]
    with pytest.raises(ValueError, match=message):
        make(**params, callbacks=[NoStep()]).fit(X, REPORTS)


def test_a_folder_that_is_not_there():
    pytest.importorskip("transformers")
    message = "'text' parameter of ECGTextPretrainer must be 'own', or a folder"
    with pytest.raises(ValueError, match=f"{message}.* Got 'no/such/folder'"):
        make(text="no/such/folder").fit(X, REPORTS)


class Flat(nn.Sequential):
    """A network without features and head."""

    def __init__(self, n_leads, n_times, n_classes):
        super().__init__(nn.Flatten(), nn.Linear(n_leads * n_times, n_classes))


class TestNetworks:
    def test_without_feature_maps_no_signal_can_be_guessed(self):
        with pytest.raises(ValueError, match="'masked_signal' .* must be 0 .*Flat lac"):
            ECGTextPretrainer(Flat, **OF_NETWORK).fit(X, REPORTS)

    def test_and_what_to_set_does(self):
        pretrainer = ECGTextPretrainer(Flat, **OF_NETWORK | {"masked_signal": 0})
        assert pretrainer.fit(X, REPORTS).transform(X).shape == (48, 8)
        assert pretrainer.net_.criterion_.decoder is None

    def test_a_layer_that_is_not_called(self):
        class Spare(Flat):
            def __init__(self, n_leads, n_times, n_classes):
                super().__init__(n_leads, n_times, n_classes)
                self.spare = nn.Conv1d(1, 1, 1)

            def forward(self, x):
                return self[1](self[0](x))

        params = {"masked_signal": 0, "cam_layer": "spare"}
        with pytest.raises(ValueError, match="'spare' of Spare is not called"):
            ECGTextPretrainer(Spare, **OF_NETWORK | params).fit(X, REPORTS)

    def test_another_number_of_outputs(self):
        network = FCN1d(n_leads=2, n_classes=8, width=4)
        with pytest.raises(ValueError, match=r"= \(2, 16\). Got shape \(2, 8\)"):
            ECGTextPretrainer(network, **OF_NETWORK).fit(X, REPORTS)

    def test_other_leads(self):
        network = FCN1d(n_leads=3, n_classes=16, width=4)
        with pytest.raises(ValueError, match=r"\(n_leads, n_times\) = \(2, 64\)"):
            ECGTextPretrainer(network, **OF_NETWORK).fit(X, REPORTS)

    def test_parameters_of_an_instance(self):
        network = FCN1d(n_leads=2, n_classes=16, width=4)
        with pytest.raises(
            ValueError, match="instance of FCN1d, which 'module__width'"
        ):
            make(module=network).fit(X, REPORTS)

    def test_an_instance_is_left_as_it_is(self):
        network = FCN1d(n_leads=2, n_classes=16, width=4)
        before = [value.clone() for value in network.state_dict().values()]
        ECGTextPretrainer(network, **OF_NETWORK).fit(X, REPORTS)
        after = network.state_dict().values()
        assert all(map(torch.equal, before, after))

    def test_a_loss_that_grows_without_bound(self):
        class Diverging(nn.Module):
            def __init__(self, n_leads, n_classes):
                super().__init__()
                self.features = nn.Conv1d(n_leads, 4, 3)
                self.head = PooledLinear(4, n_classes)
                self.n_calls = 0

            def forward(self, x):
                self.n_calls += self.training
                logits = self.head(self.features(x))
                return logits * float("nan") if self.n_calls > 3 else logits

        pretrainer = ECGTextPretrainer(Diverging, **OF_NETWORK | {"masked_signal": 0})
        with pytest.raises(ValueError, match="loss .* became nan in epoch"):
            pretrainer.fit(X, REPORTS)
        assert not hasattr(pretrainer, "net_")


def test_without_variances_there_is_no_uncertainty():
    pretrainer = make(distance="cosine", max_epochs=1).fit(X, REPORTS)
    with pytest.raises(ValueError, match="knows no variances, .* another 'distance'"):
        pretrainer.uncertainty(X)


class TestAFailedFitChangesNothing:
    @pytest.mark.parametrize("case", ["none", "blank", "all the same", "bytes"])
    def test_for_reports(self, case):
        self.check(X, BAD_REPORTS[case][0])

    @pytest.mark.parametrize(
        "params",
        [
            {"n_dims": 1},
            {"module__widht": 3},
            {"cam_layer": "convolution"},
            {"focus": "top_mass"},
        ],
    )
    def test_for_parameters(self, params):
        self.check(X, REPORTS, **params)

    def test_for_records(self):
        self.check(with_value(np.nan), REPORTS)

    def test_for_records_of_other_names(self):
        columns = [f"t{i}" for i in range(64)]
        self.check(pd.DataFrame(X[:, 0], columns=columns), ["One."] * N)

    def test_for_an_error_in_the_midst_of_training(self):
        class Fails(Callback):
            def on_epoch_end(self, net, **kwargs):
                if len(net.history) == 2:
                    raise RuntimeError("stop")

        self.check(X, REPORTS, RuntimeError, callbacks=[Fails()])

    def check(self, bad_X, bad_reports, error=ValueError, **params):
        own = pd.DataFrame(X[:, 0], columns=[f"u{i}" for i in range(64)])
        pretrainer = make(max_epochs=1).fit(own, REPORTS)
        found = pretrainer.transform(own)
        pretrainer.__dict__.update(make(**params).__dict__)
        before = dict(vars(pretrainer))
        with pytest.raises(error):
            pretrainer.fit(bad_X, bad_reports)
        after = vars(pretrainer)
        assert after.keys() == before.keys()
        assert all(after[name] is value for name, value in before.items())
        np.testing.assert_array_equal(pretrainer.transform(own), found)
