"""Convolutions of state spaces without a Fourier transform, for other runtimes."""

from __future__ import annotations

from math import pi

import torch
from torch import nn
from torch.nn import functional

from sk_erts.models._s4d1d import _StateSpaces

__all__ = ["without_transforms"]


def without_transforms(module: nn.Module, x: torch.Tensor) -> None:
    """Let the state spaces of a network do without a Fourier transform.

    Runtimes for ONNX are slow at one whose length is no power of two, or have none.

    Parameters
    ----------
    module : Module
        Is changed: afterwards it takes records of the length of `x` alone.
    x : tensor of shape (n, leads, times)
        Records.
    """
    steps: dict[nn.Module, int] = {}
    found = [part for part in module.modules() if isinstance(part, _StateSpaces)]
    if not found:
        return
    hooks = [
        part.register_forward_hook(
            lambda part, inputs, output: steps.update({part: output.shape[-1]})
        )
        for part in found
    ]
    with torch.no_grad():
        module(x)
    for hook in hooks:
        hook.remove()
    for parent in list(module.modules()):
        for name, part in list(parent.named_children()):
            if isinstance(part, _StateSpaces):
                setattr(parent, name, _Convolved(part, steps[part]))


class _Convolved(nn.Module):
    r"""The same state spaces, for records of one length.

    A transform of :math:`N = PQ` values is one of P values, a rotation, and one of Q
    values (Cooley and Tukey, 10.1090/S0025-5718-1965-0178586-1). N is a power of two,
    and P and Q are near its root, so that both are products with small matrices.
    """

    def __init__(self, states: _StateSpaces, n_times: int) -> None:
        super().__init__()
        dtype = states.skip.dtype
        self.n_times = n_times
        n_bits = (2 * n_times - 1).bit_length()
        self.shape = p, q = 2 ** (n_bits // 2), 2 ** (n_bits - n_bits // 2)
        with torch.no_grad():
            forwards, backwards = states.double().kernels(n_times)
        around = torch.zeros(len(forwards), p * q, dtype=torch.double)
        around[:, :n_times] = forwards
        around[:, -n_times:] += backwards.flip(-1)
        # The value k of the spectrum stands at row k % p and column k // p.
        spectrum = torch.fft.fft(around).reshape(-1, q, p).transpose(1, 2) / (p * q)
        parts = {
            "rows": _turns(p, p, p),
            "columns": _turns(q, q, q),
            "turns": _turns(p, q, p * q),
            "spectrum": spectrum,
        }
        for name, value in parts.items():
            self.register_buffer(f"{name}_real", value.real.to(dtype).contiguous())
            self.register_buffer(f"{name}_imag", value.imag.to(dtype).contiguous())
        self.register_buffer("skip", states.skip.detach().to(dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, channels, times) to the same shape."""
        n, n_channels, n_times = -1, x.shape[1], self.n_times
        p, q = self.shape
        z = functional.pad(x, (0, p * q - n_times)).reshape(n, n_channels, p, q)
        real, imag = self.rows_real @ z, self.rows_imag @ z
        real, imag = self._turned(real, imag, "turns", 1)
        real, imag = self._mixed(real, imag, 1)
        real, imag = self._turned(real, imag, "spectrum", 1)
        real, imag = self._mixed(real, imag, -1)
        real, imag = self._turned(real, imag, "turns", -1)
        y = self.rows_real @ real + self.rows_imag @ imag
        result: torch.Tensor = y.reshape(n, n_channels, p * q)[..., :n_times]
        return result + self.skip * x

    def _turned(
        self, real: torch.Tensor, imag: torch.Tensor, name: str, sign: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the product with complex numbers, or their conjugates."""
        a, b = getattr(self, f"{name}_real"), sign * getattr(self, f"{name}_imag")
        return real * a - imag * b, real * b + imag * a

    def _mixed(
        self, real: torch.Tensor, imag: torch.Tensor, sign: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the transform of each row, or its inverse."""
        a, b = self.columns_real, sign * self.columns_imag
        return real @ a - imag @ b, real @ b + imag @ a

    rows_real: torch.Tensor
    rows_imag: torch.Tensor
    columns_real: torch.Tensor
    columns_imag: torch.Tensor
    skip: torch.Tensor


def _turns(n: int, m: int, period: int) -> torch.Tensor:
    """Return the powers of a root of one, (n, m)."""
    steps = torch.outer(torch.arange(n), torch.arange(m)).double()
    return torch.exp(-2j * pi * steps / period)
