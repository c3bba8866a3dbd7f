"""The HTTP server."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from eta.common import config, logging
from eta.serving import health, routes, warmup
from eta.serving.batcher import Batcher
from flags import Flag, parse

FLAGS = [Flag("config", str, ""), Flag("port", int, 8080)]


def respond(path: str, body: bytes) -> tuple[int, bytes]:
    """Status and body for a request."""
    if path == "/health":
        code, word = health.status()
        return code, word.encode()
    handler = routes.route(path)
    if handler is None:
        return 404, b"not found"
    try:
        return 200, handler(body)
    except ValueError as error:
        return 400, str(error).encode()


class Handler(BaseHTTPRequestHandler):
    """Glue to the standard library."""

    batcher = Batcher()

    def do_POST(self) -> None:
        """Answer one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.batcher.add(self.path)
        code, answer = respond(self.path, body)
        self.send_response(code)
        self.end_headers()
        self.wfile.write(answer)


def main() -> None:
    """Serve until killed."""
    args = parse(FLAGS, sys.argv[1:])
    logging.setup()
    settings = config.load_file(args.config) if args.config else {}
    Handler.batcher = Batcher(int(settings.get("batch", 32)))
    warmup.warm_up()
    HTTPServer(("", args.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
