def _drop_internal(kwargs):
    for attribute in ["resources", "types", "visibility"]:
        kwargs.pop(attribute, None)
    kwargs["deps"] = [
        dep.replace("//visionkit/", "//")
        for dep in kwargs.get("deps", [])
        if not dep.startswith("//caffe2") and "third-party" not in dep
    ]
    return kwargs

def _python_library(**kwargs):
    native.python_library(**_drop_internal(kwargs))

def _python_binary(srcs = [], **kwargs):
    native.python_binary(**_drop_internal(kwargs))

runtime = struct(
    is_oss = True,
    python_binary = _python_binary,
    python_library = _python_library,
)
