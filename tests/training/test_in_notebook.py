"""What a notebook shows of a fitted classifier, beside scikit-learn's diagram."""

import re
import shutil
import types
from html.parser import HTMLParser

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sk_erts import DeepEnsemble, ERTSClassifier
from sk_erts._training import at_a_glance
from sk_erts.exceptions import FitInterruptedWarning
from sk_erts.preprocessing import BandPass
from sk_erts.selection import Status, takes_gradient
from tests.conftest import bumps

EVIL = "<script>alert('sinus')</script>"


class Reader(HTMLParser):
    """Collect the terms and what is said of them, bars and tags left open."""

    def __init__(self, page):
        super().__init__()
        self.told, self.bars, self.titles, self.open = {}, [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        if tag == "dt":
            self.told[len(self.told)] = ""
        if tag == "rect" and dict(attributes)["class"] != "room":
            self.bars.append(dict(attributes))

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["title"]:
            self.titles.append(data)
        if self.open and self.open[-1] in ("dt", "dd", "small") and self.told:
            self.told[len(self.told) - 1] += data


def glance(estimator):
    """Return what stands beside the diagram, and the lines of its list."""
    page = estimator._repr_html_()
    own = page.split('<div class="sk-erts-glance">')[1].split("</dl>")[0] + "</dl>"
    reader = Reader(own)
    assert reader.open == []
    return own, reader


@pytest.fixture(scope="module")
def data():
    X, codes, _ = bumps(120)
    return X, np.array(["AFIB", EVIL, "PVC"])[codes]


@pytest.fixture(scope="module")
def fitted(data, small):
    params = small | {"batch_size": 8}
    return ERTSClassifier(**params, validation_fraction=0.2).fit(*data)


def test_the_figures_are_those_of_the_training(fitted):
    _, reader = glance(fitted)
    told = list(reader.told.values())
    status = fitted.selection_.status
    looked_at = (status != Status.NOT_LOOKED_AT).sum()
    kept = takes_gradient(status).sum() / looked_at
    assert kept < 0.99
    assert told[0] == f"kept{100 * kept:.0f} % of 96 records"
    assert told[1].strip() == f"effective epochs{fitted.effective_epochs_:.1f} of 6"
    assert told[2] == f"scoring passes{fitted.scoring_passes_:.1f} looked at only"
    assert told[3].strip() == f"time{fitted.fit_time_s_:.1f} s"
    last = fitted.history_[-1]["valid_f1"]
    assert told[4].startswith(f"macro-F1{last:.3f} validation, last epoch")
    assert told[5] == f"classes3 {EVIL}, AFIB, PVC"


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ([0.5, 0.25, 0.75], "macro-F10.750 validation, last epoch"),
        ([0.5, 0.75, 0.25], "macro-F10.250 validation, last epoch; best 0.750 in 2"),
        ([0.75, 0.75, 0.5], "macro-F10.500 validation, last epoch; best 0.750 in 1"),
    ],
)
def test_a_better_epoch_is_named(fitted, scores, told):
    other = copied(fitted)
    rows = zip(fitted.history_, scores, strict=False)
    other.history_ = [row | {"valid_f1": score} for row, score in rows]
    assert glance(other)[1].told[4] == told


def test_the_bars_are_the_records_trained_by_epoch(fitted):
    _, reader = glance(fitted)
    counts = fitted.kept_counts_
    heights = [float(bar["height"]) for bar in reader.bars]
    np.testing.assert_allclose(heights, 56 * counts / 96, atol=0.01)
    feet = [float(bar["y"]) + float(bar["height"]) for bar in reader.bars]
    np.testing.assert_allclose(feet, 56, atol=0.011)
    pale = [bar["class"] == "all-data" for bar in reader.bars]
    assert pale == (counts == 96).tolist()
    assert True in pale
    assert False in pale
    assert reader.titles == [
        f"epoch {i}: {count} records" for i, count in enumerate(counts, start=1)
    ]


def test_names_of_classes_run_no_script(fitted):
    page = fitted._repr_html_()
    assert EVIL not in page
    assert "&lt;script&gt;alert(&#x27;sinus&#x27;)&lt;/script&gt;" in page


def test_scikit_learns_diagram_stands_beside_it(fitted):
    page = fitted._repr_html_()
    assert page.count("sk-top-container") > 0
    assert page.index("sk-erts-glance") < page.index('class="sk-top-container')
    assert "module__width" in page


