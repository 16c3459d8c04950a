"""Keys, rights, and what strangers may send: docs/security.md, held to."""
import json, os, re, socket, subprocess, time

import pytest
import zmq
import zmq.auth

import zmtp
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
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


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


# ---- keys and their files ----

def test_keygen(bin, tmp_path):
    make = [bin("platectl"), "keygen", "-o", tmp_path / "lab"]
    made = subprocess.run(make, check=True, capture_output=True, text=True).stdout
    public_key, none = zmq.auth.load_certificate(tmp_path / "lab.key")
    again, secret = zmq.auth.load_certificate(tmp_path / "lab.key_secret")
    assert none is None and again == public_key and zmq.curve_public(secret) == public_key
    assert public_key.decode() in made and secret.decode() not in made
    assert [os.stat(tmp_path / n).st_mode & 0o777 for n in ("lab.key", "lab.key_secret")] == [0o644, 0o600]
    for there in ("lab.key", "lab.key_secret"):
        (tmp_path / ({"lab.key", "lab.key_secret"} - {there}).pop()).unlink()
        before = (tmp_path / there).read_bytes()
        done = subprocess.run(make, capture_output=True, text=True)
        assert done.returncode == 1 and "never overwritten" in done.stderr
        assert [p.name for p in tmp_path.iterdir()] == [there] and (tmp_path / there).read_bytes() == before
        (tmp_path / there).unlink()
        subprocess.run(make, check=True, capture_output=True)
    done = subprocess.run([bin("platectl"), "keygen", "-o", tmp_path / "a b"], capture_output=True, text=True)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1


