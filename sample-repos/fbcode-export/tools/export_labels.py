"""Prints the label names as JSON. Run by hand before a release of the labels."""

import json
from pathlib import Path

names = Path("models/weights/names.txt").read_text().split()
print(json.dumps(names))
