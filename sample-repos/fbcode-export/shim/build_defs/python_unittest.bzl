def python_unittest(name, srcs, deps = [], **kwargs):
    native.python_test(name = name, srcs = srcs, deps = [d for d in deps if "third-party" not in d])
