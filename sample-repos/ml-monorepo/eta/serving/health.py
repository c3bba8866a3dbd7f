"""What the load balancer asks."""

import telemetry


def free_slots() -> int:
    """How many more requests this process takes."""
    return 64 - telemetry.counter("in_flight").value


def status() -> tuple[int, str]:
    """HTTP status and a word."""
    return (200, "ok") if free_slots() > 0 else (503, "full")
