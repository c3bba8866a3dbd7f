"""Requests and responses."""

from eta.serving.protocol.errors import BadRequest
from eta.serving.protocol.v1 import Request, Response

__all__ = ["BadRequest", "Request", "Response"]
