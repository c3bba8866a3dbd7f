"""Macros for the model code: one place for what every library needs."""

# Most model code logs and counts. A few libraries need only one of the two; one list is
# still easier to keep than twenty.
COMMON_DEPS = [
    "//eta/common:common",
    "platform//telemetry:telemetry",
]

def ml_library(name, deps = [], **kwargs):
    """A python_library with the common deps.

    Everything else goes to the rule as it is: base_module, typing, visibility and so on.
    """
    native.python_library(
        name = name,
        deps = COMMON_DEPS + deps,
        **kwargs
    )
