"""Reports as sentences and word pieces, and the encoder that reads them."""

import itertools

import numpy as np
import pytest
import torch

from sk_erts.pretraining._text_encoders import OwnEncoder, OwnSize
from sk_erts.pretraining._word_pieces import PADDING, WordPieces, sentences_of
from tests.conftest import hide
from tests.pretraining.conftest import make, pairs

X, REPORTS = pairs()
TEXTS = [
    "Sinus rhythm. ST elevation of 0.2 mV in V2; no Q waves!",
    "Atrial fibrillation.",
    "Sinus rhythm. Left axis deviation. Atrial fibrillation. Prolonged QT (480 ms).",
]


@pytest.fixture(scope="module")
def pieces():
    return WordPieces.learn(TEXTS, 2000)


@pytest.fixture
def encoder(pieces):
    torch.manual_seed(0)
    return OwnEncoder(pieces, 6).eval()


def words_of(pieces, row):
    """Return the words that a row of numbers stands for."""
    ids = [int(i) for i in row if i != PADDING]
    tokens = [pieces.tokenizer.id_to_token(i) for i in ids]
    return " ".join(tokens).replace(" ##", "")


class TestSentences:
    @pytest.mark.parametrize(
        ("text", "sentences"),
        [
            ("One. Two.", ["One.", "Two."]),
            ("ST of 0.2 mV. QT 480.", ["ST of 0.2 mV.", "QT 480."]),
            ("1.5 to 2.5; then 3.", ["1.5 to 2.5;", "then 3."]),
            ("Why? So! Or\nnot", ["Why?", "So!", "Or", "not"]),
            ("One.\n\n  Two.\n", ["One.", "Two."]),
            ("no end", ["no end"]),
            ("V1.V2", ["V1.V2"]),
            ("...", ["..."]),
            ("Rate 72. 3.5 mV", ["Rate 72.", "3.5 mV"]),
        ],
    )
    def test_where_they_end(self, text, sentences):
        assert sentences_of(text) == sentences

    def test_nothing_is_lost(self):
        for text in [*TEXTS, *REPORTS]:
            together = "".join("".join(sentences_of(text)).split())
            assert together == "".join(text.split())


class TestPieces:
    def test_they_are_the_same_each_time(self):
        """The library draws lots for numbers, and by these for pieces."""
        found = {WordPieces.learn(TEXTS, n).told() for n in [60] * 8}
        assert len(found) == 1
        assert len({WordPieces.learn(REPORTS, 2000).told() for _ in range(8)}) == 1

    def test_no_more_than_asked_for(self):
        assert WordPieces.learn(TEXTS, 60).n_pieces == 60

    def test_what_is_read_is_what_was_told(self, pieces):
        other = WordPieces.read(pieces.told())
        one, two = (own.tokens(TEXTS, 64) for own in (pieces, other))
        assert np.array_equal(one.pieces, two.pieces)
        assert np.array_equal(one.sentences, two.sentences)
        assert other.n_pieces == pieces.n_pieces

    def test_something_else_is_refused(self):
        with pytest.raises(ValueError, match="word pieces cannot be read"):
            WordPieces.read("{}")

    def test_together_they_are_the_words(self, pieces):
        tokens = pieces.tokens(TEXTS, 64)
        for text, rows in zip(TEXTS, tokens.sentences, strict=True):
            found = [words_of(pieces, tokens.pieces[row]) for row in rows if row >= 0]
            sentences = sentences_of(text)
            assert len(found) == len(sentences)
            for words, sentence in zip(found, sentences, strict=True):
                assert words.replace(" ", "") == sentence.lower().replace(" ", "")

    def test_digits_stand_one_by_one(self, pieces):
        (row,) = pieces.tokens(["480"], 64).pieces
        assert words_of(pieces, row) == "4 8 0"

    def test_capitals_do_not_matter(self, pieces):
        one, other = (pieces.tokens([t], 64).pieces for t in ("RHYTHM", "rhythm"))
        assert np.array_equal(one, other)

    def test_a_sentence_that_comes_again_is_there_once(self, pieces):
        tokens = pieces.tokens(TEXTS, 64)
        assert len(tokens) == 3
        assert len(tokens.pieces) == len({s for t in TEXTS for s in sentences_of(t)})
        assert tokens.sentences[0, 0] == tokens.sentences[2, 0]

    def test_what_stands_behind_the_longest_is_left_out(self, pieces):
        whole = pieces.tokens(TEXTS, 64).pieces
        short = pieces.tokens(TEXTS, 3).pieces
        assert short.shape == (len(whole), 3)
        assert np.array_equal(short, whole[:, :3])

    @pytest.mark.parametrize("text", ["[PAD]", "[MASK]", "[UNK]", "[PAD] [PAD]."])
    def test_what_looks_like_a_mark_is_text(self, pieces, text):
        (row,) = pieces.tokens([text], 64).pieces
        assert len(row) >= 3
        assert PADDING not in row
        assert not (row == 1).any()

    def test_the_missing_package_names_the_extra(self, monkeypatch):
        hide(monkeypatch, "tokenizers")
        message = r"(?s)tokenizers.*pip install .*\[pretraining\]"
        with pytest.raises(ImportError, match=message):
            make().fit(X, REPORTS)


