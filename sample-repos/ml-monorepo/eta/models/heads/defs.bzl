"""One library per head, and one that holds them all."""

def define_heads(names):
    """Defines `:<name>` for every head and `:all_heads`."""
    for name in names:
        native.python_library(
            name = name,
            srcs = [name + ".py"],
            deps = [
                ":base",
                ":heads",
                # Not every head measures something; those that do need the counters.
                "platform//telemetry:telemetry",
            ],
        )
    native.python_library(
        name = "all_heads",
        deps = [":" + name for name in names],
    )
