"""The control socket as docs/control.md has it: every method, what is done twice, one operator, hostile bytes, every command a mark."""
import collections, json, os, pathlib, random, re, stat, subprocess, time

import pytest
import zmq

from station import Station, bodies, offline

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs/control.md").read_text()
SEED = int(os.environ.get("PLATE_SEED", time.time_ns() % 2**32))
HOSTILE = 20000


@pytest.fixture(scope="module")
def station(bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("control")
    with Station(folder, bin, ["--sets", "left,right", "--reps", "2", "--loop", "--seed", "9", "--start-delay", "5", "--speed", "2"]) as s:
        s.socket_of = {}
        s.wait_for(lambda: s.now_s() > 2, 30)
        yield s


class Refused(Exception):
    pass


def ask(s, method, client="tablet", **params):
    """The result, over a connection of that client's own."""
    if client not in s.socket_of:
        s.socket_of[client] = s.context.socket(zmq.DEALER)
        s.socket_of[client].connect(s.control)
    socket = s.socket_of[client]
    socket.send_json({"jsonrpc": "2.0", "id": client, "method": method, "params": params})
    assert socket.poll(10000), f"no answer to {method} {params}"
    answer = socket.recv_json()
    assert answer["id"] == client and answer["jsonrpc"] == "2.0"
    if "error" in answer:
        raise Refused(answer["error"])
    return answer["result"]


def refused(code, s, method, **params):
    with pytest.raises(Refused) as e:
        ask(s, method, **params)
    assert e.value.args[0]["code"] == code, e.value
    return e.value.args[0]


def test_every_method_is_documented(station):
    told = refused(-32601, station, "fly")["message"].split("there are ")[1].split()
    assert sorted(told) == sorted(set(re.findall(r"^\| `(\w+)` \|", DOC.split("## Methods")[1].split("\n\nTexts have")[0], re.M)))
    for method in {"status", "start", "stop", "side", "tare", "calibrate", "mark", "rep", "ports", "config", "snapshot", "shutdown"}:
        assert method in told
        assert "mistyped" in refused(-32602, station, method, mistyped=1)["message"]
    documented = set(re.findall(r"`(\w+)`", DOC.split("## Status")[1]))
    status = ask(station, "status")
    for part in (status, status["plates"][0], status["ring"], status["archivist"], status["stream"], status["gate"], status["control"], status["log"], status["capture"]):
        assert set(part) <= documented, set(part) - documented


def test_ports_and_config(station, bin):
    here = json.loads(subprocess.run([bin("platectl"), "ports", "--json"], capture_output=True, check=True).stdout)
    assert ask(station, "ports") == here == json.loads(station.ctl("ports", "--daemon", "--json"))
    text = subprocess.run([bin("plated"), "-c", station.config, "--print-config"], capture_output=True, text=True, check=True).stdout
    assert ask(station, "config") == {"yaml": text} and station.ctl("config") == text


def test_what_is_refused(station):
    for kind, value in (("body_mass_kg", "1e300"), ("body_mass_kg", "-1"), ("load_kg", "2001"), ("load_kg", "0x10"), ("side", "up"), ("", "x"), ("x" * 24, ""),
                        ("stop", ""), ("operator", "eve"), ("calibrate", ""), ("resume", "1"), ("a\nb", ""), ("note", "a\x7fb"), ("note", "x" * 96)):
        refused(-32602, station, "mark", kind=kind, value=value)
    for name, value in (("side", 1), ("set", 0), ("set", -1), ("set", 1.5), ("set", 1e300), ("operator", "x" * 32), ("token", 5), ("request", "x" * 65)):
        refused(-32602, station, "side", **{"side": "left", name: value})
    refused(-32000, station, "rep", discard=99)
    for text, code, back in ((b"[]", -32600, None), (b"7", -32600, None), (b'{"jsonrpc":"2.0","id":{},"method":"status"}', -32600, None), (b'{"id":-3.5,"method":"status"}', -32600, -3.5),
                             (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"status"}', -32700, None), (b'{"jsonrpc":"2.0","id":NaN,"method":"status"}', -32700, None),
                             (b'{"jsonrpc":"2.0","id":1e999,"method":"status"}', -32700, None), (b'{"jsonrpc":"2.0","id":"\xff","method":"status"}', -32700, None),
                             (b'{"jsonrpc":"2.0","id":1,"method":"a\\u0000b"}', -32700, None), (b"[" * 60000, -32700, None), (b"{} {}", -32700, None), (b'{"jsonrpc":"2.0"}\0', -32700, None),
                             (('{"jsonrpc":"2.0","id":1,"method":"x%s"}' % ("ü" * 60)).encode(), -32601, 1)):
        station.socket_of["tablet"].send(text)
        assert station.socket_of["tablet"].poll(10000), text[:50]
        answer = station.socket_of["tablet"].recv_json()
        assert (answer["error"]["code"], answer["id"]) == (code, back), (text[:50], answer)


def test_calibrate(station):
    [plate] = ask(station, "measure")["plates"]
    cells, was = len(plate["mean"]), plate["calibration"]
    empty = [10.0 * i for i in range(cells)]
    loads = [{"kg": 20, "mean": [e + 2 * 20 * 9.81 / cells for e in empty]}]
    for wrong in ({"empty": empty[1:]}, {"loads": []}, {"loads": [{"kg": 20}]}, {"loads": [{**loads[0], "x_mm": 1}]}, {"loads": [{**loads[0], "kg": -1}]}, {"loads": loads * 65}, {"gravity": 1.6},
                  {"plate": "none"}, {"loads": [{**loads[0], "mean": ["1"] * cells}]}):
        refused(-32602, station, "calibrate", **{"empty": empty, "loads": loads, **wrong})
    refused(-32000, station, "calibrate", empty=empty, loads=[{"kg": 20, "mean": empty}])
    looked = ask(station, "calibrate", empty=empty, loads=loads, gravity=9.81)
    assert not looked["applied"] and looked["worst_N"] < 1e-6 and abs(looked["factor"] - 0.5) < 1e-9
    assert ask(station, "measure")["plates"][0]["calibration"] == was
    applied = ask(station, "calibrate", empty=empty, loads=loads, gravity=9.81, apply=True)
    assert applied == {**looked, "applied": True}
    assert ask(station, "measure")["plates"][0]["calibration"] == applied["calibration"]
    unit = {"empty": was["tare"], "loads": [{"kg": 20, "mean": [t + 20 * 9.81 / cells for t in was["tare"]]}]}
    ask(station, "calibrate", **unit, gravity=9.81, apply=True)  # as it was


def test_a_retry_is_not_done_twice(station):
    rpe = lambda: [m["value"] for m in map(json.loads, station.bodies("mark/")) if m["kind"] == "rpe"]
    first = ask(station, "mark", kind="rpe", value="8", request="k1")
    assert ask(station, "mark", client="reconnected", kind="rpe", value="8", request="k1") == first
    assert "k1" in refused(-32602, station, "mark", kind="rpe", value="9", request="k1")["message"]
    refused(-32602, station, "side", side="left", request="k1")
    refused(-32000, station, "rep", discard=77, request="k2")
    refused(-32000, station, "rep", discard=77, request="k2")  # what was refused is tried again
    assert ask(station, "mark", kind="rpe", value="10", request="k2")["t_s"] >= first["t_s"]
    assert ask(station, "status")["control"]["repeated"] == 1
    station.wait_for(lambda: len(rpe()) >= 2, 5)
    assert rpe() == ["8", "10"]
    for i in range(64):
        ask(station, "mark", kind="many", value=str(i), request=f"m{i}")
    ask(station, "mark", kind="rpe", value="8", request="k1")  # forgotten after 64 others: done again
    assert ask(station, "status")["control"]["repeated"] == 1


def test_one_operator(station, bin, tmp_path):
    anna, bob = {"operator": "anna", "token": "token-of-anna"}, {"operator": "bob", "token": "token-of-bob"}
    assert ask(station, "operator") == {"operator": None}
    for params in ({"operator": "anna"}, {"operator": "anna", "token": "short"}, {"token": "token-of-anna"}, {"operator": "anna", "token": "with a blank"}):
        refused(-32602, station, "operator", do="take", **params)
    assert ask(station, "operator", do="take", **anna)["operator"]["name"] == "anna"
    error = refused(-32002, station, "side", client="other", side="left")
    assert error["data"]["name"] == "anna" and "anna" in error["message"] and "--force" in error["message"]
    for method, params in (("start", {}), ("stop", {}), ("tare", {}), ("calibrate", {}), ("mark", {"kind": "x"}), ("rep", {"discard": 1}), ("warmup", {}), ("involved", {"involved": "left"}),
                           ("shutdown", {}), ("operator", {"do": "take", **bob}), ("operator", {"do": "release", **bob})):
        refused(-32002, station, method, **params)
    assert ask(station, "status", client="other")["operator"]["name"] == "anna" and ask(station, "measure", client="other")
    ask(station, "warmup", client="tablet 2", warmup=False, token="token-of-anna")  # over another connection
    assert ask(station, "operator", do="take", force=True, **bob)["operator"]["name"] == "bob"
    refused(-32002, station, "warmup", **anna)
    assert ask(station, "operator", do="release", token="token-of-bob") == {"operator": None}
    assert ask(station, "operator", do="release") == {"operator": None}

    def ctl(name, *args):
        env = dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path), PLATECTL_OPERATOR=name)
        return subprocess.run([bin("platectl"), "--endpoint", station.control, *args], capture_output=True, text=True, env=env)

    assert ctl("carl", "operator", "take").returncode == 0 and ctl("carl", "mark", "x").returncode == 0
    assert "carl" in ctl("dora", "mark", "x").stderr and ctl("dora", "operator", "take").returncode == 1
    [token] = (tmp_path / "platectl").iterdir()  # dora has none
    assert stat.S_IMODE(token.stat().st_mode) == 0o600 and stat.S_IMODE(token.parent.stat().st_mode) == 0o700
    token.chmod(0o640)
    assert "others may read" in ctl("carl", "mark", "x").stderr
    token.chmod(0o600)
    assert "dora" in ctl("dora", "operator", "take", "--force").stdout and ctl("carl", "mark", "x").returncode == 1
    assert "dora" in station.ctl("status") and ctl("dora", "operator", "release").returncode == 0 and ctl("carl", "mark", "x").returncode == 0
    station.wait_for(lambda: sum(json.loads(b)["kind"] == "operator" for b in station.bodies("mark/")) >= 7, 5)
    told = [json.loads(b)["text"] for b in station.bodies("health/") if json.loads(b)["kind"] == "operator"]
    assert [t.split()[0] for t in told] == ["anna", "bob", "bob", "carl", "dora", "dora"] and "from anna" in told[1]
    names = [json.loads(b)["value"] for b in station.bodies("mark/") if json.loads(b)["kind"] == "operator"]
    assert names == ["anna", "bob", "", "carl", "dora", "", "carl"], names
    secrets = [anna["token"], bob["token"], token.read_text()]
    with station.lock:
        assert not any(secret in h for _, h in station.messages for secret in secrets)
    assert not any(secret in station.errors() for secret in secrets)


