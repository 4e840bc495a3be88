"""What commands find in a trained network is what Python finds in it."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import image
from sklearn.metrics import f1_score, roc_auc_score

from tests.cli.conftest import PLANTED, WORDS, arrays, as_json, error_of, sk_erts


def test_scores_are_those_of_scikit_learn(place, test, clf):
    found = as_json("evaluate", place / "run", f"npz:{place / 'test.npz'}")
    proba, y = clf.predict_proba(test["X"]), test["y"]
    assert found["macro_auc"] == pytest.approx(roc_auc_score(y == "NORM", proba[:, 1]))
    f1 = f1_score(y, clf.predict(test["X"]), average="macro")
    assert found["macro_f1"] == pytest.approx(f1)
    assert found["accuracy"] == pytest.approx(clf.score(test["X"], y))
    bbb, norm = found["per_class"]
    assert (bbb["class"], bbb["records"]) == ("BBB", 15)
    assert bbb["sensitivity"] == pytest.approx(norm["specificity"])


def test_table_of_scores_fits_a_terminal(place):
    told = sk_erts("evaluate", place / "run", f"npz:{place / 'test.npz'}").stdout
    lines = told.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split()[:5] == ["class", "records", "AUC", "AP", "F1"]
    assert [line.split()[0] for line in lines[1:3]] == ["BBB", "NORM"]


def test_predictions_go_to_a_table(place, tmp_path, test, clf):
    file = tmp_path / "new" / "predictions.csv"
    told = sk_erts("predict", place / "run", f"npz:{place / 'test.npz'}", "-o", file)
    assert "All 30 rows" in told.stderr
    table = pd.read_csv(file)
    assert table.columns.tolist() == ["record", "predicted", "BBB", "NORM"]
    assert table["predicted"].tolist() == clf.predict(test["X"]).tolist()
    few = told.stdout.splitlines()
    assert len(few) == 21
    assert few[1].split()[1] == table["predicted"][0]


def test_maps_are_those_of_explain(place, tmp_path, test, clf):
    data = f"npz:{place / 'test.npz'}"
    found = as_json(
        "explain",
        place / "run",
        data,
        "-o",
        tmp_path,
        "--records",
        "7,2",
        "--method",
        "integrated_gradients",
        "--set",
        "n_steps=8",
        "--target",
        "BBB",
        "--contrast",
        "rival",
    )
    maps = arrays(found["maps"])
    expected = clf.explain(
        test["X"][[7, 2]], "integrated_gradients", "BBB", contrast="rival", n_steps=8
    )
    np.testing.assert_array_equal(maps["maps"], expected)
    assert maps["records"].tolist() == ["7", "2"]
    assert maps["predicted"].tolist() == clf.predict(test["X"][[7, 2]]).tolist()
    for row in found["records"]:
        assert image.imread(row["figure"]).std() > 0.05  # something is drawn


def test_maps_are_kept_beside_the_model(place, test, clf):
    as_json("explain", place / "run", f"npz:{place / 'test.npz'}", "--first", 1)
    maps = arrays(place / "run" / "explain" / "maps.npz")["maps"]
    np.testing.assert_array_equal(maps, clf.explain(test["X"][:1]))


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--records", "99"], 3, "There is no record '99'."),
        (["--method", "gradcan"], 2, "Did you mean 'gradcam'?"),
        (["--target", "AFIB"], 2, "AFIB"),
        (["--set", "n_steps=3"], 2, "'gradcam' has no parameter 'n_steps'"),
    ],
)
def test_what_cannot_be_explained(place, tmp_path, words, code, says):
    data = f"npz:{place / 'test.npz'}"
    words = ("explain", place / "run", data, "-o", tmp_path, *words)
    told = sk_erts(*words, code=code).stderr.splitlines()[-1]
    assert told.startswith("error: ")
    assert says in told


def test_audit_finds_planted_labels_first(place, tmp_path, clf, train):
    found = as_json("audit", place / "run", "-o", tmp_path, "--figures", 2, "--top", 3)
    assert len(found["records"]) == 3
    table = pd.read_csv(found["table"], keep_default_na=False)
    assert table["rank"].tolist() == list(range(1, 61))
    planted = {f"a{i}" for i in PLANTED}
    # By chance one of ten would be among them.
    assert len(planted & set(table["record"][:10])) >= 4
    own = clf.audit(train["X"], train["y"], evidence=True)
    assert table["row"].tolist() == own["record"].tolist()
    np.testing.assert_allclose(table["suspicion"], own["suspicion"])
    assert set(own["source"]) == {"training"} == set(table["source"])
    at = pd.to_numeric(table["contradicted_at"], errors="coerce").fillna(-0.01)
    np.testing.assert_allclose(at * 100, own["contradicted_at"], atol=0.1)
    assert set(table["verdict"]) == set(table["remark"]) == {""}
    assert (table["figure"] != "").sum() == 2
    for name in table["figure"][:2]:
        assert image.imread(tmp_path / name).std() > 0.05


def test_report_is_written(place, tmp_path, monkeypatch):
    asked = {}

    def report(clf, X, y, **others):
        asked.update(others, X=X, y=y)

    monkeypatch.setattr("sk_erts.report.report", report)
    data = tmp_path / "data.npz"
    held = arrays(place / "test.npz")
    np.savez(data, **held, groups=np.arange(30) // 2)
    file = tmp_path / "report.html"
    found = as_json("report", place / "run", f"npz:{data}", "-o", file)
    assert found == {"report": str(file), "n_records": 30}
    np.testing.assert_array_equal(asked["X"], held["X"])
    assert asked["groups"].tolist() == (np.arange(30) // 2).tolist()
    assert asked["lead_names"] == ("II", "V1")
    assert (asked["path"], asked["fs"], asked["metadata"]) == (file, 100.0, None)


def test_info_of_a_training(place, clf):
    found = as_json("info", place / "run")
    assert found["classes"] == ["BBB", "NORM"]
    assert found["network"] == found["parameters"]["module"] == "ResNet1d"
    assert found["parameters"]["module__width"] == 8
    assert found["training"]["effective epochs"] == clf.effective_epochs_
    of_file = as_json("info", place / "run" / "model.sk_erts")
    assert of_file["parameters"] == found["parameters"]
    told = sk_erts("info", place / "run").stdout
    assert "  random_state          0" in told


def test_info_of_the_machine():
    import torch

    found = as_json("info")
    assert found["versions"]["torch"] == torch.__version__
    assert found["machine"]["threads"] == torch.get_num_threads()
    assert set(found["extras"]) >= {"plot", "report", "fetch"}


def test_a_model_alone_predicts_too(place, test, clf):
    file = place / "run" / "model.sk_erts"
    rows = as_json("predict", file, f"npz:{place / 'test.npz'}")["predictions"]
    assert [r["predicted"] for r in rows] == clf.predict(test["X"]).tolist()
    assert "does not tell its own" in error_of("audit", file, code=2)


def test_benchmark_spends_on_the_control_what_erts_took(place, tmp_path):
    found = as_json(
        "benchmark",
        f"npz:{place / 'train.npz'}",
        "--test",
        f"npz:{place / 'test.npz'}",
        *WORDS,
        "--set",
        "looks__first_step=0",
        "--max-epochs",
        8,
    )
    rows = {row["scheme"]: row for row in found["schemes"]}
    assert list(rows) == ["full data", "DBPD", "ERTS", "shorter"]
    assert (found["n_train"], found["n_test"]) == (60, 30)
    assert rows["full data"]["effective_epochs"] == 8
    assert rows["full data"]["kept"] == 1
    assert rows["DBPD"]["effective_epochs"] < rows["ERTS"]["effective_epochs"] < 8
    spent = rows["ERTS"]["effective_epochs"]
    assert rows["shorter"]["effective_epochs"] == pytest.approx(spent, abs=0.05)
    assert all(0 <= row["macro_auc"] <= 1 for row in rows.values())


def test_benchmark_keeps_patients_apart():
    from sk_erts._cli._compare import train_and_test
    from sk_erts._cli._data import Data
    from sk_erts._cli._settings import Settings

    names = np.arange(40).astype(str)
    whole = Data(np.zeros((40, 1, 9)), np.arange(40) % 2, names, np.arange(40) // 4)
    train, test = train_and_test(
        Settings("npz:x"), None, None, None, lambda *asked: whole
    )
    assert len(train) + len(test) == 40
    assert len(test) == 12
    assert set(train.groups) & set(test.groups) == set()


@pytest.mark.parametrize("words", [["nothing"], ["synthetic", "--test-folds", "9"]])
def test_benchmark_refuses(words):
    assert error_of("benchmark", *words, code=2)
