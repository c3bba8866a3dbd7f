"""What a flag is. Unrelated to the standard library's module of the same name."""

from dataclasses import dataclass
from typing import Any, Callable


@dataclass(frozen=True)
class Flag:
    """One flag: its name, the conversion from text, and the default."""

    name: str
    convert: Callable[[str], Any]
    default: Any
