"""`eta models`: the models by name."""

from eta.models.zoo import Ensemble, make


def run(argv: list[str]) -> str:
    """Each named model, and what it is made of."""
    lines = []
    for name in argv or ["default"]:
        model = make(name, 4)
        parts = [m.name for m in model.members] if isinstance(model, Ensemble) else [model.name]
        lines.append(f"{name}: {' + '.join(parts)}")
    return "\n".join(lines)
