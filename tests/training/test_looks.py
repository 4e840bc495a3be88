"""What looks at records say: scorer, judging and inference with a network by hand."""

import types

import numpy as np
import pytest
import torch
from torch import nn

from sk_erts._network.network import Network
from sk_erts._records.records import RaggedRecords, Records
from sk_erts._records.signals import Signals
from sk_erts._records.task import OneClass, SeveralLabels
from sk_erts._records.training_set import TrainingSet
from sk_erts._training import inference
from sk_erts._training.inference import (
    logits_of_set,
    maps_of_records,
    probabilities,
)
from sk_erts._training.judging import Judging, direction_of, judge_new_records
from sk_erts._training.precision import ScoringPrecision
from sk_erts._training.processes import Processes
from sk_erts._training.scorer import SIZE_STEP, Scorer
from sk_erts.attribution._registry import make_method
from sk_erts.exceptions import NonFiniteLossError
from sk_erts.models import PooledLinear
from sk_erts.selection import DBPD, FocusFilter, Judge, KeepAll, Ledger, Policy

N, N_TIMES = 70, 16
CPU = torch.device("cpu")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 2, N_TIMES)).astype(np.float32)
RAGGED = [RNG.normal(size=(2, n)).astype(np.float32) for n in [16, 9, 12, 9, 16] * 7]
CODES = np.arange(N) % 3
TASK = OneClass(np.array(["a", "b", "c"]))


class Pooled(nn.Module):
    """Its maps have a closed form: the samples themselves, as the head weighs them."""

    def __init__(self, n_classes=3):
        super().__init__()
        torch.manual_seed(1)
        self.features = nn.Conv1d(2, 4, 1)
        self.norm = nn.BatchNorm1d(4)
        self.head = PooledLinear(4, n_classes)
        self.sizes = []

    def forward(self, x, lengths=None):
        return self.head(self.look(x, lengths), lengths)


class Plain(nn.Module):
    """Of any length; counts how many records it is given at once."""

    def __init__(self, n_classes=3):
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv1d(2, 4, 3, padding=1)
        self.norm = nn.BatchNorm1d(4)
        self.linear = nn.Linear(4, n_classes)
        self.sizes, self.modes = [], []

    def forward(self, x):
        self.sizes.append(len(x))
        self.modes.append(self.training)
        return self.linear(self.norm(self.conv(x)).tanh().mean(dim=-1))


class OfMaps(Judge):
    """The mean of a map, and who it was asked about."""

    reads = frozenset({"maps"})

    def __init__(self, against_rival=False):
        self.asked = []
        self.against_rival = against_rival

    def _score(self, known):
        self.asked.append(known)
        return known.maps.mean(axis=1)


class OfMemory(Judge):
    """What the label got."""

    reads = frozenset({"confidence"})

    def _score(self, known):
        return known.proba[np.arange(len(known.codes)), known.codes]


def expected_logits(module, records=X):
    module.eval()
    with torch.no_grad():
        found = [
            logits_alone(module, torch.from_numpy(np.asarray(x))[None]) for x in records
        ]
    module.train()
    return torch.cat(found)


def logits_alone(module, x):
    return module(x)


def training_set(rows=None, records=X, codes=CODES):
    rows = np.arange(len(records)) if rows is None else rows
    return TrainingSet(Records(records), rows, codes[rows], np.ones(len(rows)))


def scorer(module=None, judge=None, rows=None, task=TASK, codes=CODES, **params):
    module = (module or Plain()).train()
    part = training_set(rows, codes=codes)
    judging = Judging(judge or OfMaps(), part, task, Ledger(len(part), n_classes=3))
    precision = ScoringPrecision("float32", CPU)
    return Scorer(Network(module), part, task, judging, precision, **params)


