"""Where fixtures live."""

def fixture(name):
    """The label of a test fixture."""
    return "//eta/integration:" + name
