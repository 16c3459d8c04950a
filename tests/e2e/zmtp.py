"""ZMTP 3.0 by hand, for what no ZeroMQ library would send."""
import socket, struct

HTTP = b"GET / HTTP/1.1\r\nHost: plated\r\n\r\n"
TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(32) + b"\x00\x00\x02\x13\x01" + bytes(160)
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)


def ready(socket_type):
    body = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(socket_type)) + socket_type
    return bytes([4, len(body)]) + body


def frame(body, more=False):
    if len(body) < 256:
        return bytes([more, len(body)]) + body
    return bytes([2 | more]) + struct.pack(">Q", len(body)) + body


def long_header(size):
    return b"\x02" + struct.pack(">Q", size)


def connect(port, hello=b""):
    s = socket.create_connection(("127.0.0.1", port), timeout=5)
    s.sendall(hello)
    return s


def handshaken(port, socket_type):
    """A connection whose handshake is over, without keys."""
    s = connect(port, GREETING + ready(socket_type))
    got = b""
    while len(got) < len(GREETING) + 8 or b"READY" not in got:
        got += s.recv(4096) or b"\0" * 100
    return s


def ended(s, timeout=8):
    """Does the other side end this connection?"""
    s.settimeout(timeout)
    try:
        while s.recv(65536):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


class Recorder:
    """Stands between a client and a station, and keeps every byte of both directions."""

    def __init__(self, port):
        import threading
        self.bytes, self.to = bytearray(), port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        import threading
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    def pump(self, a, b):
        try:
            while data := a.recv(65536):
                self.bytes += data
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