def hostile(r):
    """One of what the fuzzer starts from, with some bytes changed. None that begins or ends a recording, or holds the lock."""
    lines = [line for file in sorted((ROOT / "tests/fuzz/corpus/control").iterdir()) for line in file.read_bytes().splitlines() if line]
    lines = [line for line in lines if not re.search(rb'"(start|stop|shutdown|operator)"', line)]
    tokens = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"-1", b"1e308", b"\\u0000", b"\xff", b"\0", b"true", b'"id":1,', b"9" * 30]
    for _ in range(HOSTILE):
        text = bytearray(r.choice(lines))
        for _ in range(r.choice((0, 1, 1, 2, 8))):
            at = r.randrange(len(text) + 1)
            how = r.randrange(4)
            if how == 0 and at < len(text):
                text[at] = r.randrange(256)
            elif how == 1:
                text[at:at] = r.choice(tokens)
            elif how == 2:
                del text[at:at + r.randrange(1, 9)]
            else:
                other = r.choice(lines)
                text[at:] = other[r.randrange(len(other)):]
        yield bytes(text) or b" "


def test_hostile_messages(station, record_property):
    print(f"PLATE_SEED={SEED}")
    codes, before = collections.Counter(), ask(station, "status")
    socket = station.context.socket(zmq.DEALER)
    socket.connect(station.control)
    for i, text in enumerate(hostile(random.Random(SEED))):
        socket.send(text)
        if i % 32 < 31 and i + 1 < HOSTILE:
            continue
        socket.send_json({"jsonrpc": "2.0", "id": f"fence {i}", "method": "measure", "params": {"plate": "no such plate"}})
        while True:
            assert socket.poll(20000), f"PLATE_SEED={SEED}: no answer after message {i}"
            answer = socket.recv_json()
            if answer["id"] == f"fence {i}":
                break
            assert ("result" in answer) != ("error" in answer), answer
            codes[answer.get("error", {"code": 0})["code"]] += 1
    fences = (HOSTILE + 31) // 32
    status = ask(station, "status")
    grew = {key: status["control"][key] - before["control"][key] for key in before["control"]}
    assert grew["requests"] == HOSTILE + fences + 1, (grew, codes)  # and the status before
    assert grew["not_json"] == codes[-32700] + codes[-32600] > HOSTILE / 4, (grew, codes)
    assert grew["refused"] >= codes[-32601] + codes[-32602] + codes[-32000] + fences and grew["denied"] == 0, (grew, codes)
    assert set(codes) <= {0, -32700, -32600, -32601, -32602, -32000}, codes
    assert status["stream"]["bad_requests"] == before["stream"]["bad_requests"] and status["stream"]["send_failures"] == 0
    assert status["recording"] and status["pid"] == before["pid"] and status["plates"][0]["lost"] == 0
    with station.lock:
        messages = [(t, json.loads(h)) for t, h in station.messages if '"cached":true' not in h]
    last = {}
    for topic, m in messages:  # another subscriber saw every message
        assert m["seq"] == last.get(topic, m["seq"] - 1) + 1, (topic, m["seq"], last.get(topic))
        last[topic] = m["seq"]
    socket.close(0)


