"""Keys, rights, and the wire: docs/security.md, held to."""
import contextlib, json, os, re, subprocess, time

import zmq
import zmq.auth

import zmtp
from guarded import ask, client, clients_text, gate, guarded, holes, keys, open_station, port_of, public  # noqa: F401: fixtures


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
    if os.geteuid() == 0:  # nobody else can give a file away
        os.chown(copy, 65534, -1)
        refused("belongs to another user", "chown 0", secret=copy)
        os.chown(copy, 0, -1)
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


def contents(folder):
    """Of every file in it; a new journal is renamed any moment."""
    for p in folder.iterdir():
        try:
            yield p.read_bytes()
        except FileNotFoundError:
            pass


def test_secrets_are_not_shown(bin, guarded, keys):
    secret = zmq.auth.load_certificate(keys / "station.key_secret")[1].decode()
    printed = subprocess.run([bin("plated"), "-c", guarded.config, "--print-config"], capture_output=True, text=True, check=True).stdout
    assert str(keys / "station.key_secret") in printed
    for text in (printed, guarded.ctl("status", "--json"), guarded.errors()):
        assert secret not in text and zmq.auth.load_certificate(keys / "tablet.key_secret")[1].decode() not in text
    guarded.wait_for(lambda: any(contents(guarded.folder / "traces")), 20)
    assert not [text for text in contents(guarded.folder / "traces") if secret.encode() in text]


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


# ---- the wire ----

READABLE = [b"station", b"subject", b"force/", b"health/", b"seq", b"t_utc_ns", b"jsonrpc", b"status", b"plates", b"S77"]


def recorded(s, keys=None):
    """All bytes of a subscriber's and a commander's connections, both ways."""
    taps = [zmtp.Recorder(port_of(e)) for e in (s.data, s.control)]
    sub = client(s, zmq.SUB, keys, port=taps[0].port)
    sub.subscribe("")
    assert sub.poll(5000)
    command = client(s, zmq.DEALER, keys, port=taps[1].port)
    ask(command, "mark", kind="note", value="subject S77")
    ask(command, "status")
    wanted, n = {"force", "health", "mark"}, 0
    while wanted or n < 30:
        assert sub.poll(5000) and n < 1000, wanted
        wanted.discard(sub.recv_multipart()[0].decode().split("/")[0])
        n += 1
    for c in (sub, command):
        c.close()
    for t in taps:
        t.close()
    return b"".join(bytes(t.bytes) for t in taps)


def test_nothing_readable_crosses_the_wire(guarded, open_station, keys):
    for s in (guarded, open_station):
        s.wait_for(lambda: s.now_s() > 1, 20)
    plain, sealed = recorded(open_station), recorded(guarded, keys)
    assert len(plain) > 10000 and len(sealed) > 10000
    assert all(word in plain for word in READABLE), "the test itself sees nothing"
    assert not [word for word in READABLE if word in sealed]
    words = re.findall(rb"[a-z_]{10,}", sealed)  # by chance: one run in 100 000
    assert not words, words


# ---- the list changes ----

def test_the_list_of_clients_is_taken_in_anew(guarded, keys):
    s = guarded
    s.wait_for(lambda: s.now_s() > 0, 20)
    stranger = client(s, zmq.DEALER, keys, "stranger")
    stranger.send_json({"jsonrpc": "2.0", "id": 1, "method": "status"})
    assert not stranger.poll(300)
    listed = clients_text(keys)
    seen = client(s, zmq.SUB, keys, "viewer")
    seen.subscribe("")
    assert seen.poll(5000)
    (keys / "clients.zpl").write_text(listed + f'guest\n    public-key = "{public(keys, "stranger")}"\n    right = command\n')
    s.wait_for(lambda: gate(s)["keys"] == 3, 10)
    guest = client(s, zmq.DEALER, keys, "stranger")
    assert ask(guest, "side", side="left")["result"]["side"] == "left"
    assert not holes(s), "one more client cost somebody a message"
    (keys / "clients.zpl").write_text(listed + "guest\n    public-key = nonsense\n")
    s.wait_for(lambda: "the list before it still holds" in s.errors(), 10)
    assert ask(guest, "side", side="right")["result"]["side"] == "right"
    (keys / "clients.zpl").write_text(listed[:listed.index("viewer")])
    s.wait_for(lambda: "1 client(s); all connections begin anew" in s.errors(), 10)  # a question on its way would be lost
    with s.lock:
        s.received.clear()  # its own connection began anew, too
    until = time.monotonic() + 10
    while seen.poll(400):  # what was on its way
        seen.recv_multipart()
        assert time.monotonic() < until, "somebody without a right sees the stream on"
    with contextlib.suppress(zmq.Again):  # it has nobody to send to
        guest.send_json({"jsonrpc": "2.0", "id": 1, "method": "status"}, zmq.NOBLOCK)
    assert not guest.poll(400) and not seen.poll(400), "somebody without a right is still in"
    assert json.loads(s.ctl("status", "--json"))["recording"]
