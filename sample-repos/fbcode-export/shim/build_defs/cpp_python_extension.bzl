def cpp_python_extension(**kwargs):
    # There is no toolchain for native extensions in the open-source build yet.
    pass
