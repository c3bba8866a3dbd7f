"""`eta motd`: the message of the day."""

import datetime


def motd(argv):
    """A different one every weekday."""
    lines = ("Measure twice.", "Delete something.", "Ask why.", "Write a test.", "Ship it.")
    day = datetime.date.today().toordinal()
    return lines[day % len(lines)]


COMMANDS = {"motd": motd}
