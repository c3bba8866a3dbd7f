load("@fbsource//xplat/visionkit/build:runtime_wrapper.bzl", "runtime")

def define_common_targets():
    """Image operations, for every build."""
    runtime.python_library(
        name = "filters",
        srcs = ["filters.py"],
        visibility = ["//visionkit/..."],
        deps = [
            "//visionkit/core:errors",
            "//visionkit/core:image",
            "//visionkit/native:resample",
        ],
    )

    runtime.python_library(
        name = "transform",
        srcs = [
            "legacy_transform.py",
            "transform.py",
        ],
        visibility = ["//visionkit/..."],
        deps = [
            "//visionkit/core:geometry",
            "//visionkit/core:image",
        ],
    )
