"""What strangers may send, to a station with keys and to one without: it is refused, told once, counted, and costs nobody a message."""
import contextlib, os, re

import pytest
import zmq

import zmtp
from guarded import ask, client, gate, guarded, holes, keys, open_station, port_of, rss_MB  # noqa: F401: fixtures


def test_hostile_bytes(guarded, open_station):
    """On both sockets, with keys and without: what is no ZeroMQ is ended; who listens misses nothing, and the log stays short."""
    noises = [zmtp.HTTP, zmtp.TLS_HELLO, os.urandom(300), b"\xff" * 64, bytes(300), zmtp.GREETING[:12] + os.urandom(52)]
    noises += [b"", zmtp.GREETING[:20]] * 10  # half open: ended after 5 s
    print("noise:", noises[2].hex(), noises[5].hex())
    stations = guarded, open_station
    for s in stations:
        s.wait_for(lambda: s.now_s() > 0, 20)
    before = [(gate(s), rss_MB(s)) for s in stations]
    ports = [port_of(e) for s in stations for e in (s.data, s.control)]
    strangers = [zmtp.connect(port, noise) for port in ports for noise in noises]
    assert all(zmtp.ended(c) for c in strangers)
    for s, (was, rss) in zip(stations, before):
        refused = lambda g: g["cut"] + g["bad_handshakes"]
        # one that goes before it is seen, while this test is let in to ask, may be taken for one that left
        s.wait_for(lambda: refused(gate(s)) >= refused(was) + 2 * len(noises) - 4, 20)
        assert gate(s)["bad_handshakes"] >= was["bad_handshakes"] + 40
        assert rss_MB(s) < rss + 30 and not holes(s)
        assert len(re.findall("refused a client that|ended a connection", s.errors())) <= 8


def test_frames_that_are_too_long(open_station):
    s = open_station
    s.wait_for(lambda: s.now_s() > 0, 20)
    rss, before = rss_MB(s), gate(s)
    sizes = (1 << 30, 1 << 62, (1 << 64) - 1)
    raw = [(zmtp.handshaken(port_of(e), kind), size) for e, kind in ((s.data, b"SUB"), (s.control, b"DEALER")) for size in sizes]
    huge = client(s, zmq.DEALER)
    ask(huge, "status")
    s.wait_for(lambda: gate(s)["connections"] >= before["connections"] + 7, 10)  # one that goes before it is seen may be taken for one that left
    for c, size in raw:
        c.sendall(zmtp.long_header(size))
    huge.send(memoryview(bytes(1 << 30)), copy=False)
    assert all(zmtp.ended(c) for c, _ in raw)
    s.wait_for(lambda: gate(s)["cut"] >= before["cut"] + 7, 10)
    huge.close(0)
    assert rss_MB(s) < rss + 30 and not holes(s)
    assert s.errors().count("sent what no client sends") <= 4


def test_messages_without_end_and_too_many_subscriptions(open_station):
    s = open_station
    s.wait_for(lambda: s.now_s() > 0, 20)
    rss, before = rss_MB(s), gate(s)
    for port, kind, size in ((port_of(s.data), b"SUB", 1000), (port_of(s.control), b"DEALER", 65536)):
        c = zmtp.handshaken(port, kind)
        part = zmtp.frame(bytes(size), more=True) * (1 + 65536 // size)
        with pytest.raises(OSError):
            for _ in range(40000):
                c.sendall(part)
    s.wait_for(lambda: gate(s)["abuses"] == before["abuses"] + 2, 10)
    c = zmtp.handshaken(port_of(s.data), b"SUB")
    with pytest.raises(OSError):
        for i in range(2000000):
            c.sendall(zmtp.frame(b"\x01%d" % i))
    s.wait_for(lambda: gate(s)["abuses"] == before["abuses"] + 3, 10)
    assert rss_MB(s) < rss + 200  # 20 MB is usual; a message without end is seen after 25 ms
    assert not holes(s) and s.daemon.poll() is None
    sub = client(s, zmq.SUB)
    for i in range(900):
        sub.subscribe(f"force/{i}/")
    sub.subscribe("force/plate/")
    assert sub.poll(5000), "a subscriber with 900 topics is none"


def test_too_many_connections(open_station):
    s = open_station
    s.wait_for(lambda: s.now_s() > 0, 20)
    before = gate(s)
    many = []
    for _ in range(900):
        with contextlib.suppress(OSError):
            many.append(zmtp.connect(port_of(s.data)))
    s.wait_for(lambda: gate(s)["turned_away"] >= before["turned_away"] + 150, 10)
    assert not holes(s)
    for c in many:
        c.close()
    sub = client(s, zmq.SUB)
    sub.subscribe("force/")
    assert sub.poll(10000), "nobody comes in after the crowd has gone"
    assert gate(s)["connections"] < 10
