"""A way between two machines that is not good: a TCP port whose bytes reach another socket late, each direction with a delay of its
own, and now and then, like a lost packet, later still. ZMTP is the same over TCP and Unix sockets."""
import random
import selectors
import socket
import threading
import time


class Relay:
    """Relay(to, out_s, back_s): .endpoint is what to connect to instead of `to`. lost: how many of a hundred pieces come 200 ms late."""

    def __init__(self, to, out_s=0.0, back_s=0.0, lost=0, address="127.0.0.1", seed=1):
        self.to, self.delay, self.lost, self.random = to.split("://"), (out_s, back_s), lost, random.Random(seed)
        self.listener = socket.create_server((address, 0))
        self.listener.setblocking(False)
        self.endpoint = f"tcp://{address}:{self.listener.getsockname()[1]}"
        self.running, self.bytes = True, 0
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()
        self.listener.close()

    def accept(self, selector, pipes):
        client, (scheme, at) = self.listener.accept()[0], self.to
        server = socket.socket(socket.AF_UNIX if scheme == "ipc" else socket.AF_INET)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            server.connect(at if scheme == "ipc" else (at.split(":")[0], int(at.split(":")[1])))
        except OSError:  # nobody there: as a port that is closed
            client.close()
            server.close()
            return
        for a, b, delay in ((client, server, self.delay[0]), (server, client, self.delay[1])):
            pipes[a] = (b, delay, [])
            selector.register(a, selectors.EVENT_READ)

    def take(self, selector, pipes, end):
        other, delay, queue = pipes[end]
        try:
            piece = end.recv(65536)
        except OSError:
            piece = b""
        if not piece:
            for s in (end, other):
                selector.unregister(s)
                pipes.pop(s)
                s.close()
            return
        self.bytes += len(piece)
        at = time.monotonic() + delay + (0.2 if self.random.randrange(100) < self.lost else 0)
        queue.append((max(at, queue[-1][0]) if queue else at, piece))

    def run(self):
        selector, pipes = selectors.DefaultSelector(), {}
        selector.register(self.listener, selectors.EVENT_READ)
        while self.running:
            for key, _ in selector.select(0.002):
                if key.fileobj is self.listener:
                    self.accept(selector, pipes)
                elif key.fileobj in pipes:
                    self.take(selector, pipes, key.fileobj)
            now = time.monotonic()
            for other, _, queue in list(pipes.values()):
                while queue and queue[0][0] <= now:
                    try:
                        other.sendall(queue.pop(0)[1])
                    except OSError:
                        queue.clear()
        for s in pipes:
            s.close()
        selector.close()
