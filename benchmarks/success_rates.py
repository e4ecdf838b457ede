"""Writes xortrain/views/success_rates.csv: of 1,000 seeds, how many nets learn XOR, with what and from where.

Each line is what this gives for its values, by the rule that every output is on its target's side of 1/2:
xortrain -m activation=relu 'architecture.hidden=[2]' init=randn lr=0.125 'seed=range(1000)' epochs=5000 film=none
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np

import xortrain.runner
from xortrain.config.compose import compose
from xortrain.runner.train import into_memory
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.outcome import code

SEEDS, EPOCHS = 1000, 5000
ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky_relu"]
HIDDEN = [2, 3, 4, 8]
STARTS = ["randn", "xavier_uniform", "he_uniform", "torch_default", "uniform"]
RATES = [0.0625, 0.125, 0.25, 0.5, 1.0, 2.0]  # of a sum over the examples: of their mean they are 4 times as large
FILE = Path(xortrain.runner.__file__).with_name("success_rates.csv")


def solved(activation: str, hidden: int, start: str) -> list[int]:
    """How many of the seeds are solved, for each rate."""
    net = [f"activation={activation}", f"architecture.hidden=[{hidden}]", f"init={start}"]
    config = compose([*net, f"epochs={EPOCHS}", "track.losses=2", "track.frames=2"])
    varying = {"lr": np.repeat(RATES, SEEDS), "seed": np.tile(np.arange(SEEDS, dtype=np.uint32), len(RATES))}
    build = Setup.of(Population(config, varying, np.arange(SEEDS * len(RATES))))
    outcome = into_memory(build)[1]["outcome"].reshape(len(RATES), SEEDS)
    return [int(n) for n in (outcome == code("solved")).sum(axis=1)]


def main() -> None:
    what = f"{SEEDS} seeds, {EPOCHS} epochs of data=xor loss=bce (sum) optimizer=sgd"
    lines = [f"# of {what}; made by python benchmarks/success_rates.py", "activation,hidden,init,lr,solved"]
    for activation, hidden, start in product(ACTIVATIONS, HIDDEN, STARTS):
        counts = solved(activation, hidden, start)
        lines += [f"{activation},{hidden},{start},{lr:g},{n}" for lr, n in zip(RATES, counts, strict=True)]
        print(activation, hidden, start, counts, file=sys.stderr)
    FILE.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
