"""Losses. Each module has `loss` and `slope`, both of (predicted, wanted)."""

__all__ = ["huber", "pinball", "squared"]