class TestScorer:
    index = np.array([5, 3, 60, 0, 41])

    def test_confidence_and_probabilities_of_each_record(self):
        own = scorer()
        found = own.score(self.index, frozenset({"confidence"}))
        proba = expected_logits(own.network.module)[self.index].softmax(dim=1)
        assert set(found) == {"confidence", "proba"}
        np.testing.assert_allclose(found["proba"], proba, atol=1e-6)
        own_class = proba[np.arange(5), CODES[self.index]]
        np.testing.assert_allclose(found["confidence"], own_class, atol=1e-6)
        assert own.n_scored == 5
        assert own.network.module.training

    def test_rows_are_those_of_the_set(self):
        rows = np.arange(N)[::-1][:50]
        own = scorer(rows=rows)
        found = own.score(self.index[:1], frozenset({"confidence"}))
        proba = expected_logits(own.network.module)[rows[5]].softmax(dim=0)
        np.testing.assert_allclose(found["proba"][0], proba, atol=1e-6)
        assert found["confidence"] == pytest.approx(float(proba[CODES[rows[5]]]))

    @pytest.mark.parametrize("against_rival", [True, False])
    def test_focus_of_the_map_of_the_label(self, against_rival):
        own = scorer(judge=OfMaps(against_rival))
        found = own.score(self.index, frozenset({"focus"}))
        assert set(found) == {"focus", "proba"}
        (known,) = own.judging.judge.asked
        np.testing.assert_array_equal(known.codes, CODES[self.index])
        np.testing.assert_allclose(known.proba, found["proba"])
        assert known.signal is None
        to = nn.functional.one_hot(torch.from_numpy(CODES[self.index]), 3).float()
        if against_rival:
            logits = expected_logits(own.network.module)[self.index]
            rival = (logits - 1e9 * to).argmax(dim=1)
            to = to - nn.functional.one_hot(rival, 3)
        x = torch.from_numpy(X[self.index])
        _, maps = own.cam(x, lambda _: to)
        np.testing.assert_allclose(known.maps, maps, atol=1e-6)
        np.testing.assert_allclose(found["focus"], maps.mean(dim=1), atol=1e-6)

    @pytest.mark.parametrize("n", [1, SIZE_STEP, SIZE_STEP + 1, N])
    def test_batches_come_in_few_sizes(self, n):
        own = scorer()
        own.network.module.sizes.clear()
        own.score(np.arange(n), frozenset({"confidence"}))
        assert own.network.module.sizes == [-(-n // SIZE_STEP) * SIZE_STEP]
        assert not any(own.network.module.modes)

    def test_a_judge_that_reads_no_maps_is_asked_nothing_here(self):
        own = scorer(judge=OfMemory())
        assert not own.maps_are_free
        found = own.score(self.index, frozenset({"confidence"}))
        assert set(found) == {"confidence", "proba"}

    def test_a_probe_lets_normalisation_learn_of_its_records(self):
        own = scorer()
        module = own.network.module
        nn.init.constant_(module.norm.running_mean, 9.0)
        found = own.probe(self.index)
        assert set(found) == {"confidence", "proba"}
        assert own.n_scored == 5
        with torch.no_grad():
            mean = module.conv(torch.from_numpy(X[self.index])).mean(dim=(0, 2))
        torch.testing.assert_close(module.norm.running_mean, mean)
        assert module.sizes[-1] == 5
        own.probe(np.arange(N))
        assert module.sizes[-1] == N
        own_class = found["proba"][np.arange(5), CODES[self.index]]
        np.testing.assert_allclose(found["confidence"], own_class, atol=1e-6)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_a_network_that_has_diverged_is_told(self, bad):
        own = scorer()
        logits = torch.zeros(4, 3)
        logits[1] = bad
        with pytest.raises(
            NonFiniteLossError, match="Plain gives .* to 1 of 4 records"
        ):
            own.believed(logits, np.arange(4))

    def test_what_logits_say_is_single_and_free_of_the_graph(self):
        logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
        found = scorer().believed(logits, np.array([4, 0, 1, 2]))
        assert {name: own.dtype.name for name, own in found.items()} == {
            "confidence": "float32",
            "proba": "float32",
        }

    def test_processes_look_at_their_share(self, monkeypatch):
        whole = scorer().score(np.arange(9), frozenset({"confidence"}))
        processes = Processes()
        processes.size, processes.rank = 2, 1
        own = scorer(processes=processes)
        parts = []

        def gathered(self, work):
            parts.append(work())
            return [{k: v[:5] for k, v in whole.items()}, parts[0]]

        monkeypatch.setattr(Processes, "gathered", gathered)
        found = own.score(np.arange(9), frozenset({"confidence"}))
        assert len(parts[0]["proba"]) == 4
        for name in whole:
            np.testing.assert_allclose(found[name], whole[name], atol=1e-6)
        assert own.n_scored == 9
        own.score(np.arange(1), frozenset({"confidence"}))
        assert len(parts) == 1  # so few that each looks at all of them


class Asks(Policy):
    """Notes what it is asked."""

    def __init__(self, reads=frozenset()):
        self.reads = reads
        self.asked = []

    def _keep(self, scores, rng):
        assert scores.epoch == 1
        self.asked.append(
            (
                scores.y.tolist(),
                *(
                    None if own is None else len(own)
                    for own in (scores.confidence, scores.focus)
                ),
            )
        )
        return np.ones(len(scores), dtype=bool)


class TestTriedOut:
    @pytest.mark.parametrize(
        ("reads", "judge", "expected", "looks"),
        [
            (frozenset(), OfMaps(), ([0, 1], None, None), 0),
            (frozenset({"confidence"}), OfMaps(), ([0, 1], 2, None), 1),
            (frozenset({"focus"}), OfMaps(), ([0, 1], None, 2), 1),
            (frozenset({"confidence", "focus"}), OfMemory(), ([0, 1], 2, 2), 1),
        ],
    )
    def test_two_records_are_decided_on_by_what_is_read(
        self, reads, judge, expected, looks
    ):
        own = scorer(judge=judge)
        _ = own.cam.network.found if hasattr(own.cam.network, "found") else None
        policy = Asks(reads)
        own.network.module.sizes.clear()
        own.try_out(policy)
        assert policy.asked == [expected] * 2  # without its focus filter too
        assert bool(own.network.module.sizes) is bool(looks)
        assert own.n_scored == 0
        assert own.network.module.training

    def test_one_record_is_enough(self):
        policy = Asks(frozenset({"confidence"}))
        scorer(rows=np.array([4])).try_out(policy)
        assert policy.asked == [([1], 1, None)] * 2

    def test_what_is_no_score_is_named(self):
        with pytest.raises(ValueError, match="The policy reads 'loss', but the scores"):
            scorer().try_out(Asks(frozenset({"confidence", "loss"})))

    def test_a_judge_that_says_something_else(self):
        class Wrong(OfMaps):
            def _score(self, known):
                return known.maps

        with pytest.raises(ValueError, match="Wrong"):
            scorer(judge=Wrong()).try_out(FocusFilter(DBPD(), Wrong()))
        assert scorer(judge=Wrong()).try_out(KeepAll()) is None


class TestJudging:
    def test_memory_is_the_mean_over_all_looks(self):
        part = training_set()
        ledger = Ledger(N, n_classes=3)
        proba = np.eye(3, dtype=np.float32)[CODES] * 0.5
        ledger.add_probabilities(np.arange(N), proba)
        ledger.add_probabilities(np.array([4]), np.full((1, 3), 1.0))
        judging = Judging(OfMemory(), part, TASK, ledger)
        found = judging.of_memory(np.array([4, 9]))
        np.testing.assert_allclose(found, [0.75, 0.5])
        assert judging.signals is None

    @pytest.mark.parametrize("lengths", [None, torch.tensor([4, 2, 4])])
    def test_maps_are_measured_without_what_is_behind_them(self, lengths):
        maps = torch.arange(12.0).reshape(3, 4)
        judge = OfMaps()
        judging = Judging(judge, training_set(), TASK, Ledger(N, n_classes=3))
        index, proba = np.array([7, 2, 3]), np.eye(3)
        found = judging.of_maps(Signals(maps, lengths), index, proba)
        last = 5.5 if lengths is None else 4.5
        np.testing.assert_allclose(found, [1.5, last, 9.5])
        codes = np.concatenate([known.codes for known in judge.asked])
        given = np.concatenate([known.proba for known in judge.asked])
        order = [0, 1, 2] if lengths is None else [1, 0, 2]
        assert codes.tolist() == CODES[index[order]].tolist()
        assert given.tolist() == proba[order].tolist()

    @pytest.mark.parametrize("reads", ["maps", "confidence"])
    def test_signals_are_measured_once_and_told_for_each_record(self, reads):
        suspicion = np.linspace(0, 1, N)

        class OfSignals(OfMaps):
            def measure_signals(self, records, rows):
                self.measured = len(records), rows.tolist()
                return types.SimpleNamespace(suspicion=suspicion[rows])

            def _score(self, known):
                self.asked.append(known)
                return known.signal

        OfSignals.reads = frozenset({reads})
        rows = np.array([9, 4, 7, 60])
        judge = OfSignals()
        judging = Judging(judge, training_set(rows), TASK, Ledger(4, n_classes=3))
        assert judge.measured == (N, rows.tolist())
        index = np.array([3, 0])
        found = judging.of_memory(index)
        np.testing.assert_allclose(found, suspicion[[60, 9]])
        maps = Signals(torch.zeros(2, 5), torch.tensor([5, 3]))
        found = judging.of_maps(maps, index, np.zeros((2, 3)))
        np.testing.assert_allclose(found, suspicion[[60, 9]])

        names = []
        signals = types.SimpleNamespace(
            suspicion_of=lambda records, name: names.append(name) or suspicion
        )
        network = Network(Plain())
        found = judge_new_records(judge, signals, network, Records(X), TASK, CODES)
        np.testing.assert_allclose(found, suspicion)
        assert len(names) == 1

    def test_what_is_explained_is_the_label_or_what_sets_it_off(self):
        logits = torch.tensor([[3.0, 1, 2], [0, 1, 2]])
        codes = torch.tensor([1, 2])
        plain = direction_of(OfMaps(), TASK, codes)(logits)
        assert plain.tolist() == [[0, 1, 0], [0, 0, 1]]
        against = direction_of(OfMaps(against_rival=True), TASK, codes)(logits)
        assert against.tolist() == [[-1, 1, 0], [0, -1, 1]]
        judging = Judging(OfMaps(), training_set(), TASK, Ledger(N, n_classes=3))
        found = judging.direction(np.array([1, 5]), CPU)(logits)
        assert found.tolist() == [[0, 1, 0], [0, 0, 1]]

    @pytest.mark.parametrize("given", [True, False])
    @pytest.mark.parametrize("make", [OfMaps, OfMemory])
    def test_new_records_are_judged_by_the_network_as_it_is(self, make, given):
        module, judge = Plain(), make()
        proba = expected_logits(module).softmax(dim=1).numpy()
        codes = CODES if given else None
        network = Network(module)
        found = judge_new_records(judge, None, network, Records(X), TASK, codes)
        codes = CODES if given else proba.argmax(axis=1)
        if make is OfMemory:
            expected = proba[np.arange(N), codes]
        else:
            method = make_method("gradcam", module, None, {})
            maps = maps_of_records(
                method,
                Records(X),
                lambda logits, index: torch.eye(3)[codes[index]],
                resample=False,
                signed=True,
                verbose=False,
            )
            expected = maps.mean(axis=1)
            given_codes = np.concatenate([known.codes for known in judge.asked])
            assert given_codes.tolist() == codes.tolist()
            said = np.concatenate([known.proba for known in judge.asked])
            np.testing.assert_allclose(said, proba, atol=1e-6)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert found.shape == (N,)

    def test_the_layer_that_the_user_named_is_judged(self):
        module, judge = Plain(), OfMaps()
        nn.init.constant_(module.norm.bias, 0.5)
        by_layer = []
        for layer in ("conv", "norm", None):
            network = Network(module, layer)
            by_layer.append(
                judge_new_records(judge, None, network, Records(X), TASK, CODES)
            )
        assert not np.allclose(by_layer[0], by_layer[1], atol=1e-3)
        np.testing.assert_allclose(by_layer[1], by_layer[2], atol=1e-6)


class TestInference:
    def test_probabilities_are_those_of_the_logits(self):
        module = Plain()
        logits = expected_logits(module).double()
        network, records = Network(module), Records(X)
        found = probabilities(network, records, TASK)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, logits.softmax(dim=1), atol=1e-6)
        hot = probabilities(network, records, TASK, temperature=4.0)
        np.testing.assert_allclose(hot, (logits / 4).softmax(dim=1), atol=1e-6)
        log = probabilities(network, records, TASK, temperature=4.0, log=True)
        np.testing.assert_allclose(log, (logits / 4).log_softmax(dim=1), atol=1e-5)
        several = SeveralLabels(np.array(["a", "b", "c"]))
        labels = probabilities(network, records, several)
        np.testing.assert_allclose(labels, logits.sigmoid(), atol=1e-6)
        assert module.training

    def test_batches_have_one_size_whatever_is_asked(self):
        module = Plain()
        network = Network(module)
        for n in (1, 31, 32, 33, N):
            module.sizes.clear()
            assert probabilities(network, Records(X[:n]), TASK).shape == (n, 3)
            assert module.sizes == [32] * -(-n // 32)
        assert not any(module.modes)

    def test_outputs_are_single(self):
        module = Plain()
        found = inference.outputs_of_records(Network(module), Records(X))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected_logits(module), atol=1e-5)

    def test_logits_are_double(self):
        module = Plain()
        logits = expected_logits(module)
        network = Network(module)
        rows = np.array([8, 1, 50, 2])
        of_set = logits_of_set(network, training_set(rows))
        assert of_set.dtype == torch.float64
        assert of_set.device == CPU
        np.testing.assert_allclose(of_set, logits[rows], atol=1e-5)

    @pytest.mark.parametrize(
        ("method", "resample"),
        [("gradcam", True), ("gradcam", False), ("input_x_gradient", True)],
    )
    def test_maps_come_in_the_order_of_the_records(self, method, resample):
        """And those of each record as if it were alone, whatever their lengths."""
        module = Plain()
        own = make_method(method, module, None, {})

        def of(records):
            return maps_of_records(
                own,
                records,
                lambda logits, index: torch.eye(3)[np.arange(len(index)) * 0 + 1],
                resample=resample,
                signed=True,
                verbose=False,
            )

        found = of(Records(X))
        alone = np.concatenate([of(Records(X[i : i + 1])) for i in range(N)])
        np.testing.assert_allclose(found, alone, atol=1e-5)


@pytest.mark.parametrize(
    "look",
    [
        lambda network, records: probabilities(network, records, TASK),
        lambda network, records: maps_of_records(
            make_method("input_x_gradient", network.module, None, {}),
            records,
            lambda logits, index: torch.ones_like(logits),
            resample=True,
            signed=True,
            verbose=False,
        ),
        lambda network, records: judge_new_records(
            OfMaps(), None, network, records, TASK, CODES
        ),
    ],
)
def test_records_are_brought_to_where_the_network_is(look, monkeypatch):
    devices, signals = [], Records.signals

    def noted(self, index, device):
        devices.append(device)
        return signals(self, index, device)

    monkeypatch.setattr(Records, "signals", noted)
    look(Network(Plain()), Records(X))
    assert set(devices) == {CPU}


def test_records_of_different_lengths_that_a_method_takes_alone():
    module = Plain()
    seen = []

    class Alone:
        """A method that says what it is given."""

        takes_lengths = False
        span = (0.0, 1.0)
        network = Network(module)

        def n_at_once(self, batch_size):
            return batch_size

        def __call__(self, batch, direction):
            seen.append((tuple(batch.x.shape), batch.lengths))
            return Signals(batch.x)

        def unsigned(self, maps):
            return maps.clamp(min=0)

    records = RaggedRecords(RAGGED)
    found = maps_of_records(
        Alone(), records, None, resample=True, signed=False, verbose=False
    )
    assert len(found) == len(RAGGED)
    for own, record in zip(found, RAGGED, strict=True):
        np.testing.assert_array_equal(own, record.clip(0))
    assert all(shape[0] == 1 and lengths is None for shape, lengths in seen)
