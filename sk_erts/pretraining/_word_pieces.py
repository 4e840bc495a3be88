"""Reports as numbers: sentences, word pieces, tables of them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import torch

from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import BoolArray, IntArray

__all__ = ["MASK", "PADDING", "Tokens", "WordPieces", "sentences_of"]

PADDING, MASK, UNKNOWN = 0, 1, 2
SPECIAL = ["[PAD]", "[MASK]", "[UNK]"]
# A full stop ends a sentence unless a number goes on behind it.
END_OF_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+")


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text.

    Examples
    --------
    >>> from sk_erts.pretraining._word_pieces import sentences_of
    >>> sentences_of("Sinus rhythm. ST elevation of 0.2 mV in V2.")
    ['Sinus rhythm.', 'ST elevation of 0.2 mV in V2.']
    """
    found = [part.strip() for part in END_OF_SENTENCE.split(text)]
    return [part for part in found if part] or [text]


@dataclass(frozen=True)
class Tokens:
    """Texts as sentences, and these as word pieces; each different sentence once.

    Attributes
    ----------
    pieces : int ndarray of shape (n_sentences, n_pieces)
        Numbers of the pieces of each sentence; `PADDING` behind the last one.
    sentences : int ndarray of shape (n_texts, n_in_a_text)
        Rows of `pieces` that a text consists of; -1 behind the last one.
    """

    pieces: IntArray
    sentences: IntArray

    def __len__(self) -> int:
        return len(self.sentences)

    def batch(
        self, index: IntArray, drawn: BoolArray | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the sentences of some texts, of which some may be left out.

        Parameters
        ----------
        index : int ndarray of shape (n,)
            Rows of texts.
        drawn : bool ndarray of shape (n, n_in_a_text), optional
            Which sentences stay; of a text that would lose all, all do. By default all.

        Returns
        -------
        pieces : int64 tensor of shape (n_sentences, n_pieces)
            Different sentences, as short as they can be.
        weights : float32 tensor of shape (n, n_sentences)
            What each is of a text: rows sum to 1.
        """
        rows = self.sentences[index]
        stays = rows >= 0
        if drawn is not None:
            some = stays & drawn
            stays = np.where(some.any(axis=1, keepdims=True), some, stays)
        texts, _ = np.nonzero(stays)
        distinct, where = np.unique(rows[stays], return_inverse=True)
        weights = np.zeros((len(index), len(distinct)), dtype=np.float32)
        np.add.at(weights, (texts, where), 1)
        weights /= weights.sum(axis=1, keepdims=True)
        pieces = self.pieces[distinct]
        longest = max(1, int((pieces != PADDING).sum(axis=1).max()))
        shortened = pieces[:, :longest].astype(np.int64)
        return torch.from_numpy(shortened), torch.from_numpy(weights)


class WordPieces:
    """Cut texts into the pieces of words that are frequent in some of them.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Learned, or read.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @classmethod
    def learn(cls, texts: Sequence[str], n_pieces: int) -> WordPieces:
        """Learn the pieces of some texts.

        Parameters
        ----------
        texts : sequence of str
            Reports.
        n_pieces : int
            How many pieces to tell apart, at most.

        Returns
        -------
        pieces : WordPieces
            Small letters, digits one by one.
        """
        library = _library()
        tokenizer = library.Tokenizer(
            library.models.WordPiece(unk_token=SPECIAL[UNKNOWN])
        )
        tokenizer.normalizer = library.normalizers.Sequence(
            [library.normalizers.NFKC(), library.normalizers.Lowercase()]
        )
        tokenizer.pre_tokenizer = library.pre_tokenizers.Sequence(
            [
                library.pre_tokenizers.BertPreTokenizer(),
                library.pre_tokenizers.Digits(individual_digits=True),
            ]
        )
        # Numbered at random by the library, which goes by them where pieces are tied.
        normal, split = tokenizer.normalizer, tokenizer.pre_tokenizer
        words = {word for text in texts for word in normal.normalize_str(text).split()}
        cut = [part for word in words for part, _ in split.pre_tokenize_str(word)]
        letters = sorted({f"##{letter}" for part in cut for letter in part[1:]})
        trainer = library.trainers.WordPieceTrainer(
            vocab_size=n_pieces, special_tokens=SPECIAL + letters, show_progress=False
        )
        tokenizer.train_from_iterator(texts, trainer)
        found = library.models.WordPiece(
            tokenizer.get_vocab(), unk_token=SPECIAL[UNKNOWN]
        )
        tokenizer = library.Tokenizer(found)
        tokenizer.normalizer, tokenizer.pre_tokenizer = normal, split
        return cls(tokenizer)

    @classmethod
    def read(cls, told: str) -> WordPieces:
        """Return what `told` has written down.

        Raises
        ------
        ValueError
            If it is something else.
        """
        try:
            return cls(_library().Tokenizer.from_str(told))
        except Exception as error:  # the library raises no narrower one
            raise ValueError(f"its word pieces cannot be read: {error}") from error

    def told(self) -> str:
        """Return all that it is as a text, in JSON."""
        return str(self.tokenizer.to_str())

    @property
    def n_pieces(self) -> int:
        """How many pieces there are, the special ones among them."""
        return int(self.tokenizer.get_vocab_size())

    def tokens(self, texts: Sequence[str], longest: int) -> Tokens:
        """Return texts as numbers.

        Parameters
        ----------
        texts : sequence of str
            One or more.
        longest : int
            Pieces of a sentence that are kept.

        Returns
        -------
        tokens : Tokens
            A text each.
        """
        parts = [sentences_of(text) for text in texts]
        known = {own: i for i, own in enumerate(dict.fromkeys(chain(*parts)))}
        encoded = self.tokenizer.encode_batch(list(known))
        pieces = _padded([each.ids[:longest] or [UNKNOWN] for each in encoded], PADDING)
        return Tokens(pieces, _padded([[known[o] for o in own] for own in parts], -1))


def _padded(rows: Sequence[Sequence[int]], behind: int) -> IntArray:
    """Return rows of different lengths as one array."""
    table = np.full((len(rows), max(map(len, rows))), behind, dtype=np.int32)
    for own, row in zip(table, rows, strict=True):
        own[: len(row)] = row
    return table


def _library() -> Any:
    # Its threads would warn wherever a loader or joblib forks.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return import_optional(
        "tokenizers", extra="pretraining", purpose="A text encoder of ECGTextPretrainer"
    )
