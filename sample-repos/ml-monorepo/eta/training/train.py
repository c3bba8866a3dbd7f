"""Trains a model: `train --preset NAME --out URI trips.jsonl…`."""

import itertools
import sys

import eta.training.early_stopping  # noqa: F401  registers the callback
from eta.common import logging
from eta.data.dataset import Dataset
from eta.data.splits import split
from eta.features.pipeline import vector
from eta.models.heads import make_head
from eta.models.zoo import make
from eta.training import checkpoint
from eta.training.callbacks import Callbacks
from eta.training.instantiate import instantiate
from eta.training.presets import PRESETS
from eta.training.trainer import Trainer
from flags import Flag, parse

FLAGS = [
    Flag("preset", str, "quick"),
    Flag("out", str, "mem://models/latest"),
    Flag("head", str, "quantile"),
]


def run(lines, preset: str, out: str, head: str) -> float:
    """Train on lines of JSON; the result is the last loss."""
    settings = PRESETS[preset]
    train, held = split(Dataset.from_lines(lines).trips)
    xs = [vector(trip) for trip in train]
    model = make(settings["model"], len(xs[0]))
    rate = instantiate(settings["schedule"]).rate(0)
    trainer = Trainer(model, settings["loss"], Callbacks(["early_stopping"]), rate)
    loss = trainer.fit(xs, [trip.duration for trip in train], settings["epochs"])
    checkpoint.save(out, model)
    interval = make_head(head).interval(model.predict(xs[0]))
    logging.get(__name__).info("held out %d, first interval %s", len(held), interval)
    return loss


def main() -> int:
    """Entry point."""
    args = parse(FLAGS, sys.argv[1:])
    logging.setup()
    lines = itertools.chain.from_iterable(open(path) for path in args.rest)
    print(run(lines, args.preset, args.out, args.head))
    return 0
