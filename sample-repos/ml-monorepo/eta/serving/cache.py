"""Recent answers."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from eta.common.clock import now

if TYPE_CHECKING:
    from eta.models.base import Model

SECONDS = 60.0


class AnswerCache:
    """Least recently used answers of one model."""

    def __init__(self, model: Model, size: int = 1000) -> None:
        self.model = model
        self.size = size
        self._answers: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def predict(self, key: str, x) -> float:
        """The model's answer, perhaps a minute old."""
        until, answer = self._answers.get(key, (0.0, 0.0))
        if until < now():
            answer = self.model.predict(x)
        self._answers[key] = (now() + SECONDS, answer)
        self._answers.move_to_end(key)
        while len(self._answers) > self.size:
            self._answers.popitem(last=False)
        return answer
