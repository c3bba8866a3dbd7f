"""Decides who has to know."""

import dataclasses

from eta.common import ids, logging
from eta.monitoring import channels
from eta.monitoring.thresholds import limit


@dataclasses.dataclass(frozen=True)
class Alert:
    """A feature that moved too far."""

    feature: str
    value: float

    @property
    def key(self) -> str:
        """Alerts with the same key are sent once."""
        return ids.short_id(self.feature)


def check(values: dict[str, float]) -> list[Alert]:
    """Send an alert for every value beyond its limit."""
    found = [Alert(name, value) for name, value in values.items() if value > limit(name)]
    for alert in found:
        logging.get(__name__).warning("%s drifted: %.3f", alert.feature, alert.value)
        channels.send(alert.key, f"{alert.feature} drifted")
    return found
