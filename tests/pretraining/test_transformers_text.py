"""A text encoder of the library transformers, from a folder."""

import copy
import pickle

import numpy as np
import pytest
import torch

from sk_erts.pretraining import ECGTextPretrainer
from sk_erts.pretraining._text_encoders import TransformersEncoder
from tests.conftest import hide
from tests.pretraining.conftest import make, pairs

X, REPORTS = pairs()


def test_the_missing_package_names_the_extra(monkeypatch, tmp_path):
    hide(monkeypatch, "transformers")
    message = r"(?s)needs the package transformers.*pip install .*\[text\]"
    with pytest.raises(ImportError, match=message):
        make(text=str(tmp_path)).fit(X, REPORTS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of a tiny model with random weights, and its tokenizer."""
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    words = sorted({word for text in REPORTS for word in text.lower().split()})
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", *words])}
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]")
    )
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]"
    )
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bert")
    transformers.BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def fitted(folder):
    return make(text=folder).fit(X, REPORTS)


def said(pretrainer):
    return [
        pretrainer.transform(X),
        pretrainer.embed_text(REPORTS),
        pretrainer.similarity(X, REPORTS[:4]),
        pretrainer.predict_proba_zero_shot(X, REPORTS[:4]),
        pretrainer.uncertainty(X),
        pretrainer.explain(X[:4], REPORTS[0]),
    ]


def assert_same(one, other):
    for values, found in zip(said(one), said(other), strict=True):
        np.testing.assert_array_equal(found, values)


def test_it_tells_texts_apart(fitted):
    found = fitted.embed_text([REPORTS[0], REPORTS[5], "Unheard of."])
    assert np.isfinite(found).all()
    apart = found @ found.T
    assert apart[~np.eye(3, dtype=bool)].max() < 0.999


def test_the_same_seed_is_the_same_training(fitted, folder):
    assert_same(fitted, make(text=folder).fit(X, REPORTS))


def test_the_model_is_left_as_it_is(folder):
    encoder = TransformersEncoder(folder, 16)
    before = [own.clone() for own in encoder._model().state_dict().values()]
    trained = make(text=folder).fit(X, REPORTS).net_.criterion_.text
    after = trained._model().state_dict().values()
    assert all(map(torch.equal, before, after))
    assert not any(own.requires_grad for own in trained._model().parameters())
    names = {name for name, _ in trained.named_parameters()}
    assert names == {"norm.weight", "norm.bias", "head.weight", "head.bias"}


def test_what_is_read_is_what_was_saved(fitted, tmp_path):
    fitted.save(tmp_path / "a")
    assert_same(fitted, ECGTextPretrainer.load(tmp_path / "a"))


def test_neither_file_nor_pickle_holds_the_model(fitted, tmp_path):
    fitted.save(tmp_path / "a")
    (weight,) = {
        own.numpy().tobytes()
        for name, own in fitted.net_.criterion_.text._model().state_dict().items()
        if name == "embeddings.word_embeddings.weight"
    }
    assert len(weight) > 500
    for whole in ((tmp_path / "a").read_bytes(), pickle.dumps(fitted)):
        assert weight[:500] not in whole
    assert_same(fitted, pickle.loads(pickle.dumps(fitted)))


def test_a_copy_says_the_same(fitted):
    assert_same(fitted, copy.deepcopy(fitted))
    encoder = fitted.net_.criterion_.text
    twin = copy.deepcopy(encoder)
    assert torch.equal(twin.outputs(REPORTS), encoder.outputs(REPORTS))
    assert twin.head.weight is not encoder.head.weight


def test_a_text_is_what_it_is_in_any_company(fitted):
    long = " ".join(REPORTS[:3])
    together = fitted.embed_text([*REPORTS[:6], long] * 20)
    for i in range(6):
        alone = fitted.embed_text([REPORTS[i]])
        np.testing.assert_allclose(together[i], alone[0], atol=1e-5)
        np.testing.assert_allclose(together[i + 70], alone[0], atol=1e-5)


def test_a_mean_over_words_knows_no_padding(folder):
    encoder = TransformersEncoder(folder, 16)
    short, long = REPORTS[0], " ".join(REPORTS[:4])
    both = encoder.prepared([short, long])
    model, tokenizer = encoder._model(), encoder._loaded[1]
    with torch.no_grad():
        z = model(**tokenizer([short], return_tensors="pt")).last_hidden_state
    np.testing.assert_allclose(both[0], z[0].mean(dim=0), atol=1e-5)


def test_what_stands_behind_the_longest_is_left_out(folder):
    encoder = TransformersEncoder(folder, 16, longest=3)
    one, other = "no bump. early. late.", "no bump. early. early."
    np.testing.assert_allclose(*encoder.prepared([one, other]), atol=1e-6)


def test_a_text_longer_than_the_model_reads_is_cut(fitted):
    found = fitted.embed_text([" ".join(REPORTS)])
    assert np.isfinite(found).all()


def test_a_folder_without_a_model(tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(ValueError, match="'text' parameter of ECGTextPretrainer must"):
        make(text=str(tmp_path)).fit(X, REPORTS)


def test_a_folder_that_has_gone_is_missed_on_loading(fitted, tmp_path):
    fitted.save(tmp_path / "a")
    with pytest.raises(ValueError, match="'text' parameter of ECGTextPretrainer"):
        ECGTextPretrainer.load(tmp_path / "a", text=str(tmp_path / "gone"))


def test_guessing_words_is_none_of_its_business(folder):
    one = make(text=folder, masked_words=0.1, max_epochs=1).fit(X, REPORTS)
    other = make(text=folder, masked_words=5.0, max_epochs=1).fit(X, REPORTS)
    assert_same(one, other)
