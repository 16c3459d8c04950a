"""A station that wants keys, one that does not, and clients of both."""
import contextlib, json, random, re, socket, subprocess

import pytest
import zmq
import zmq.auth

from station import Station

SIM = ["--sets", "left", "--reps", "400", "--speed", "1", "--seed", "7"]
CLIENTS = """# who may come in
tablet
    public-key = "{tablet}"
    right = command
viewer
    public-key = "{viewer}"   # watch, as nothing else is said
"""


def free_port():
    """Below those that the kernel gives to connections: who connects before anybody listens may else be given that very port,
    and meet himself."""
    while True:
        port = random.randrange(15000, 32000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def port_of(endpoint):
    return int(endpoint.rsplit(":", 1)[1])


def public(keys, name):
    return zmq.auth.load_certificate(keys / f"{name}.key")[0].decode()


def clients_text(keys):
    return CLIENTS.format(tablet=public(keys, "tablet"), viewer=public(keys, "viewer"))


@pytest.fixture(scope="module")
def keys(bin, tmp_path_factory):
    """A folder of keys: the station's are pyzmq's, the others keygen's."""
    folder = tmp_path_factory.mktemp("keys")
    zmq.auth.create_certificates(folder, "station")
    (folder / "station.key_secret").chmod(0o600)
    for name in ("tablet", "viewer", "stranger"):
        subprocess.run([bin("platectl"), "keygen", "-o", folder / name], check=True, capture_output=True)
    (folder / "clients.zpl").write_text(clients_text(folder))
    return folder


@pytest.fixture(scope="module")
def guarded(bin, keys, tmp_path_factory):
    """A station that other machines could reach."""
    at = [f"tcp://*:{free_port()}" for _ in range(2)]
    config = f"  secret_key: {keys}/station.key_secret\n  clients: {keys}/clients.zpl"
    s = Station(tmp_path_factory.mktemp("guarded"), bin, SIM, config=config, endpoints=at, keys=keys)
    with s:
        yield s




@pytest.fixture(scope="module")
def open_station(bin, tmp_path_factory):
    """A station on loopback, without keys."""
    at = [f"tcp://127.0.0.1:{free_port()}" for _ in range(2)]
    with Station(tmp_path_factory.mktemp("open"), bin, SIM, endpoints=at) as s:
        yield s


def client(s, kind, keys=None, who="tablet", port=None):
    c = s.context.socket(kind)
    c.linger = 0
    if keys:
        c.curve_publickey, c.curve_secretkey = zmq.auth.load_certificate(keys / f"{who}.key_secret")
        c.curve_serverkey = public(keys, "station").encode()
    c.connect(f"tcp://127.0.0.1:{port or port_of(s.control if kind == zmq.DEALER else s.data)}")
    return c


def ask(c, method, timeout=5000, **params):
    c.send_json({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    assert c.poll(timeout), f"no answer to {method}"
    return c.recv_json()


def gate(s):
    return json.loads(s.ctl("status", "--json"))["gate"]


def holes(s):
    """Steps above 1 of seq within a topic, at the good subscriber."""
    last, found = {}, []
    with s.lock:
        messages = list(s.messages)
    for topic, header in messages:
        m = json.loads(header)
        if m.get("cached"):
            continue
        if topic in last and m["seq"] != last[topic] + 1:
            found.append((topic, last[topic], m["seq"]))
        last[topic] = m["seq"]
    assert last, "the good subscriber heard nothing"
    return found


def rss_MB(s):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{s.daemon.pid}/status").read()).group(1)) / 1024
