"""Commands of other teams. Every module here has a `COMMANDS` table."""

import importlib
import pkgutil


def load_plugins():
    """Command name to function."""
    commands = {}
    for info in pkgutil.walk_packages(__path__, "eta.tools.commands.plugins."):
        module = importlib.import_module(info.name)  # secateur: loads[eta.tools.commands.plugins.*] found above
        commands.update(module.COMMANDS)
    return commands
