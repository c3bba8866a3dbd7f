"""Does calibration help? Prints the error before and after."""

import random

from eta.experiments.calibration import platt


def sample(count: int, seed: int = 3):
    """Scores and outcomes of an overconfident model."""
    chance = random.Random(seed)
    scores = [chance.uniform(-4, 4) for _ in range(count)]
    return scores, [float(chance.random() < platt.probability(s, 0.5, 0.0)) for s in scores]


def brier(scores, outcomes, slope: float, shift: float) -> float:
    """Mean squared error of the probabilities."""
    errors = ((platt.probability(s, slope, shift) - o) ** 2 for s, o in zip(scores, outcomes))
    return sum(errors) / len(outcomes)


if __name__ == "__main__":
    data = sample(500)
    print(brier(*data, 1.0, 0.0), brier(*data, *platt.fit(*data)))
