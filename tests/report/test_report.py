"""The report as a user calls it: its tables, its page, and what it refuses."""

import json
import re
import warnings
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sk_erts import DeepEnsemble, ERTSClassifier
from sk_erts.metrics import expected_calibration_error
from sk_erts.preprocessing import Resample, SelectLeads
from sk_erts.report import report
from sk_erts.report._bootstrap import draws
from tests.conftest import bumps, hide
from tests.report.conftest import NAMES

QUICK = {"n_bootstrap": 50, "n_explained": 0, "n_records": 4}


class Page(HTMLParser):
    """What a reader of the page's structure needs to know."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self._open = [], {}, []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data):
        if self._open:
            kind = self._open[-1]
            self.text[kind] = self.text.get(kind, "") + data

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page(clf, unseen):
    X, y = unseen
    metadata = {"age": np.linspace(20, 90, 90), "<i>site</i>": ["<u>a</u>", "b"] * 45}
    return report(
        clf,
        X,
        y,
        title="<b>mine</b>",
        groups=np.arange(90) // 3,
        metadata=metadata,
        names=[f"<img src=x>{row}" for row in range(90)],
        n_records=12,
        n_explained=2,
        n_bootstrap=50,
    )


def records_in(page):
    found = re.search(
        r'<script type="application/json" id="records">(.*)</script>', page.html
    )
    return json.loads(found[1])


def test_figures_are_those_of_scikit_learn(page, clf, unseen):
    X, y = unseen
    table = page.tables["classes"]
    assert table.index.tolist() == [*clf.classes_, "macro average"]
    areas = roc_auc_score(y, clf.predict_proba(X), multi_class="ovr", average=None)
    assert table["auroc"].iloc[:-1].tolist() == pytest.approx(list(areas))
    assert table["records"].tolist() == [*np.unique(y, return_counts=True)[1], 90]
    expected = confusion_matrix(y, clf.predict(X), labels=clf.classes_)
    assert np.array_equal(page.tables["confusion"], expected)
    error = expected_calibration_error(
        y, clf.predict_proba(X), labels=clf.classes_, n_bins=10
    )
    assert page.tables["calibration"]["count"].tolist() == error.count.tolist()
    assert f"calibration error {error.error:.3f}" in page.html


def test_intervals_draw_the_groups_that_were_given(page, clf, unseen):
    X, y = unseen
    right = (clf.predict(X) == y) & (y == NAMES[2])
    is_it = y == NAMES[2]
    weights = np.concatenate(
        list(draws(np.arange(90) // 3, 50, np.random.RandomState(0)))
    )
    low, high = np.quantile(weights @ right / (weights @ is_it), [0.025, 0.975])
    row = page.tables["classes"].loc[NAMES[2]]
    found = [row["sensitivity_low"], row["sensitivity_high"]]
    assert found == pytest.approx([low, high])
    assert "50 bootstrap samples of 30 groups" in page.html


def test_names_are_text_and_nothing_else(page):
    found = Page(page.html)
    assert not found.of("img")
    assert not found.of("u")
    assert not found.of("i")
    kinds = [attributes.get("type") for attributes in found.of("script")]
    assert kinds == ["application/json", None]
    assert "window.hurt" not in found.text["script"].split("use strict")[1]
    assert NAMES[0] in found.text["th"]
    assert "<b>mine</b>" in found.text["h1"]
    assert "<u>a</u>" in found.text["th"]
    assert records_in(page)["records"][0]["name"].startswith("<img src=x>")


def test_nothing_is_loaded_from_elsewhere(page):
    found = Page(page.html)
    assert not found.of("link")
    for _, attributes in found.tags:
        assert not {"src", "action", "data", "poster"} & attributes.keys()
        assert attributes.get("href", "#").startswith("#")
    assert not re.search(r"url\(|@import|https?:|fetch\(|XMLHttp", page.html)
    (policy,) = [own for own in found.of("meta") if "http-equiv" in own]
    assert policy["content"].startswith("default-src 'none'")


def test_structure_can_be_read_by_a_machine(page):
    found = Page(page.html)
    ids = [own["id"] for _, own in found.tags if "id" in own]
    assert len(ids) == len(set(ids))
    assert {own["href"][1:] for own in found.of("a")} <= set(ids)
    for section in found.of("section"):
        assert section["aria-labelledby"] in ids
    levels = [int(tag[1]) for tag, _ in found.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert max(np.diff(levels)) == 1
    assert all("scope" in own for own in found.of("th"))
    named = [own for own in found.of("svg") if own.get("role") == "img"]
    assert named
    assert all(own["aria-label"] for own in named)


def test_the_sections_are_there_in_their_order(page):
    ids = [own["id"] for own in Page(page.html).of("section")]
    assert ids == [
        "trained",
        "classes",
        "curves",
        "decisions",
        "calibration",
        "subgroups",
        "selection",
        "explanations",
        "gallery",
        "card",
    ]


def test_what_was_trained_is_told(page, clf):
    parameters = page.tables["parameters"]
    assert parameters.loc["max_epochs"].tolist() == ["3", "30"]
    assert parameters.loc["module__width", "value"] == "8"
    assert "focus" not in parameters.index
    n_weights = sum(own.numel() for own in clf.net_.module_.parameters())
    assert f"ResNet1d, {n_weights:,} weights" in page.html
    story = page.tables["selection"]
    assert story["phase"].tolist() == list(clf.selection_.phases)
    assert story["effective epochs"].iloc[-1] == pytest.approx(clf.effective_epochs_)


def test_subgroups_have_the_figures_of_their_records(page, clf, unseen):
    X, y = unseen
    table = page.tables["subgroups"]
    rows = np.linspace(20, 90, 90) < 40
    found = table.loc[("age", "under 40")]
    assert found["records"] == rows.sum()
    area = roc_auc_score(y[rows], clf.predict_proba(X[rows]), multi_class="ovr")
    assert found["auroc"] == pytest.approx(area)


def test_a_small_subgroup_has_no_figures(clf, unseen):
    X, y = unseen
    few = report(clf, X, y, metadata={"site": ["a"] * 9 + ["b"] * 81}, **QUICK)
    table = few.tables["subgroups"]
    assert np.isnan(table.loc[("site", "a"), "sensitivity"])
    assert np.isfinite(table.loc[("site", "b"), "sensitivity"])


def test_the_explanations_are_checked(page):
    assert page.tables["explanations"].index.tolist() == ["gradcam", "random map"]
    assert "Of 2 records drawn at random" in page.html


def test_one_record_is_enough_for_a_page(clf, unseen):
    X, y = unseen
    page = report(clf, X[:1], y[:1], **QUICK | {"n_explained": 8})
    assert "compare maps of different records" in page.html
    assert page.tables["gallery"].index.tolist() == [0]


def test_a_class_without_a_record_has_a_dash(clf, unseen):
    X, y = unseen
    there = y != NAMES[2]
    with warnings.catch_warnings(action="error"):
        page = report(clf, X[there], y[there], **QUICK)
    row = page.tables["classes"].loc[NAMES[2]]
    assert row["records"] == 0
    assert np.isnan(row[["sensitivity", "auroc", "average_precision"]].tolist()).all()
    assert not re.search(r"\bnan\b", Page(page.html).text["td"], re.IGNORECASE)
    cells = re.search(r">NORM</th><td>0</td>\s*<td>(.)", page.html)
    assert cells[1] == "\N{EN DASH}"
    assert "No record of NORM" in page.html
    assert "ROC curve of NORM" not in page.html


def test_records_of_the_training_are_told_of(clf):
    X, codes, _ = bumps(120)
    page = report(clf, X, NAMES[codes], **QUICK)
    assert "<b>These are the records that it was trained on.</b>" in page.html


def test_several_labels(several):
    clf, X, Y = several
    page = report(clf, X, Y, **QUICK | {"n_explained": 2})
    assert np.isfinite(page.tables["explanations"]["deletion_gain"]).all()
    table = page.tables["confusion"]
    said = clf.predict(X)
    assert table["found"].tolist() == (said * Y).sum(axis=0).tolist()
    assert table["missed"].tolist() == ((1 - said) * Y).sum(axis=0).tolist()
    assert table["wrongly"].tolist() == (said * (1 - Y)).sum(axis=0).tolist()
    assert (table.sum(axis=1) == 90).all()
    n_records = page.tables["classes"]["records"].tolist()
    assert n_records == [*Y.sum(axis=0), 90]
    area = roc_auc_score(Y, clf.predict_proba(X), average=None)
    assert page.tables["classes"]["auroc"].iloc[:2].tolist() == pytest.approx(
        list(area)
    )
    shown = records_in(page)["records"]
    assert {len(one["true"]) for one in shown} <= {0, 1, 2}


def test_columns_of_a_data_frame_may_come_in_any_order(several):
    clf, X, Y = several
    turned = pd.DataFrame({1: Y[:, 1], 0: Y[:, 0]})
    one, other = (report(clf, X, y, **QUICK) for y in (Y, turned))
    pd.testing.assert_frame_equal(one.tables["classes"], other.tables["classes"])


def test_frequency_and_leads_are_those_that_the_records_tell(clf, unseen):
    class Told(list):
        fs, lead_names = 32, ("V1", "V5")

    X, y = unseen
    told = records_in(report(clf, Told(X), y, **QUICK))
    assert (told["fs"], told["leads"]) == (32, ["V1", "V5"])
    told = records_in(report(clf, X, y, **QUICK))
    assert (told["fs"], told["leads"]) == (None, ["lead 1", "lead 2"])


def test_a_pipeline_is_told_of_by_its_classifier(small):
    X, codes, _ = bumps(60)
    pipe = make_pipeline(
        SelectLeads(["V1"], lead_names=["II", "V1"]),
        Resample(fs_in=64, fs_out=32),
        ERTSClassifier(**small | {"max_epochs": 2}),
    ).fit(X, codes)
    search = GridSearchCV(pipe, {"ertsclassifier__lr": [0.01]}, cv=2)
    search.fit(X, codes)
    for estimator in (pipe, search):
        page = report(estimator, X, codes, fs=64, lead_names=["II", "V1"], **QUICK)
        told = records_in(page)
        assert told["fs"] == 32
        assert told["leads"] == ["V1"]
        assert told["records"][0]["shape"] == [1, 32]
        assert "1 lead, 32 steps, 1 s at 32 Hz" in page.html
        assert "SelectLeads, Resample" in page.html


def test_an_ensemble_is_told_of_by_its_members(small, unseen):
    X, codes, _ = bumps(60)
    base = ERTSClassifier(**small | {"max_epochs": 2})
    ensemble = DeepEnsemble(base, n_ensemble=2, random_state=0).fit(X, codes)
    page = report(ensemble, X, codes, **QUICK | {"n_explained": 2})
    spent = sum(own.effective_epochs_ for own in ensemble.estimators_)
    assert f"<dd>{spent:.1f} " in page.html
    assert "this is an ensemble" in page.html
    assert page.tables["parameters"].loc["estimator__max_epochs", "value"] == "2"


def test_records_of_different_lengths(small):
    X, codes, _ = bumps(60)
    ragged = [x[:, : 64 - 8 * (i % 2)] for i, x in enumerate(X)]
    clf = ERTSClassifier(**small | {"max_epochs": 2}).fit(ragged, codes)
    page = report(clf, ragged, codes, **QUICK | {"n_explained": 2})
    shapes = {tuple(one["shape"]) for one in records_in(page)["records"]}
    assert shapes <= {(2, 64), (2, 56)}
    assert "made for records of one length" in page.html


def test_fifty_records_of_twelve_leads_are_below_ten_megabytes(small):
    rng = np.random.default_rng(0)  # noise: nothing compresses it
    X = rng.normal(size=(50, 12, 1000)).astype(np.float32)
    codes = np.arange(50) % 6
    params = small | {"module__width": 4, "max_epochs": 1, "warmup_epochs": 1}
    clf = ERTSClassifier(**params).fit(X, codes)
    page = report(
        clf, X, codes, methods=("gradcam", "saliency"), **QUICK | {"n_records": 50}
    )
    told = records_in(page)["records"]
    assert len(told) == 50
    assert {tuple(one["shape"]) for one in told} == {(12, 1000)}
    assert len(page.html.encode()) < 10_000_000


def test_it_is_saved_and_shown(page, tmp_path, clf, unseen):
    path = page.save(tmp_path / "one.html")
    assert path.read_text(encoding="utf-8") == page.html
    X, y = unseen
    report(clf, X, y, path=tmp_path / "two.html", **QUICK)
    assert (tmp_path / "two.html").read_text(encoding="utf-8")[:15] == "<!doctype html>"
    (frame,) = Page(page._repr_html_()).of("iframe")
    assert frame["srcdoc"] == page.html
    assert "allow-same-origin" not in frame["sandbox"]


def test_the_same_seed_gives_the_same_report(clf, unseen):
    X, y = unseen
    one, other = (report(clf, X, y, **QUICK) for _ in range(2))
    assert one.html == other.html


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": NAMES[[0, 1]]}, "each of 90 records. Got 2"),
        ({"y": None}, "labels of the 90 records. Got None"),
        ({"y": np.array(["AFIB"] * 90)}, "classes that the classifier knows.*'AFIB'"),
        ({"y": np.eye(90, 3)}, r"have 1 dimension\(s\), as in fit"),
        ({"groups": [1, 2]}, "'groups'.*each of the 90 records. Got 2 values"),
        ({"groups": [None] + [1] * 89}, "'groups'.*none for record 0"),
        ({"names": ["a"]}, "'names'.*each of the 90 records. Got 1 values"),
        ({"metadata": {"age": [1]}}, "each of the 90 records. Got 1 values"),
        ({"methods": "grad_cam"}, "Did you mean 'gradcam'"),
        ({"n_records": -1}, "'n_records'"),
        ({"level": 95}, "'level'"),
        ({"fs": 0}, "sampling frequency in Hz"),
        ({"lead_names": ["II"]}, "one name for each of the 2 leads"),
    ],
)
def test_bad_input_is_refused(clf, unseen, change, said):
    X, y = unseen
    given = {"y": y} | QUICK | change
    with pytest.raises(ValueError, match=said):
        report(clf, X, **given)


def test_what_does_not_explain_or_is_not_fitted_is_refused(unseen):
    X, y = unseen
    with pytest.raises(NotFittedError, match="not fitted"):
        report(ERTSClassifier(), X, y)
    with pytest.raises(NotFittedError, match="not fitted"):
        report(GridSearchCV(ERTSClassifier(), {"lr": [0.1]}), X, y)
    with pytest.raises(TypeError, match="method 'explain'.*Got LogisticRegression"):
        report(LogisticRegression(), X, y)


def test_without_jinja2_the_command_that_installs_it_is_named(clf, unseen, monkeypatch):
    hide(monkeypatch, "jinja2")
    X, y = unseen
    with pytest.raises(ImportError, match=r'pip install "sk-erts\[report\]"'):
        report(clf, X, y, **QUICK)
