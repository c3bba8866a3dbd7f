"""Which path leads to which handler."""

from eta.serving import handlers

ROUTES = {
    "/v1/predict": handlers.predict,
    "/v0/predict": handlers.predict_framed,
}


def route(path: str):
    """The handler of a path; None if there is none."""
    return ROUTES.get(path.rstrip("/"))
