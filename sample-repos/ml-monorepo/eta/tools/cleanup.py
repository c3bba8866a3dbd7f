"""Deletes trip files that are too old: `python -m eta.tools.cleanup FOLDER`."""

import sys
from pathlib import Path

from eta.common.clock import now
from eta.tools.retention import keep


def clean(folder: Path) -> list[Path]:
    """Delete, and say what was deleted."""
    old = [path for path in sorted(folder.glob("*.jsonl")) if not keep(path.stat().st_mtime, now())]
    for path in old:
        path.unlink()
    return old


if __name__ == "__main__":
    for deleted in clean(Path(sys.argv[1])):
        print(deleted)
