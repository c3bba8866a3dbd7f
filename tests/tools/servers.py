"""Servers that run while something is tried against them, and a proxy that counts what passes. Standard library only."""

import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from measure import Failed, processor_time


def free_port():
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A program that listens on a port, from `with` to the end of its block."""

    def __init__(self, argv, port, log, patience=60):
        self.argv, self.port, self.log, self.patience = argv, port, log, patience

    def __enter__(self):
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_until_it_listens(self):
        end = time.monotonic() + self.patience
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        said = Path(self.log).read_text(errors="replace")[-2000:]
        raise Failed(f"{self.argv[0]} does not listen on port {self.port}:\n{said}")

    def processor_time(self):
        """Seconds (user, system) of the processor that it used so far."""
        return processor_time(self.process.pid)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class CountingProxy:
    """Passes connections on to a port of this machine and counts the bytes in both directions."""

    def __init__(self, target):
        self.target, self.up, self.down = target, 0, 0

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pass, args=(client, server, "up"), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, "down"), daemon=True).start()

    def _pass(self, source, destination, direction):
        try:
            while data := source.recv(1 << 18):
                setattr(self, direction, getattr(self, direction) + len(data))
                destination.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, destination):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def __exit__(self, *_):
        self.listener.close()


def stop_on_sigterm():
    """Makes a request to end an exception, so that servers are stopped and temporary files removed."""

    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def ignore_sigterm():
    """What is cleaned up is cleaned up to the end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
