"""`eta seconds`: durations for humans."""


def seconds(argv):
    """Minutes and seconds of a number of seconds."""
    minutes, rest = divmod(int(argv[0]), 60)
    return f"{minutes}m{rest:02}s"


COMMANDS = {"seconds": seconds}
