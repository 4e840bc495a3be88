"""The example on pre-training does what it says."""

import re

from matplotlib import image

from tests.test_examples import run


def test_reports_teach_what_sentences_ask(tmp_path):
    path = tmp_path / "map.png"
    told = run("pretraining.py", str(path), cwd=tmp_path)
    scores = dict(re.findall(r"^(.+?) +accuracy ([\d.]+)$", told, re.MULTILINE))
    assert list(scores) == [
        "sentences, no label",
        "10 labels, from scratch",
        "10 labels, encoder trained further",
        "10 labels, linear on embeddings",
    ]
    assert float(scores["sentences, no label"]) > 0.9
    assert float(scores["10 labels, linear on embeddings"]) > 0.8
    first, five = re.findall(r"first \d of (\d+): (\d+)%", told)
    assert int(first[1]) > 100 / int(first[0])
    assert int(five[1]) > 1.5 * 100 * 5 / int(five[0])
    inside = int(re.search(r"inside the ST segments: (\d+)%", told)[1])
    assert inside > int(re.search(r"segments are (\d+)% of the time", told)[1])
    assert image.imread(path).std() > 0.05
    path.unlink()
    assert list(tmp_path.iterdir()) == []
