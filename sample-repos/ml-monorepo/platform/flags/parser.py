"""Parses `--name=value` and `--name value`."""

import types

from flags.types import Flag


def parse(flags: list[Flag], argv: list[str]) -> types.SimpleNamespace:
    """The values by flag name, and the other arguments as `rest`."""
    known = {flag.name: flag for flag in flags}
    values = {flag.name: flag.default for flag in flags}
    rest, queue = [], list(argv)
    while queue:
        arg = queue.pop(0)
        name, equals, value = arg.removeprefix("--").partition("=")
        if not arg.startswith("--") or name not in known:
            rest.append(arg)
            continue
        values[name] = known[name].convert(value if equals else queue.pop(0))
    return types.SimpleNamespace(rest=rest, **values)
