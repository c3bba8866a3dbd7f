"""The libraries of //eta/training that the mobile build defines as well."""

load("//build_defs:paths.bzl", "fixture")

def define_common_targets():
    """Defines the parts of the trainer that need no data."""
    native.python_library(
        name = "losses",
        srcs = native.glob(["losses/*.py"]),
    )

    native.python_library(
        name = "metrics",
        srcs = ["metrics.py"],
    )

    native.python_library(
        name = "callbacks",
        srcs = [
            "callbacks.py",
            "early_stopping.py",
        ],
        typing = True,
        deps = [
            "//eta/common:common",
            "//eta/data:schema",
            "//eta/models:base",
        ],
    )

    native.python_library(
        name = "checkpoint",
        srcs = ["checkpoint.py"],
        deps = [
            "//eta/models:serialization",
            "platform//blobstore:blobstore",
        ],
    )
