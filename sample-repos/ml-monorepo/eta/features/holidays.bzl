"""A Python module of public holidays, written by a tool at build time."""

def holiday_library(name, years):
    """Generates `holidays.py` for the years and wraps it in a library."""
    native.genrule(
        name = name + "_py",
        out = "generated.py",
        cmd = "$(exe //eta/features:gen_holidays) {} > $OUT".format(" ".join([str(y) for y in years])),
    )
    native.python_library(
        name = name,
        srcs = {"holidays.py": ":{}_py".format(name)},
    )
