"""Named factories."""

from typing import Callable, Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps short names to factories."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._factories: dict[str, Callable[..., T]] = {}

    def add(self, name: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
        """Decorator: register a factory under `name`."""

        def register(factory: Callable[..., T]) -> Callable[..., T]:
            self._factories[name] = factory
            return factory

        return register

    def make(self, name: str, *args: object, **kwargs: object) -> T:
        """Call the factory registered under `name`."""
        if name not in self._factories:
            raise KeyError(f"unknown {self.what} {name!r}; known: {sorted(self._factories)}")
        return self._factories[name](*args, **kwargs)
