"""Subcommands of `eta`, one module each; the file name is the command."""

import importlib
import pkgutil


def names() -> list[str]:
    """Every command of this build."""
    found = (info.name for info in pkgutil.iter_modules(__path__) if not info.ispkg)
    return sorted(name for name in found if name != "cli")


def run(name: str, argv: list[str]) -> str:
    """What the command prints."""
    return importlib.import_module(f"eta.tools.commands.{name}").run(argv)
