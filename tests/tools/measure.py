"""Running programs and what it costs: time by the clock, time of the processor, bytes on disk. Standard library only."""

import os
import shlex
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


class Failed(Exception):
    """A program that did not do what it was to do, with the end of what it said."""


@dataclass(frozen=True)
class Cost:
    """What a step took: seconds by the clock, seconds of the processor with those of all children, peak memory in KiB."""

    wall: float = 0.0
    user: float = 0.0
    system: float = 0.0
    memory: int = 0

    def __add__(self, other):
        return Cost(
            self.wall + other.wall, self.user + other.user, self.system + other.system, max(self.memory, other.memory)
        )


def run(argv, log, cwd=None, env=None):
    """Runs a program to its end and returns its `Cost`; what it prints goes to the file `log`."""
    with open(log, "wb") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, env={**os.environ, **(env or {})}
        )
        # Unlike Popen.wait(), this gives the use of this one child and of the children that it waited for.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        said = Path(log).read_text(errors="replace")[-2000:]
        raise Failed(f"{shlex.join(map(str, argv))}\nexited with {process.returncode}:\n{said}")
    return Cost(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss)


def processor_time(pid):
    """Seconds (user, system) that a running process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


def files(*roots):
    """Every regular file below the roots (or the root itself): path -> (inode, size, mtime in ns)."""
    found = {}
    for root in roots:
        for path in _walk(root):
            stat = os.lstat(path)
            found[path] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found


def _walk(root):
    if os.path.isfile(root):
        yield str(root)
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def size(found):
    """Bytes in what `files` found."""
    return sum(size for _, size, _ in found.values())


def growth(before, after):
    """Bytes in the files that are new or were written again between two calls of `files`."""
    return sum(stat[1] for path, stat in after.items() if before.get(path) != stat)


def warm(*roots):
    """Reads everything below the roots once, so that it comes from the page cache afterwards."""
    for root in roots:
        for path in _walk(root):
            with open(path, "rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass


def settle():
    """Writes out what earlier steps left in memory, which would be charged to the next one."""
    os.sync()


def median(costs):
    """The `Cost` whose parts are the medians of the parts, except for memory, of which it is the peak."""
    middle = [statistics.median(getattr(cost, part) for cost in costs) for part in ("wall", "user", "system")]
    return Cost(*middle, max(cost.memory for cost in costs))
