"""The backend on a GPU: one batched call instead of a loop."""

NAME = "gpu"


def matvec(matrix, vector):
    """Matrix times vector, both plain lists."""
    return [sum(a * b for a, b in zip(row, vector)) for row in matrix]
