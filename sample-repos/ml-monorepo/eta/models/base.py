"""What a model is."""

from typing import Iterable

from tinytensor import Tensor


class Model:
    """Predicts seconds from a feature vector."""

    name = "model"

    def predict(self, x: Tensor) -> float:
        """Seconds, never negative."""
        raise NotImplementedError

    def parameters(self) -> dict[str, list[float]]:
        """Everything that training changes."""
        return {}

    def load(self, parameters: dict[str, list[float]]) -> None:
        """The reverse of `parameters`."""
        for key, values in parameters.items():
            setattr(self, key, list(values))

    def predict_all(self, xs: Iterable[Tensor]) -> list[float]:
        """One prediction per vector."""
        return [self.predict(x) for x in xs]
