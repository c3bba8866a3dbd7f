import importlib


def load_plugin(name: str):
    """Plugins are modules below `visionkit.plugins`, by their names."""
    return importlib.import_module(f"visionkit.plugins.{name}")