def test_before_fit_there_is_only_the_diagram(small):
    clf = ERTSClassifier(**small)
    assert "sk-top-container" in clf._repr_html_()
    assert "sk-erts" not in clf._repr_html_()
    assert "sk-erts" not in clf._repr_mimebundle_()["text/html"]


def test_the_option_display_decides(fitted):
    bundle = fitted._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/plain"] == repr(fitted)
    _, of_html = glance(fitted)
    assert "".join(of_html.told.values())[:4] == "kept"
    assert bundle["text/html"].count('<div class="sk-erts-glance">') == 1
    with sklearn.config_context(display="text"):
        assert not hasattr(fitted, "_repr_html_")
        assert set(fitted._repr_mimebundle_()) == {"text/plain"}


def test_a_pipeline_shows_its_own_diagram(fitted):
    pipeline = make_pipeline(BandPass(100), fitted)
    page = pipeline._repr_html_()
    assert "ERTSClassifier" in page
    assert "sk-erts-glance" not in page
    assert EVIL not in page


def test_without_validation_it_says_how_to_get_a_score(data, small):
    clf = ERTSClassifier(**small | {"max_epochs": 2}).fit(*data)
    _, reader = glance(clf)
    assert reader.told[4] == (
        "macro-F1not measured validation_fraction sets records aside for it"
    )


def test_long_trainings_and_many_classes_stay_small(fitted):
    many = copied(fitted)
    many.kept_counts_ = np.full(1000, 43)
    many.classes_ = np.array([f"{'long ' * 20}{i}" for i in range(30)])
    own, reader = glance(many)
    assert len(reader.bars) == 100
    assert reader.titles[0] == "epochs 1 to 10: 43 records"
    heights = np.array([float(bar["height"]) for bar in reader.bars])
    np.testing.assert_allclose(heights, 56 * 43 / 96, atol=0.01)
    assert reader.told[5].endswith("… and 22 more")
    assert len(own) < 20_000


def copied(fitted):
    """Return a copy of which attributes can be set."""
    other = object.__new__(type(fitted))
    other.__dict__.update(fitted.__dict__)
    return other


def test_an_ensemble_shows_its_members_together(data, small):
    clf = ERTSClassifier(**small | {"max_epochs": 3}, validation_fraction=0.2)
    ensemble = DeepEnsemble(clf, n_ensemble=2, random_state=0)
    assert "sk-erts" not in ensemble._repr_html_()
    _, reader = glance(ensemble.fit(*data))
    first, second = ensemble.estimators_
    spent = first.effective_epochs_ + second.effective_epochs_
    assert reader.told[1] == f"effective epochs{spent:.1f} of 6 in 2 trainings"
    mean = np.mean([member.history_[-1]["valid_f1"] for member in (first, second)])
    assert reader.told[4] == f"macro-F1{mean:.3f} validation, last epochs, mean"
    counts = first.kept_counts_ + second.kept_counts_
    assert reader.titles[-1] == f"epoch 3: {counts[-1]} records"


def test_an_ensemble_of_others_shows_the_diagram_alone(data):
    X, y = data
    ensemble = DeepEnsemble(LogisticRegression(), n_ensemble=2).fit(X[:, 0], y)
    assert "sk-top-container" in ensemble._repr_html_()
    assert "sk-erts" not in ensemble._repr_html_()


def test_what_is_read_from_files(fitted, tmp_path):
    fitted.save(tmp_path / "all.sk_erts")
    assert glance(ERTSClassifier.load(tmp_path / "all.sk_erts"))[0] == glance(fitted)[0]
    fitted.save_weights(tmp_path / "net.safetensors")
    read = ERTSClassifier(verbose=0).load_weights(tmp_path / "net.safetensors")
    assert "sk-erts" not in read._repr_html_()


def test_a_training_broken_off_shows_the_epoch_it_was_in(data, small, monkeypatch):
    from sk_erts._training.selector import Selector

    count, steps = Selector.count_step, []

    def interrupted(self, *args):
        count(self, *args)
        steps.append(1)
        if len(steps) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Selector, "count_step", interrupted)
    with pytest.warns(FitInterruptedWarning):
        clf = ERTSClassifier(**small).fit(*data)
    _, reader = glance(clf)
    assert len(reader.bars) == len(clf.kept_counts_) == 2
    assert len(clf.history_) == 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (119.94, "119.9 s"),
        (120, "2 min"),
        (7199, "120 min"),
        (7200, "2.0 h"),
        (9000, "2.5 h"),
    ],
)
def test_a_time_in_the_unit_that_suits_it(seconds, said):
    assert at_a_glance._duration(seconds) == said


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (["a"], "a"),
        ([1, 2.5], "1, 2.5"),
        (list("abcdefgh"), "a, b, c, d, e, f, g, h"),
        (list("abcdefghij"), "a, b, c, d, e, f, g, h and 2 more"),
        (["x" * 40], "x" * 40),
        (["x" * 41], "x" * 40 + "…"),
    ],
)
def test_names_of_classes_cut_short(classes, said):
    assert at_a_glance._listed(classes) == said


