"""Metrics as text."""


def table(metrics: dict[str, float]) -> str:
    """One line per metric, aligned."""
    width = max(map(len, metrics), default=0)
    return "\n".join(f"{name:<{width}}  {value:10.3f}" for name, value in metrics.items())


def regression(before: dict[str, float], after: dict[str, float]) -> list[str]:
    """The metrics that got worse by more than a tenth."""
    return [name for name in before if after.get(name, 0.0) > before[name] * 1.1]
