import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, make_scorer

from sk_erts.metrics import subset_accuracy


def test_a_record_counts_if_all_its_labels_are_right():
    y = np.array([[1, 0], [0, 0], [1, 1], [0, 1]])
    wrong = y.copy()
    wrong[0, 1] = 1
    wrong[3] = 0
    assert subset_accuracy(y, y) == 1
    assert subset_accuracy(y, wrong) == 0.5
    assert subset_accuracy(y, 1 - y) == 0


def test_it_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, predicted = rng.random((2, 50, 3)) < 0.3
    found = subset_accuracy(y, predicted)
    assert found == pytest.approx(accuracy_score(y, predicted))
    assert 0 < found < 1


def test_data_frames_and_floats():
    y = pd.DataFrame({"MI": [1, 0], "HYP": [0, 1]})
    assert subset_accuracy(y, [[1.0, 0.0], [1.0, 1.0]]) == 0.5


def test_it_makes_a_scorer():
    y = np.array([[1, 0], [0, 1], [1, 1], [1, 1]])
    always = DummyClassifier(strategy="most_frequent").fit(y, y)
    assert make_scorer(subset_accuracy)(always, y, y) == 0.5


@pytest.mark.parametrize(
    ("y", "predicted", "message"),
    [
        ([1, 0], [1, 0], r"'y_true' .* \(n_samples, n_labels\)"),
        (np.eye(2), np.eye(3), r"'y_pred' .* shape of 'y_true', \(2, 2\). Got .*3, 3"),
        (np.eye(2), np.eye(2) / 2, "'y_pred' .* zeros and ones alone. Got .*0.5"),
        (np.eye(2) * 2, np.eye(2), "'y_true' .* zeros and ones alone. Got .*2"),
        (np.eye(2), [["a", "b"], ["a", "b"]], "'y_pred' .* finite numbers"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "'y_true'"),
    ],
)
def test_what_is_no_indicator_matrix_is_refused(y, predicted, message):
    with pytest.raises(ValueError, match=message):
        subset_accuracy(y, predicted)
