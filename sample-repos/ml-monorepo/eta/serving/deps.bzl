"""What the request path needs."""

SERVING_DEPS = [
    "//eta/common:common",
    "//eta/data:schema",
    "platform//flags:flags",
]
