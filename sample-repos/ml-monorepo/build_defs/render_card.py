"""Fills the model card template: `render_card TEMPLATE OUT key=value…`."""

import sys
from pathlib import Path


def render(template: str, values: dict[str, str]) -> str:
    """Replace every `{key}` of the template; unknown keys stay as they are."""
    for key, value in values.items():
        template = template.replace("{" + key + "}", value)
    return template


def main(argv: list[str]) -> int:
    """Read the template, write the card."""
    source, out, *pairs = argv
    values = dict(pair.split("=", 1) for pair in pairs)
    Path(out).write_text(render(Path(source).read_text(), values))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
