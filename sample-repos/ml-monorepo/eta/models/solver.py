"""Plain gradient descent for linear models."""

import telemetry

RATE = 1e-3


def descend(weights, bias, xs, ys, steps):
    """The weights and the bias after some steps."""
    weights = list(weights)
    with telemetry.span("descend"):
        for _ in range(steps):
            for x, y in zip(xs, ys):
                error = bias + sum(w * v for w, v in zip(weights, x)) - y
                norm = 1.0 + sum(v * v for v in x)
                weights = [w - RATE * error * v / norm for w, v in zip(weights, x)]
                bias -= RATE * error
    return weights, bias
