"""Settings from flat YAML files."""

from pathlib import Path

import yamlet

from eta.common.errors import ConfigError


def load(text: str, required: tuple[str, ...] = ()) -> dict[str, str]:
    """Parse `text`; every key of `required` must be there."""
    values = yamlet.loads(text)
    missing = [key for key in required if key not in values]
    if missing:
        raise ConfigError(f"missing settings: {', '.join(missing)}")
    return values


def load_file(path: str) -> dict[str, str]:
    """`load` for a file."""
    return load(Path(path).read_text())