def test_every_command_is_a_mark(station, bin):
    """The archive of a session has what was commanded, by whom, in that order: told live, recorded, and computed again."""
    started = ask(station, "start", subject="S1", exercise="squat", side="left", operator="eve", request="the start")
    assert ask(station, "start", subject="S1", exercise="squat", side="left", operator="eve", request="the start") == started
    refused(-32000, station, "start")
    station.wait_for(lambda: ask(station, "status")["plates"][0]["samples"] > 1200, 60)
    try:
        by_fred = [("operator", "fred"), ("tare", "")] if ask(station, "tare", operator="fred") else None
    except Refused as e:  # somebody stood there: nothing was done, and nothing says fred did
        by_fred = []
        assert e.args[0]["code"] == -32000, e
    ask(station, "warmup")
    ask(station, "mark", kind="rpe", value="7", operator="eve")
    stopped = ask(station, "stop", operator="eve")
    assert stopped == {**started, "already": False} and ask(station, "stop") == {**started, "already": True}
    station.wait_for(lambda: not ask(station, "status")["sealing"], 30)
    ask(station, "shutdown")
    assert station.daemon.wait(30) == 0

    live = [json.loads(b) for b in bodies_of(station, started["session"])]
    kinds = [(m["kind"], m["value"]) for m in live]
    assert kinds == [("operator", "eve"), ("start", ""), ("exercise", "squat"), ("side", "left"), *by_fred, ("operator", ""), ("warmup", "true"), ("operator", "eve"), ("rpe", "7"), ("stop", "")]
    again = [json.loads(b) for b in bodies(offline(bin, "--all", started["archive"]), "mark")]
    assert again == live
    first = [json.loads(b)["kind"] for b in bodies(offline(bin, "--all", next(p for p in sorted((station.folder / "traces").glob("*.h5")) if p.stem != started["session"])), "mark")]
    assert first[-1] == "stop" and {"calibrate", "operator"} <= set(first)  # ended by the start of the second
    subprocess.run([bin("plate-trace"), "verify", started["archive"]], check=True)


def bodies_of(station, session):
    with station.lock:
        return [json.dumps({k: v for k, v in json.loads(h).items() if k not in ("v", "station", "session", "run", "seq", "t_utc_ns")})
                for t, h in station.messages if t == "mark/" and '"cached":true' not in h and json.loads(h)["session"] == session]
