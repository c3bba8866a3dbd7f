"""Writes a model into a file: `export [--checkpoint URI] [--out DIR] NAME`."""

import sys
from pathlib import Path

from eta.models import serialization, zoo
from eta.tools.paths import archive_path
from flags import Flag, parse

FLAGS = [Flag("checkpoint", str, ""), Flag("out", str, ".")]
WIDTH = 22


def find(name: str, checkpoint_uri: str):
    """The trained model of a checkpoint, or an untrained one."""
    if checkpoint_uri:
        from eta.training.checkpoint import restore

        return restore(checkpoint_uri)
    return zoo.make(name, WIDTH)


def export(name: str, folder: str, checkpoint_uri: str = "") -> Path:
    """Write the archive; the result is its path."""
    path = Path(archive_path(folder, name))
    path.write_bytes(serialization.dumps(find(name, checkpoint_uri)))
    return path


if __name__ == "__main__":
    args = parse(FLAGS, sys.argv[1:])
    for wanted in args.rest:
        print(export(wanted, args.out, args.checkpoint))
