"""How does an electrocardiogram go on? A recurrence of learned degree continues it.

A `TensorPowerLayer` reads 3 s of a record, five samples at a time, and says what comes
next. What it has said is what it reads then, and so on for half a second. Two controls:
the signal stays where it is, and the signal does what it did one beat before.
"""

import numpy as np
import torch
from torch import nn

from sk_erts.datasets import make_ecg
from sk_erts.models import TensorPowerLayer

FS, N_LEADS, PIECE = 100, 2, 5  # Hz; leads; samples that are read together
SEEN, AHEAD = 300, 50  # samples


class Forecaster(nn.Module):
    """Sequence to sequence: the layer that has read the past writes the future."""

    def __init__(self, hidden=48, rank=32):
        super().__init__()
        n_inputs = N_LEADS * PIECE
        self.layer = TensorPowerLayer(n_inputs, hidden, rank)
        self.say = nn.Linear(hidden, n_inputs)

    def forward(self, x):
        states, _ = self.layer(x)
        return x + self.say(states)  # what follows each piece (n, pieces, inputs)

    @torch.no_grad()
    def go_on(self, x, n_pieces):
        piece, state, said = x[:, -1], None, []
        _, state = self.layer(x[:, :-1])
        for _ in range(n_pieces):
            _, state = self.layer(piece[:, None], state)
            piece = piece + self.say(state)
            said.append(piece)
        return torch.stack(said, dim=1)


def pieces(X):
    """Turn (n, leads, times) into (n, pieces, leads * samples)."""
    x = torch.from_numpy(X).unflatten(2, (-1, PIECE))  # (n, leads, pieces, samples)
    return x.transpose(1, 2).flatten(2)


def one_beat_before(X):
    """Repeat each record (n, leads, times) from where it was most like its end."""
    forecasts = np.empty((*X.shape[:2], AHEAD), dtype=X.dtype)
    for forecast, record in zip(forecasts, X, strict=True):
        lags = range(AHEAD, 150)
        end = record[:, -100:]
        off = [np.abs(end - record[:, -100 - lag : -lag]).mean() for lag in lags]
        lag = lags[int(np.argmin(off))]
        forecast[:] = record[:, -lag:][:, :AHEAD]
    return forecasts


def draw(n, seed):
    """Return records of the same length, in mV."""
    X, _ = make_ecg(
        n, N_LEADS, FS, (SEEN + AHEAD) / FS, classes=["NORM"], random_state=seed
    )
    return X.astype(np.float32)


torch.manual_seed(0)
X, X_test = draw(400, 0), draw(100, 1)
network = Forecaster()
optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 240)
x = pieces(X)
for step in range(240):
    batch = x[torch.randperm(len(x))[:64]]
    loss = (network(batch[:, :-1]) - batch[:, 1:]).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    if step % 60 == 59:
        print(f"step {step + 1}: error of the next piece {loss.item() ** 0.5:.3f} mV")

past, future = X_test[:, :, :SEEN], X_test[:, :, SEEN:]
said = network.go_on(pieces(past), AHEAD // PIECE)  # (n, pieces, leads * samples)
said = said.unflatten(2, (N_LEADS, PIECE)).transpose(1, 2).flatten(2).numpy()
forecasts = {
    "stays where it is": np.repeat(past[:, :, -1:], AHEAD, axis=2),
    "as one beat before": one_beat_before(past),
    "tensor-power recurrence": said,
}
print(f"\nForecast of {AHEAD / FS:g} s, root of the mean square error:")
for name, forecast in forecasts.items():
    print(f"{name}: {np.sqrt(np.square(forecast - future).mean()):.3f} mV")
print(f"\nThe degree of the recurrence went from 2 to {network.layer.degree:.2f}.")