def test_what_plated_refuses_to_start_with(bin, keys, tmp_path):
    def refused(*words, secret=keys / "station.key_secret", clients=keys / "clients.zpl", data="tcp://*:0", option="--ready"):
        config = tmp_path / "plated.yaml"
        config.write_text(f"""archive_dir: {tmp_path}/traces
ring_dir: {tmp_path}
stream:
  data: {data}
  control: ipc://{tmp_path}/control
  secret_key: {secret or ""}
  clients: {clients or ""}
plates: [{{name: a, port: /dev/none, cells: [{{name: force}}]}}]
""")
        done = subprocess.run([bin("plated"), "-c", config, option], capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and not done.stdout, (done.stdout, done.stderr)
        assert len(done.stderr.splitlines()) == 1
        for word in words:
            assert word in done.stderr, (word, done.stderr)
        assert zmq.auth.load_certificate(keys / "station.key_secret")[1].decode() not in done.stderr

    refused("plated.yaml:4: stream.data", "secret_key and clients", secret="", clients="")
    refused("plated.yaml:7: stream.clients", "half", secret="")
    refused("plated.yaml:6: stream.secret_key", "half", clients="", option="--check-config")
    copy = tmp_path / "copy"
    copy.write_bytes((keys / "station.key_secret").read_bytes())
    for mode in (0o644, 0o640, 0o604, 0o620):
        copy.chmod(mode)
        refused(f"chmod 600 '{copy}'", f"{mode:04o}", secret=copy)
    copy.chmod(0o600)
    copy.write_text(copy.read_text().replace("secret-key = \"", "secret-key = \"#"))
    refused(str(copy), "secret-key", secret=copy)
    refused("station.key:", "holds no secret-key", secret=keys / "station.key") if os.chmod(keys / "station.key", 0o600) is None else None
    refused("No such file", secret=tmp_path / "none")
    refused("is no file", secret=tmp_path)
    theirs = tmp_path / "clients"
    theirs.write_text("tablet\n    public-key = \"short\"\n")
    theirs.chmod(0o622)
    refused("chmod go-w", clients=theirs)
    theirs.chmod(0o644)
    refused(f"{theirs}:2: public-key", clients=theirs)
    theirs.write_text(clients_text(keys) + "other\n    public-key = \"%s\"\n" % public(keys, "tablet"))
    refused(f"{theirs}:8: this is the key of tablet", clients=theirs)


def test_secrets_are_not_shown(bin, guarded, keys):
    secret = zmq.auth.load_certificate(keys / "station.key_secret")[1].decode()
    printed = subprocess.run([bin("plated"), "-c", guarded.config, "--print-config"], capture_output=True, text=True, check=True).stdout
    assert str(keys / "station.key_secret") in printed
    for text in (printed, guarded.ctl("status", "--json"), guarded.errors()):
        assert secret not in text and zmq.auth.load_certificate(keys / "tablet.key_secret")[1].decode() not in text
    written = lambda: [p for p in (guarded.folder / "traces").iterdir() if p.is_file() and p.stat().st_size]
    guarded.wait_for(written, 20)
    assert not [p for p in written() if secret.encode() in p.read_bytes()]


# ---- rights ----

def test_rights(bin, guarded, keys):
    s = guarded
    s.wait_for(lambda: s.now_s() > 0, 20)
    before = gate(s)
    assert before["keys"] == 2
    assert json.loads(s.ctl("side", "right", "--json"))["side"] == "right"
    viewer = client(s, zmq.DEALER, keys, "viewer")
    assert ask(viewer, "status")["result"]["side"] == "right"
    for method, params in (("side", {"side": "left"}), ("stop", {}), ("tare", {}), ("mark", {"kind": "note"}), ("shutdown", {})):
        error = ask(viewer, method, **params)["error"]
        assert error["code"] == -32001 and "viewer" in error["message"] and "right = command" in error["message"]
    viewer.send_json({"jsonrpc": "2.0", "method": "side", "params": {"side": "left"}})  # not answered, and not done
    assert ask(viewer, "status")["result"]["side"] == "right"
    sub = client(s, zmq.SUB, keys, "viewer")
    sub.subscribe("force/")
    assert sub.poll(5000), "a viewer sees nothing"

    def platectl(*args):
        done = subprocess.run([bin("platectl"), "--endpoint", s.control, *args], capture_output=True, text=True)
        return done.returncode, done.stderr

    key = lambda who, server="station": ["--key", keys / f"{who}.key_secret", "--server-key", keys / f"{server}.key"]
    assert platectl(*key("viewer"), "status")[0] == 0
    code, why = platectl(*key("viewer"), "stop")
    assert code == 1 and "may watch and not command" in why
    code, why = platectl(*key("stranger"), "status")
    assert code == 1 and "does not know this key" in why
    code, why = platectl(*key("tablet", "viewer"), "status")
    assert code == 1 and "--server-key" in why
    code, why = platectl("--timeout", "1", "status")
    assert code == 1 and "wants keys" in why
    code, why = platectl("--key", keys / "tablet.key_secret", "status")
    assert code == 2 and "--server-key" in why
    (keys / "loose.key_secret").write_bytes((keys / "tablet.key_secret").read_bytes())
    (keys / "loose.key_secret").chmod(0o640)
    code, why = platectl(*key("loose"), "status")
    assert code == 1 and "chmod 600" in why
    stranger = client(s, zmq.SUB, keys, "stranger")
    stranger.subscribe("")
    plain = client(s, zmq.SUB)
    plain.subscribe("")
    assert not stranger.poll(600) and not plain.poll(600), "somebody without a right sees the stream"
    after = gate(s)
    assert after["unknown_keys"] > before["unknown_keys"] and after["bad_handshakes"] > before["bad_handshakes"]
    assert after["forbidden"] == before["forbidden"] + 7
    log = s.errors()
    assert "viewer: may watch and not command" in log and "tablet has come in, to command" in log
    assert len(re.findall("not in the list of clients", log)) <= 2 and len(re.findall("has no keys", log)) <= 2
    assert "127.0.0.1" not in log.replace("tcp://127.0.0.1", "") and public(keys, "stranger") not in log
    assert not holes(s)