class Over:
    """A training that is over."""

    def __init__(self, kept, scores=()):
        self.kept_counts_ = np.array(kept)
        self._trained = types.SimpleNamespace(rows=np.arange(10))
        self.history_ = [
            {"epoch": i + 1} | ({} if score is None else {"valid_f1": score})
            for i, score in enumerate(scores)
        ]


class TestPicture:
    @pytest.mark.parametrize(
        ("kept", "said"),
        [
            ([[10, 5]], "in epoch 1 10 of 10; in epoch 2 5 of 10"),
            ([[7]], "in epoch 1 7 of 10"),
            ([[10, 5], [9]], "in epoch 1 19 of 20; in epoch 2 5 of 10"),
            ([[10, 5, 6], [10, 4, 2]], "in epoch 1 20 of 20; in epoch 3 8 of 20"),
            ([[]], "none"),
        ],
    )
    def test_it_says_in_words_how_it_begins_and_ends(self, kept, said):
        picture = at_a_glance._picture([Over(own) for own in kept])
        assert f'aria-label="Records trained: {said}"' in picture
        assert picture.count("<title>") == max(map(len, kept))

    def test_a_bar_stands_in_its_place(self):
        bar = at_a_glance._bar(
            np.array([4, 5]), np.array([5.0, 10.0]), np.array([10.0, 10.0]), 12, 3.456
        )
        assert bar == (
            '<rect class="selected" x="12.00" y="14.00" width="3.46" height="42.00">'
            "<title>epochs 5 to 6: 8 records</title></rect>"
        )
        whole = at_a_glance._bar(np.array([0]), *np.full((2, 1), 9.0), 0, 1)
        assert 'class="all-data" x="0.00" y="0.00"' in whole
        assert "<title>epoch 1: 9 records</title>" in whole

    def test_bars_stand_side_by_side(self):
        picture = at_a_glance._picture([Over([5] * 4)])
        for x in (0, 60, 120, 180):
            assert f'x="{x:.2f}" y="28.00" width="51.00"' in picture

    @pytest.mark.parametrize(
        ("scores", "said"),
        [
            ([()], ("not measured", "validation_fraction sets records aside for it")),
            (
                [(0.5,), ()],
                ("not measured", "validation_fraction sets records aside for it"),
            ),
            ([(0.25, 0.5)], ("0.500", "validation, last epoch")),
            ([(0.75, None, 0.5)], ("0.500", "validation, last epoch; best 0.750 in 1")),
            ([(0.75, 0.5), (1.0,)], ("0.750", "validation, last epochs, mean")),
        ],
    )
    def test_the_score(self, scores, said):
        name, value, note = at_a_glance._score([Over([1], own) for own in scores])
        assert name == "macro-F1"
        assert value == said[0]
        assert note == said[1]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1000), ("dark", 375)])
def test_it_is_read_in_a_browser(fitted, scheme, width):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    page_color, text = {"light": ("#fff", "#000"), "dark": ("#111", "#eee")}[scheme]
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": width, "height": 700}, color_scheme=scheme
        )
        said = []
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.accept()))
        style = f"background: {page_color}; color: {text}"
        page.set_content(f'<body style="{style}">{fitted._repr_html_()}</body>')
        assert said == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        box = page.locator(".sk-erts-glance").bounding_box()
        assert box["width"] <= width
        bars = page.locator(".sk-erts-glance rect:not(.room)")
        assert bars.count() == 6
        assert bars.first.bounding_box()["height"] > 20
        value = page.locator(".sk-erts-glance dd").first
        color = value.evaluate("own => getComputedStyle(own).color")
        assert contrast(color, page_color) > 7
        assert page.get_by_role(
            "img", name=re.compile("Records trained: in ep")
        ).count()
        assert page.locator(".sk-container").is_visible()
        browser.close()


def contrast(color, background):
    """Return the ratio of luminances of ``rgb(...)`` and ``#xyz``, as WCAG has it."""
    one = [int(value) for value in re.findall(r"\d+", color)[:3]]
    two = [int(2 * digit, 16) for digit in background[1:]]
    bright, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(rgb):
    share = np.array(rgb) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]