class TestBatches:
    @pytest.fixture
    def tokens(self, pieces):
        return pieces.tokens(TEXTS, 64)

    def test_a_text_is_the_mean_of_its_sentences(self, tokens):
        found, weights = tokens.batch(np.array([2, 0]))
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))
        assert (weights[0] > 0).sum() == 4
        assert weights[0].max() == 0.25
        distinct = {s for i in (0, 2) for s in sentences_of(TEXTS[i])}
        assert len(found) == weights.shape[1] == len(distinct)

    def test_a_sentence_twice_in_a_text_counts_twice(self, pieces):
        tokens = pieces.tokens(["One. Two. One."], 64)
        _, weights = tokens.batch(np.array([0]))
        assert sorted(weights[0].tolist()) == pytest.approx([1 / 3, 2 / 3])

    def test_of_any_that_are_left_out_one_stays_at_least(self, tokens):
        n = tokens.sentences.shape[1]
        full = tokens.batch(np.arange(3))[1].sum()
        assert full == 3
        for choice in itertools.product([False, True], repeat=n):
            drawn = np.array([choice] * 3)
            pieces, weights = tokens.batch(np.arange(3), drawn)
            torch.testing.assert_close(weights.sum(dim=1), torch.ones(3))
            for row, there in zip(weights, tokens.sentences >= 0, strict=True):
                expected = (there & choice).sum() or there.sum()
                assert (row > 0).sum() == expected
            assert len(pieces) == weights.shape[1]
            assert (weights.sum(dim=0) > 0).all()  # none is read for nothing

    def test_they_are_as_short_as_they_can_be(self, tokens):
        found, _ = tokens.batch(np.array([1]))
        assert (found != PADDING).all()


class TestEncoder:
    def test_a_text_is_what_it_is_in_any_company(self, encoder):
        together = encoder.outputs(TEXTS)
        for text, row in zip(TEXTS, together, strict=True):
            torch.testing.assert_close(encoder.outputs([text])[0], row)

    def test_of_more_than_go_in_at_a_time(self, encoder):
        found = encoder.outputs(TEXTS * 50)
        torch.testing.assert_close(found[147:], encoder.outputs(TEXTS))

    def test_the_order_of_sentences_does_not_matter(self, encoder):
        one = encoder.outputs(["Sinus rhythm. Left axis deviation."])
        other = encoder.outputs(["Left axis deviation.\nSinus rhythm."])
        torch.testing.assert_close(one, other)

    def test_the_order_of_words_does(self, encoder):
        one, other = encoder.outputs(["Left axis deviation.", "Axis left deviation."])
        assert (one - other).abs().max() > 1e-3

    def test_words_that_were_never_seen_have_a_place(self, encoder):
        texts = ["Ωμέγα 心電図 🙂", "\u200b", "[PAD]", "zzz" * 200, "%" * 500, "a\x00b"]
        found = encoder.outputs(texts)
        assert torch.isfinite(found).all()

    def test_evaluation_leaves_nothing_out(self, encoder):
        assert torch.equal(encoder.outputs(TEXTS), encoder.outputs(TEXTS))
        assert not encoder.training

    def test_training_leaves_out_sentences(self, encoder):
        encoder.train()
        prepared = encoder.prepared(TEXTS)
        index = np.full(400, 2)
        seen = encoder.encode(prepared, index).detach()
        distinct = np.unique(seen.numpy().round(4), axis=0)
        assert len(distinct) == 15  # any of the four, but not none
        single = encoder.encode(prepared, np.full(50, 1)).detach()
        torch.testing.assert_close(single, single[:1].expand(50, -1))
        assert encoder.outputs(TEXTS).std() > 0
        assert encoder.training  # as it was found

    def test_sentences_are_left_out_by_their_share(self, pieces):
        size = OwnSize(sentence_dropout=0.25)
        encoder = OwnEncoder(pieces, 6, size).train()
        prepared = encoder.prepared(TEXTS)
        torch.manual_seed(0)
        n = 4000
        _, weights = encoder._sentences(prepared, np.full(n, 2))
        stays = (weights > 0).float().sum().item() / (4 * n)
        # All four stay where all four were to go.
        expected = 0.75 + 0.25**4
        assert abs(stays - expected) < 5 * np.sqrt(0.25 * 0.75 / (4 * n))

    def test_words_to_guess_cost_as_much_as_chance_at_first(self, encoder):
        encoder.train()
        torch.manual_seed(0)
        prepared = encoder.prepared(TEXTS * 20)
        _, cost = encoder.second_view(prepared, np.arange(60))
        n_pieces = encoder.words.num_embeddings
        assert 0.5 * np.log(n_pieces) < cost.item() < 2 * np.log(n_pieces)

    def test_guessing_them_can_be_learned(self, pieces):
        torch.manual_seed(0)
        encoder = OwnEncoder(pieces, 6, OwnSize(sentence_dropout=0)).train()
        prepared = encoder.prepared(TEXTS)
        optimizer = torch.optim.Adam(encoder.parameters(), 3e-3)
        costs = []
        for _ in range(60):
            _, cost = encoder.second_view(prepared, np.arange(3))
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            costs.append(cost.item())
        assert np.mean(costs[-10:]) < 0.5 * np.mean(costs[:10])


def test_of_the_whole_estimator_an_unknown_word_has_a_place(fitted):
    found = fitted.embed_text(["Ωμέγα 心電図 🙂", "[PAD]", "\u200b."])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
