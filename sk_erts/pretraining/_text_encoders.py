"""Reports in, distributions out: an encoder of one's own, or one of others."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sk_erts._lib.optional import import_optional
from sk_erts._lib.typing import FloatArray, IntArray
from sk_erts.pretraining._word_pieces import MASK, PADDING, Tokens, WordPieces

__all__ = ["OwnEncoder", "TextEncoder", "TransformersEncoder"]

# Texts, or sentences, that go through an encoder at a time.
N_AT_ONCE = 64
SHARE_MASKED = 0.15
N_HEADS = 4


class TextEncoder(nn.Module):
    """What turns texts into the outputs that `Gaussians.of` reads."""

    #: What of it is no tensor, and has to be written down.
    told: str = ""

    @abstractmethod
    def prepared(self, texts: Sequence[str]) -> Any:
        """Return what is kept of texts while they are trained on."""

    @abstractmethod
    def encode(self, prepared: Any, index: IntArray) -> torch.Tensor:
        """Return the outputs (n, n_outputs) of prepared texts, by row."""

    def second_view(
        self, prepared: Any, index: IntArray
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the outputs of another view of texts, and what guessing words cost."""
        outputs = self.encode(prepared, index)
        return outputs, outputs.new_zeros(())

    def outputs(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the outputs (n, n_outputs) of texts, batch by batch.

        Parameters
        ----------
        texts : sequence of str
            One or more.

        Returns
        -------
        outputs : tensor of shape (n, n_outputs)
            On the device of the encoder, without a gradient.
        """
        return self.of_all(self.prepared(texts), len(texts))

    def of_all(self, prepared: Any, n_texts: int) -> torch.Tensor:
        """Return the outputs of all prepared texts, without a gradient."""
        was_training = self.training
        self.eval()
        try:
            with torch.no_grad():
                parts = [
                    self.encode(prepared, np.arange(n_texts)[start : start + N_AT_ONCE])
                    for start in range(0, n_texts, N_AT_ONCE)
                ]
        finally:
            self.train(was_training)
        return torch.cat(parts)


@dataclass(frozen=True)
class OwnSize:
    """How large the encoder is that is trained with the records.

    Attributes
    ----------
    n_pieces : int
        Word pieces that are told apart, at most.
    longest : int
        Pieces of a sentence that are read; what stands behind them is left out.
    width, depth : int
        Channels, and layers of attention.
    dropout : float
        Probability with which training leaves out a channel.
    sentence_dropout : float
        Probability with which training leaves out a sentence.
    """

    n_pieces: int = 2000
    longest: int = 64
    width: int = 64
    depth: int = 1
    dropout: float = 0.0
    sentence_dropout: float = 0.5


class OwnEncoder(TextEncoder):
    """A small transformer over word pieces, trained with the records.

    Each sentence is read by itself, and a text is the mean of its sentences: reports
    are made of few sentences that come again and again, which are read once for a
    batch; and a sentence that stands for a class is read as it was in the reports.

    Parameters
    ----------
    pieces : WordPieces
        How sentences are cut.
    n_outputs : int
        Numbers for each text.
    size : OwnSize, optional
        Of the network.
    """

    def __init__(
        self, pieces: WordPieces, n_outputs: int, size: OwnSize | None = None
    ) -> None:
        super().__init__()
        self.told: str = pieces.told()
        self.size = size = OwnSize() if size is None else size
        self.words = nn.Embedding(pieces.n_pieces, size.width, padding_idx=PADDING)
        self.places = nn.Embedding(size.longest, size.width)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                size.width,
                N_HEADS,
                2 * size.width,
                size.dropout,
                batch_first=True,
                norm_first=True,
            )
            for _ in range(size.depth)
        )
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, n_outputs)
        self.guess = nn.Linear(size.width, size.width)
        for table in (self.words, self.places):
            nn.init.normal_(table.weight, std=size.width**-0.5)
        with torch.no_grad():
            self.words.weight[PADDING] = 0

    def prepared(self, texts: Sequence[str]) -> Tokens:
        """Return the word pieces of texts."""
        return WordPieces.read(self.told).tokens(texts, self.size.longest)

    def encode(self, prepared: Tokens, index: IntArray) -> torch.Tensor:
        """Return the outputs of texts; training leaves out sentences."""
        pieces, weights = self._sentences(prepared, index)
        order, parts = self._by_length(pieces)
        said = [_mean(self._read(part), part) for part in parts]
        outputs: torch.Tensor = self.head(weights[:, order] @ torch.cat(said))
        return outputs

    def second_view(
        self, prepared: Tokens, index: IntArray
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Leave out other sentences, and words, and guess these."""
        pieces, weights = self._sentences(prepared, index)
        order, parts = self._by_length(pieces)
        said, states, words = [], [], []
        for part in parts:
            drawn = torch.rand(part.shape, device=part.device) < SHARE_MASKED
            drawn &= part != PADDING
            z = self._read(part.masked_fill(drawn, MASK))
            said.append(_mean(z, part))
            states.append(z[drawn])
            words.append(part[drawn])
        outputs = self.head(weights[:, order] @ torch.cat(said))
        if not sum(map(len, words)):
            return outputs, outputs.new_zeros(())
        guessed = self.guess(torch.cat(states)) @ self.words.weight.T
        return outputs, functional.cross_entropy(guessed, torch.cat(words))

    def _sentences(
        self, prepared: Tokens, index: IntArray
    ) -> tuple[torch.Tensor, torch.Tensor]:
        drawn = None
        share = self.size.sentence_dropout
        if self.training and share > 0:
            # By torch's generator, which a training lends, and is written down.
            chance = torch.rand(len(index), prepared.sentences.shape[1])
            drawn = (chance >= share).numpy()
        pieces, weights = prepared.batch(index, drawn)
        device = self.words.weight.device
        return pieces.to(device), weights.to(device)

    def _by_length(
        self, pieces: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return sentences in groups, so that short ones are not read as long ones."""
        lengths = (pieces != PADDING).sum(dim=1)
        order = lengths.argsort(stable=True)
        groups = torch.split(order, N_AT_ONCE)
        return order, [pieces[own, : int(lengths[own].max())] for own in groups]

    def _read(self, pieces: torch.Tensor) -> torch.Tensor:
        """Return hidden states (n, n_pieces, width)."""
        places = torch.arange(pieces.shape[1], device=pieces.device)
        z = self.words(pieces) + self.places(places)
        for layer in self.layers:
            z = layer(z, src_key_padding_mask=pieces == PADDING)
        read: torch.Tensor = self.norm(z)
        return read


def _mean(z: torch.Tensor, pieces: torch.Tensor) -> torch.Tensor:
    """Return the means of hidden states over the pieces that there are."""
    there = (pieces != PADDING).to(z)[..., None]
    return (z * there).sum(dim=1) / there.sum(dim=1)


class TransformersEncoder(TextEncoder):
    """A model of the library transformers, as it is, and a layer that is trained.

    Parameters
    ----------
    path : str
        Folder of the model and its tokenizer, or a name that the library knows.
    n_outputs : int
        Numbers for each text.
    longest : int, default=128
        Pieces of a text that are read.
    """

    def __init__(self, path: str, n_outputs: int, longest: int = 128) -> None:
        super().__init__()
        self.path = path
        self.longest = longest
        self._loaded: Any = None
        width = self._model().config.hidden_size
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, n_outputs)

    def prepared(self, texts: Sequence[str]) -> FloatArray:
        """Return the model's mean hidden states (n_texts, hidden_size)."""
        model, tokenizer = self._model(), self._loaded[1]
        most = getattr(model.config, "max_position_embeddings", self.longest)
        longest = min(self.longest, most, tokenizer.model_max_length)
        parts = []
        for start in range(0, len(texts), N_AT_ONCE):
            batch = tokenizer(
                list(texts[start : start + N_AT_ONCE]),
                padding=True,
                truncation=True,
                max_length=longest,
                return_tensors="pt",
            )
            with torch.no_grad():
                z = model(**batch).last_hidden_state
            weight = batch["attention_mask"].to(z)[..., None]
            parts.append(((z * weight).sum(1) / weight.sum(1)).numpy())
        return np.concatenate(parts)

    def encode(self, prepared: FloatArray, index: IntArray) -> torch.Tensor:
        """Return the outputs of the layer that is trained."""
        states = torch.from_numpy(prepared[index]).to(self.head.weight)
        outputs: torch.Tensor = self.head(self.norm(states))
        return outputs

    def _model(self) -> Any:
        """Return the model, which is loaded where it is asked for, and never copied."""
        if self._loaded is None:
            library = import_optional(
                "transformers", extra="text", purpose=f"text={self.path!r}"
            )
            try:
                own = {"local_files_only": os.path.isdir(self.path)}
                tokenizer = library.AutoTokenizer.from_pretrained(self.path, **own)
                model = library.AutoModel.from_pretrained(self.path, **own).eval()
            except (OSError, ValueError) as error:
                raise ValueError(
                    "The 'text' parameter of ECGTextPretrainer must be 'own', or a "
                    "folder with a model and a tokenizer of transformers. Got "
                    f"{self.path!r}: {error}"
                ) from error
            self._loaded = (model.requires_grad_(False), tokenizer)
        return self._loaded[0]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_loaded": None}

    def __deepcopy__(self, memo: dict[int, Any]) -> TransformersEncoder:
        twin = type(self)(self.path, self.head.out_features, self.longest)
        twin.load_state_dict(self.state_dict())
        twin.train(self.training)
        return twin
