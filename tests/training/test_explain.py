"""explain, of pipelines and searches."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import sk_erts
from sk_erts import ERTSClassifier
from sk_erts.preprocessing import (
    FixLength,
    Flatten,
    Resample,
    SelectLeads,
    Standardize,
    Unflatten,
)
from tests.conftest import bumps

X, Y, _ = bumps(48)
CHOICES = {"standardize__per": ["record", "lead"]}


@pytest.fixture
def clf(small):
    return ERTSClassifier(**small | {"max_epochs": 2})


def test_of_the_classifier_itself(clf):
    clf.fit(X, Y)
    maps = sk_erts.explain(clf, X, "saliency", target=1, signed=True)
    np.testing.assert_array_equal(
        maps, clf.explain(X, "saliency", target=1, signed=True)
    )


class TestPipelines:
    def test_records_are_transformed_first(self, clf):
        pipe = make_pipeline(SelectLeads(["II"], ["I", "II"]), Standardize(), clf)
        pipe.fit(X, Y)
        maps = sk_erts.explain(pipe, X, method="gradcam", target=2)
        expected = pipe[-1].explain(pipe[:-1].transform(X), target=2)
        np.testing.assert_array_equal(maps, expected)

    def test_nested(self, clf):
        inner = make_pipeline(Standardize("lead"), "passthrough", clf)
        pipe = make_pipeline(Standardize(), make_pipeline(inner)).fit(X, Y)
        both = make_pipeline(Standardize(), Standardize("lead")).fit(X)
        np.testing.assert_array_equal(
            sk_erts.explain(pipe, X), clf.explain(both.transform(X))
        )

    @pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
    def test_in_a_search_and_around_one(self, clf, search):
        more = {"n_iter": 2} if search is RandomizedSearchCV else {}
        found = search(make_pipeline(Standardize(), clf), CHOICES, cv=2, **more)
        pipe = make_pipeline(Standardize(), found).fit(X, Y)
        first, best = pipe[0].transform(X), found.best_estimator_
        np.testing.assert_array_equal(
            sk_erts.explain(pipe, X), best[-1].explain(best[:-1].transform(first))
        )
        np.testing.assert_array_equal(
            sk_erts.explain(found, first), sk_erts.explain(pipe, X)
        )

    def test_flat_records(self, clf):
        flat = Flatten().fit_transform(X)
        pipe = make_pipeline(Unflatten(2), clf).fit(flat, Y)
        np.testing.assert_array_equal(sk_erts.explain(pipe, flat), clf.explain(X))


class TestTimeAxis:
    def test_another_one_is_told(self, clf):
        pipe = make_pipeline(Resample(100, 50), clf).fit(X, Y)
        with pytest.warns(UserWarning, match="transformed records, 32 .*not of X, 64"):
            assert sk_erts.explain(pipe, X).shape == (48, 32)

    def test_of_records_of_different_lengths(self, clf):
        records = [x[:, : 64 - i % 3] for i, x in enumerate(X)]
        pipe = make_pipeline(FixLength(100, 0.7), clf).fit(records, Y)
        with pytest.warns(UserWarning, match="records, 70 .*not of X, 62 to 64"):
            assert sk_erts.explain(pipe, records).shape == (48, 70)
        same = make_pipeline(Standardize(), clf).fit(records, Y)
        maps = sk_erts.explain(same, records)
        assert [len(own) for own in maps] == [x.shape[1] for x in records]

    def test_of_a_collection_it_is_not_known_and_nothing_is_read_for_it(self, clf):
        class Folder:
            n_read = 0

            def __len__(self):
                return len(X)

            def __getitem__(self, i):
                self.n_read += 1
                return X[i]

        def every_second(records):
            return np.stack([records[i] for i in range(len(records))])[..., ::2]

        pipe = make_pipeline(FunctionTransformer(every_second), clf).fit(X, Y)
        folder = Folder()
        assert sk_erts.explain(pipe, folder).shape == (48, 32)
        assert folder.n_read == 48

    def test_of_a_list_of_lists(self, clf):
        pipe = make_pipeline(Standardize(), clf).fit(X, Y)
        assert sk_erts.explain(pipe, X[:2].tolist()).shape == (2, 64)


class TestErrors:
    @pytest.mark.parametrize(
        ("model", "message"),
        [
            (LogisticRegression(), "Got a LogisticRegression instead. ERTSClassifier"),
            (
                make_pipeline(Flatten(), LogisticRegression()),
                "last step has one, .*Got a Pipeline that ends in LogisticRegression",
            ),
            (
                GridSearchCV(
                    make_pipeline(Flatten(), LogisticRegression()),
                    {"logisticregression__C": [1.0]},
                    cv=2,
                ),
                "Got a GridSearchCV that ends in LogisticRegression",
            ),
            (
                GridSearchCV(
                    make_pipeline(Flatten(), LogisticRegression()),
                    {"logisticregression__C": [1.0]},
                    cv=2,
                    refit=False,
                ),
                "Got a GridSearchCV instead. Fit the search with refit=True",
            ),
            (make_pipeline(Flatten(), "passthrough"), "Pipeline that ends in 'passth"),
        ],
    )
    def test_nothing_to_explain(self, model, message):
        flat = X if hasattr(model, "steps") or hasattr(model, "cv") else X[:, 0]
        with pytest.raises(TypeError, match=message):
            sk_erts.explain(model.fit(flat, Y), flat)

    def test_not_fitted(self, clf):
        for model in (
            clf,
            make_pipeline(Standardize("lead"), clf),
            GridSearchCV(clf, {"lr": [1]}),
        ):
            with pytest.raises(NotFittedError):
                sk_erts.explain(model, X)
