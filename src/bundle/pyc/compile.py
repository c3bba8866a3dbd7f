# Reads from its input, divided by NUL bytes: nothing, or for each source where it is, what it is to be called, and where its
# bytecode goes. Writes to its output what interpreter this is. A source that does not compile leaves an empty file.
import importlib._bootstrap_external as machinery
import _imp
import os
import sys
import warnings

sys.stdout.write("%s %s\n" % (sys.implementation.cache_tag, machinery.MAGIC_NUMBER.hex()))
sys.setrecursionlimit(10000)
warnings.simplefilter("ignore")
words = sys.stdin.buffer.read().split(b"\0")[:-1]
for origin, name, destination in zip(words[0::3], words[1::3], words[2::3]):
    with open(origin, "rb") as file:
        source = file.read()
    try:
        code = compile(source, os.fsdecode(name), "exec", dont_inherit=True, optimize=0)
        key = int.from_bytes(machinery.MAGIC_NUMBER, "little")
        data = machinery._code_to_hash_pyc(code, _imp.source_hash(key, source), False)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        data = b""
    with open(destination + b".new", "wb") as file:
        file.write(data)
    os.replace(destination + b".new", destination)
