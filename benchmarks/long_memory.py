"""How much do recurrent networks still know after some hundred steps? The tensor power.

``python -m benchmarks.long_memory`` trains four networks with as many parameters as
each other on tasks of the literature on long memory, and prints their scores on
sequences drawn anew:

adding
    Of as many numbers between 0 and 1 as there are steps, two are marked, one in each
    half; what is their sum? The score is the mean square error: 0.167 for who always
    answers 1.
copying
    Ten symbols of eight kinds, then a long pause; at the end of it, what were they? The
    score is the share of right symbols: 0.125 by chance.

"degree 1" is the tensor-power recurrence with its degree held at 1: what it lacks to
the other is what the degree is worth, and what it has over the plain network is owed to
the share of itself that each state keeps. All have the same optimiser, steps, sequences
and seeds; nothing is chosen by the score.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sk_erts.models import TensorPowerLayer

N_SYMBOLS, N_COPIED = 8, 10
BATCH_SIZE = 64
N_TEST = 500


class Reader(nn.Module):
    """A recurrent core, and what is read from its last states."""

    def __init__(self, core: nn.Module, hidden: int, n_outputs: int, n_last: int):
        super().__init__()
        self.core = core
        self.out = nn.Linear(hidden, n_outputs)
        self.n_last = n_last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, times, inputs) to (n, n_last, outputs)."""
        states, _ = self.core(x)
        said: torch.Tensor = self.out(states[:, -self.n_last :])
        return said


def degree_one(n_inputs: int, hidden: int) -> nn.Module:
    layer = TensorPowerLayer(n_inputs, hidden, hidden)
    with torch.no_grad():
        layer.excess.fill_(-40.0)  # of which softplus is 0
    layer.excess.requires_grad_(False)
    return layer


CORES: dict[str, Callable[[int, int], nn.Module]] = {
    "RNN": lambda n, hidden: nn.RNN(n, hidden, batch_first=True),
    "LSTM": lambda n, hidden: nn.LSTM(n, hidden, batch_first=True),
    "degree 1": degree_one,
    "tensor power": lambda n, hidden: TensorPowerLayer(n, hidden, hidden),
}


@dataclass(frozen=True)
class Task:
    """Sequences with what is asked of them, and how answers are judged."""

    n_inputs: int
    n_outputs: int
    n_last: int
    draw: Callable[[int, int, torch.Generator], tuple[torch.Tensor, torch.Tensor]]
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    score: Callable[[torch.Tensor, torch.Tensor], float]


def draw_adding(n: int, length: int, generator: torch.Generator):
    values = torch.rand(n, length, generator=generator)
    marks = torch.zeros(n, length)
    half = length // 2
    for low, high in ((0, half), (half, length)):
        marks.scatter_(1, torch.randint(low, high, (n, 1), generator=generator), 1.0)
    total = (values * marks).sum(dim=1)
    return torch.stack([values, marks], dim=2), total[:, None, None]


def draw_copying(
    n: int, length: int, generator: torch.Generator, n_copied: int = N_COPIED
):
    """Symbols, `length` steps of pause, and steps at which symbols are asked for."""
    symbols = torch.randint(0, N_SYMBOLS, (n, n_copied), generator=generator)
    pause = torch.full((n, length), N_SYMBOLS)
    asked = torch.full((n, n_copied), N_SYMBOLS + 1)
    read = torch.cat([symbols, pause, asked], dim=1)
    return functional.one_hot(read, N_SYMBOLS + 2).float(), symbols


def copying(n_copied: int) -> Task:
    return Task(
        N_SYMBOLS + 2,
        N_SYMBOLS,
        n_copied,
        partial(draw_copying, n_copied=n_copied),
        lambda said, true: functional.cross_entropy(said.flatten(0, 1), true.flatten()),
        lambda said, true: (said.argmax(dim=2) == true).float().mean().item(),
    )


TASKS = {
    "adding": Task(
        2,
        1,
        1,
        draw_adding,
        functional.mse_loss,
        lambda said, true: functional.mse_loss(said, true).item(),
    ),
    "copying": copying(N_COPIED),
    "recall": copying(1),
}


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def network_for(name: str, task: Task, budget: int) -> Reader:
    """Return the largest network of a kind within a budget of parameters."""

    def make(hidden: int) -> Reader:
        core = CORES[name](task.n_inputs, hidden)
        return Reader(core, hidden, task.n_outputs, task.n_last)

    hidden = 1
    while n_parameters(make(hidden + 1)) <= budget:
        hidden += 1
    return make(hidden)


def train(
    network: Reader, task: Task, length: int, steps: int, lr: float, seed: int
) -> float:
    """Train on sequences drawn anew for each step; return the score on others."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        x, true = task.draw(BATCH_SIZE, length, generator)
        loss = task.loss(network(x), true)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        x, true = task.draw(N_TEST, length, torch.Generator().manual_seed(10**6))
        return task.score(network(x), true)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--networks", nargs="+", default=list(CORES), choices=CORES)
    parser.add_argument("--length", type=int, default=200)
    parser.add_argument("--parameters", type=int, default=600)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    print("| task | length | network | parameters | score | by seed | degree | s |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.tasks:
        for kind in options.networks:
            scores, degrees = [], []
            start = time.process_time()
            for seed in options.seeds:
                torch.manual_seed(seed)
                network = network_for(kind, TASKS[name], options.parameters)
                scores.append(
                    train(
                        network,
                        TASKS[name],
                        options.length,
                        options.steps,
                        options.lr,
                        seed,
                    )
                )
                degrees.append(getattr(network.core, "degree", torch.tensor(torch.nan)))
            seconds = (time.process_time() - start) / len(options.seeds)
            degree = float(np.mean([each.item() for each in degrees]))
            by_seed = " ".join(f"{score:.4f}" for score in scores)
            print(
                f"| {name} | {options.length} | {kind} | {n_parameters(network)} | "
                f"{np.mean(scores):.4f} | {by_seed} | "
                f"{'' if np.isnan(degree) else f'{degree:.2f}'} | {seconds:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
