"""Entry point of `eta`."""

import sys

from eta.tools import commands
from eta.tools.commands.plugins import load_plugins


def main(argv: list[str]) -> int:
    """Run one command; without one, list them."""
    known = commands.names() + sorted(load_plugins())
    if not argv or argv[0] not in known:
        print("\n".join(known))
        return 2
    plugins = load_plugins()
    print(plugins[argv[0]](argv[1:]) if argv[0] in plugins else commands.run(argv[0], argv[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
