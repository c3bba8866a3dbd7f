"""How fast the GPU backend multiplies."""

import time

# The CPU backend provides the same module; here only the other one makes sense.
from eta.kernels import backend  # @manual=//eta/kernels:backend_gpu


def seconds(size: int) -> float:
    """Time for one product of a square matrix."""
    matrix = [[1.0] * size for _ in range(size)]
    start = time.perf_counter()
    backend.matvec(matrix, [1.0] * size)
    return time.perf_counter() - start


def main() -> None:
    """Print a small table."""
    for size in (10, 100):
        print(f"{backend.NAME} {size:>5} {seconds(size):.6f}")
