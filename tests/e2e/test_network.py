"""A station and a watcher on two machines: in a network namespace of its own, behind a way that delays and loses, with keys. Where
namespaces cannot be made (no root, a container that forbids it) it says so, and the same goes over loopback."""
import json
import os
import re
import subprocess

import pytest
import zmq.auth

from relay import Relay
from station import Station

SIM = ["--sets", "left", "--reps", 50, "--hold", 0.6, "--lower", 0.8, "--drive", 0.6, "--start-delay", 0.5]
CLIENTS = """watcher
    public-key = "{}"
"""
NETEM = "delay 20ms 5ms loss 2%".split()


def run(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20)
    except FileNotFoundError as e:
        return subprocess.CompletedProcess(command, 127, "", str(e))


class Way:
    """prefix: what a command begins with, so that it runs on the other machine; here: our address as it is seen from there."""

    def __init__(self):
        self.name, self.prefix, self.here = f"plated{os.getpid() % 10000}", [], "127.0.0.1"
        taken = run("ip", "-o", "addr").stdout  # a run that was killed leaves its own behind
        nets = (f"10.233.{(os.getpid() + i) % 250}" for i in range(250))
        net = next(n for n in nets if n + "." not in taken)
        made = [f"ip netns add {self.name}", f"ip link add {self.name}a type veth peer name {self.name}b netns {self.name}",
                f"ip addr add {net}.1/24 dev {self.name}a", f"ip link set {self.name}a up", f"ip -n {self.name} addr add {net}.2/24 dev {self.name}b",
                f"ip -n {self.name} link set {self.name}b up"]
        failed = next((done.stderr or command for command in made if (done := run(*command.split())).returncode), None) if os.geteuid() == 0 else "not root"
        if failed:
            print(f"NO NETWORK NAMESPACE ({failed.strip()}): over loopback instead")
            return
        self.prefix, self.here = ["ip", "netns", "exec", self.name], f"{net}.1"
        netem = run("tc", "qdisc", "add", "dev", f"{self.name}a", "root", "netem", *NETEM)
        if netem.returncode:
            print(f"NO NETEM ({netem.stderr.strip()}): only the relay delays and loses")

    def done(self):
        if os.geteuid() == 0:
            run("ip", "link", "del", f"{self.name}a")
            run("ip", "netns", "del", self.name)


@pytest.fixture(scope="module")
def way(bin):
    w = Way()
    yield w
    w.done()


@pytest.fixture(scope="module")
def station(way, bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("station")
    for name in ("station", "watcher", "tablet"):
        subprocess.run([bin("platectl"), "keygen", "-o", folder / name], check=True, capture_output=True)
    keys = {name: zmq.auth.load_certificate(folder / f"{name}.key")[0].decode() for name in ("station", "watcher", "tablet")}
    (folder / "clients").write_text(CLIENTS.format(keys["watcher"]) + CLIENTS.format(keys["tablet"]).replace("watcher", "tablet") + "    right = command\n")
    config = f"  secret_key: {folder}/station.key_secret\n  clients: {folder}/clients"
    ports = [f"tcp://{way.here}:{7460 + 2 * (os.getpid() % 5000) + i}" for i in range(2)]
    with Station(folder, bin, SIM, config=config, endpoints=ports, keys=folder) as s:
        s.server_key = keys["station"]
        s.wait_for(lambda: s.bodies("force/"), 15)
        yield s


def test_two_ways_to_a_station_from_another_machine(way, station, bin, tmp_path):
    with Relay(station.data, 0.03, 0.05, lost=5, address=way.here) as data, Relay(station.control, 0.05, 0.01, lost=5, address=way.here) as control:
        hosts = tmp_path / "hosts"
        hosts.write_text(f"{station.data} {station.control} {station.server_key}\n{data.endpoint} {control.endpoint} {station.server_key}\n")
        platectl = [*way.prefix, bin("platectl"), "--hosts", str(hosts), "--key", str(station.folder / "watcher.key_secret"), "--timeout", "10"]
        with subprocess.Popen([*platectl, "watch", "--json", "--seconds", "6"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watch:
            done = run(*platectl, "clocks", "--json")
            clocks = [json.loads(line) for line in done.stdout.splitlines()]
            said = watch.communicate(timeout=30)
        refused = run(*platectl[:-2], "--timeout", "10", "side", "left")
    assert watch.returncode == 0 and "lost on the way" not in said[1], said[1]
    seen = {}
    for line in said[0].splitlines():
        message = json.loads(line)
        seen.setdefault(message["endpoint"], {})[message["topic"], message["seq"]] = message["t_utc_ns"]
    assert set(seen) == {station.data, data.endpoint}, said
    both = set(seen[station.data]) & set(seen[data.endpoint])
    assert any(topic.startswith("rep/") for topic, _ in both) and all(seen[station.data][k] == seen[data.endpoint][k] for k in both)
    assert [c["endpoint"] for c in clocks] == [station.control, control.endpoint] and done.returncode == 0, done
    for c in clocks:  # one machine after all: the truth is 0
        assert abs(c["ahead_ns"]) <= c["uncertain_ns"], c
    assert refused.returncode == 2 and "one station at a time" in refused.stderr


def test_keys_are_asked_for_and_rights_held(way, station, bin, tmp_path):
    at = [*way.prefix, bin("platectl"), "--endpoint", station.control, "--data", station.data, "--timeout", "10"]
    done = run(*at, "status")
    assert done.returncode == 1 and "plated wants keys; give --key and --server-key" in done.stderr, done
    done = run(*at, "watch", "--lines", "--seconds", "1")
    assert done.returncode == 1 and re.search(f"{station.data}: plated wants keys", done.stderr), done
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{station.data} {station.control} {station.server_key}\n")
    at = [*way.prefix, bin("platectl"), "--hosts", str(hosts), "--timeout", "10"]
    done = run(*at, "status")
    assert done.returncode == 2 and "--key is missing" in done.stderr, done
    for who, code in (("watcher", 1), ("tablet", 0)):
        keyed = [*at, "--key", str(station.folder / f"{who}.key_secret")]
        assert run(*keyed, "status").returncode == 0
        done = run(*keyed, "note", "from far away")
        assert done.returncode == code, done
