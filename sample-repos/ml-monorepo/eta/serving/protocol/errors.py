"""What a client did wrong."""


class BadRequest(ValueError):
    """The request cannot be understood; the message goes to the client."""

    status = 400

    def body(self) -> dict[str, str]:
        """What the client gets to see."""
        return {"error": str(self)}
