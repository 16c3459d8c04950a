"""Bad input: one line that says where, what, and what to do; the exit code of the contract; and nothing else lost."""
import json, os, subprocess, time

import pytest
import zmq

from station import Station, offline


def refused(args, code, *words):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=30)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], (word, lines[0])
    return lines[0]


GOOD = """station: test
archive_dir: {folder}/traces
ring_dir: {folder}
stream:
  data: ipc://{folder}/data
  control: ipc://{folder}/control
plates:
  - name: plate
    port: {folder}/port
    decoder: native
    rate_Hz: 1000
    cells:
      - {{name: front_left}}
"""


@pytest.fixture
def config(tmp_path):
    def write(change=lambda text: text):
        path = tmp_path / "plated.yaml"
        path.write_text(change(GOOD.format(folder=tmp_path)))
        return path
    return write


def test_configuration(bin, config, tmp_path):
    plated = bin("plated")
    assert subprocess.run([plated, "-c", config(), "--check-config"], capture_output=True).returncode == 0
    refused([plated, "-c", config(lambda t: t.replace("rate_Hz: 1000", "rate_hz: 1000"))], 1, "plated: ", "plated.yaml:11:", "rate_hz", "rate_Hz")
    refused([plated, "-c", config(lambda t: t.replace("rate_Hz: 1000", "rate_Hz: fast"))], 1, "plated.yaml:11:", "rate_Hz")
    refused([plated, "-c", config(lambda t: t.replace("rate_Hz: 1000", "rate_Hz: -5"))], 1, "plated.yaml:11:", "rate_Hz")
    refused([plated, "-c", config(lambda t: t.replace(f"    port: {tmp_path}/port\n", ""))], 1, "port")
    refused([plated, "-c", config(lambda t: t.replace("stream:", "stream: [", 1))], 1, "plated.yaml:")
    refused([plated, "-c", tmp_path / "absent.yaml"], 1, "absent.yaml", "No such file")
    assert subprocess.run([plated, "--no-such-option"], capture_output=True).returncode == 2


def test_places_that_cannot_be_written(bin, config, tmp_path):
    (tmp_path / "file").write_text("")
    refused([bin("plated"), "-c", config(lambda t: t.replace("/traces", "/file/traces"))], 1, "file/traces", "archive_dir")
    refused([bin("plated"), "-c", config(lambda t: t.replace(f"ring_dir: {tmp_path}", f"ring_dir: {tmp_path}/none"))], 1, "ring")
    refused([bin("plated"), "-c", config(lambda t: t.replace("ipc://", "tcp://0.0.0.0:7460#"))], 1, "0.0.0.0")


def test_a_second_daemon_is_refused_and_the_first_goes_on(bin, tmp_path):
    with Station(tmp_path, bin, ["--sets", "left", "--reps", "1", "--speed", "4"]) as s:
        refused([bin("plated"), "-c", s.config], 1, "another plated", "test")
        s.play(60)
        archive = s.stop()
    subprocess.run([bin("plate-trace"), "verify", archive], check=True)


def test_a_missing_port_is_told_and_waited_for(bin, config, tmp_path):
    log = open(tmp_path / "log", "w")
    daemon = subprocess.Popen([bin("plated"), "-c", config()], stderr=log)
    try:
        end = time.monotonic() + 10
        while "no such device" not in (tmp_path / "log").read_text():
            assert time.monotonic() < end and daemon.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        status = json.loads(subprocess.run([bin("platectl"), "--endpoint", f"ipc://{tmp_path}/control", "status", "--json"], capture_output=True, check=True).stdout)
        assert status["plates"][0]["state"] == "waiting" and "plug it in" in status["plates"][0]["error"]
        lines = [line for line in (tmp_path / "log").read_text().splitlines() if "no such device" in line]
        assert len(lines) == 1
    finally:
        daemon.terminate()
        assert daemon.wait(20) == 0


def ask(socket, text):
    socket.send(text if isinstance(text, bytes) else text.encode())
    assert socket.poll(3000), f"no answer to {text!r}"
    return json.loads(socket.recv())


def test_control_messages(bin, tmp_path):
    with Station(tmp_path, bin, ["--sets", "left", "--reps", "1", "--speed", "4"]) as s:
        socket = s.context.socket(zmq.DEALER)
        socket.connect(s.control)
        s.wait_for(lambda: s.now_s() > 0, 30)
        code = lambda text: ask(socket, text)["error"]["code"]
        assert code(b"\xff\xfe{") == -32700
        assert code("[1, 2]") == -32600
        assert code('{"jsonrpc": "1.0", "method": "status", "id": 1}') == -32600
        assert code('{"jsonrpc": "2.0", "method": 7, "id": 1}') == -32600
        assert code('{"jsonrpc": "2.0", "method": "fly", "id": 1}') == -32601
        assert code('{"jsonrpc": "2.0", "method": "side", "params": {"side": "up"}, "id": 1}') == -32602
        assert code('{"jsonrpc": "2.0", "method": "side", "params": {"sied": "left"}, "id": 1}') == -32602
        assert code('{"jsonrpc": "2.0", "method": "start", "params": {"load_kg": -1}, "id": 1}') == -32602
        assert code('{"jsonrpc": "2.0", "method": "mark", "params": {"kind": "side", "value": "up"}, "id": 1}') == -32602
        assert code('{"jsonrpc": "2.0", "method": "tare", "params": {"plate": "none"}, "id": 1}') == -32602
        answer = ask(socket, '{"jsonrpc": "2.0", "method": "mark", "params": {"kind": "note", "value": "hello"}, "id": "x"}')
        assert answer["id"] == "x" and answer["result"]["t_s"] >= 0
        socket.send(b'{"jsonrpc": "2.0", "method": "mark", "params": {"kind": "note"}}')  # a notification: carried out, not answered
        assert not socket.poll(200)
        socket.close(0)
        s.play(60)
        done = subprocess.run([bin("platectl"), "--endpoint", s.control, "side", "up"], capture_output=True, text=True)
        assert done.returncode in (1, 2) and "up" in done.stderr
        archive = s.stop()
    assert "+ 0 lost" in subprocess.run([bin("plate-trace"), "verify", archive], capture_output=True, text=True, check=True).stdout
    assert len([line for line in offline(bin, "--all", archive) if '"kind":"note"' in line]) == 2


def test_what_nobody_would_keep_is_refused(bin, config, tmp_path):
    """Before the first sample nothing is recorded: who works is kept for then, a note is refused."""
    daemon = subprocess.Popen([bin("plated"), "-c", config(), "--ready"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert daemon.stdout.readline() == b"READY\n"
        ctl = [bin("platectl"), "--endpoint", f"ipc://{tmp_path}/control"]
        subprocess.run([*ctl, "side", "left"], check=True, capture_output=True)
        refused([*ctl, "mark", "note", "hello"], 1, "platectl start")
        refused([*ctl, "stop"], 1, "platectl start")
    finally:
        daemon.terminate()
        assert daemon.wait(20) == 0
    assert not list(tmp_path.glob("traces/*"))


def test_platectl_without_a_daemon(bin, tmp_path):
    refused([bin("platectl"), "--endpoint", f"ipc://{tmp_path}/nobody", "--timeout", "0.3", "status"], 1, "is plated running")
    assert subprocess.run([bin("platectl"), "fly"], capture_output=True).returncode == 2


def test_start_stop_and_tare(bin, tmp_path):
    """The tester's way: tare, start with a subject, stop; the archive knows all of it."""
    args = ["--sets", "left", "--reps", "2", "--seed", "9", "--start-delay", "8", "--speed", "2"]
    with Station(tmp_path, bin, args, exercise="generic", config="", ready=True) as s:
        s.wait_for(lambda: s.now_s() > 3, 30)
        tared = json.loads(s.ctl("tare", "--json"))
        assert len(tared["plates"]) == 1 and len(tared["plates"][0]["tare"]) == 4
        started = json.loads(s.ctl("start", "--subject", "S01", "--exercise", "single_leg_hip_thrust", "--side", "left", "--body-mass-kg", "80", "--json"))
        assert "S01" in started["session"]
        s.wait_for(lambda: any('"sealed"' in b for b in s.bodies("session/")), 30)  # the one that the daemon began
        assert '"state":"started"' in s.ctl("snapshot", "session/"), "who joins late hears of the recording that runs"
        again = subprocess.run([bin("platectl"), "--endpoint", s.control, "start"], capture_output=True, text=True)
        assert again.returncode == 1 and "platectl stop" in again.stderr
        s.play(60)
        s.ctl("stop")
        s.stop()
    assert len(list(tmp_path.glob("traces/*.h5"))) == 2
    live = [json.loads(b) for b in s.bodies("rep/")]
    assert [r["side"] for r in live] == ["left", "left"] and live[0]["exercise"] == "single_leg_hip_thrust"
    assert abs(live[0]["peak_force_N_per_kg"] - live[0]["peak_force_N"] / 80) < 0.01
    assert offline(bin, "reps", started["archive"]) == s.bodies("rep/")
    for archive in tmp_path.glob("traces/*.h5"):
        subprocess.run([bin("plate-trace"), "verify", archive], check=True)


def test_truncated_csv(bin, tmp_path):
    whole = "t_s,force_N\n" + "".join(f"{i / 100:.2f},{20 + i % 3}\n" for i in range(300))
    cut = tmp_path / "cut.csv"
    cut.write_text(whole[:-4])
    out = tmp_path / "out.h5"
    refused([bin("plate-trace"), "import", cut, "-o", out], 1, "cut.csv:301:", "--allow-truncated")
    assert not out.exists()
    refused([bin("plate-sim"), "--link", tmp_path / "p", "--playback", cut], 1, "cut.csv:301:")
    cut.write_text(whole.replace("1.50,20", "1.50,twenty"))
    refused([bin("plate-trace"), "import", cut, "-o", out], 1, "cut.csv:152:")
    (tmp_path / "not.h5").write_text("no")
    refused([bin("plate-trace"), "verify", tmp_path / "not.h5"], 1, "not.h5")
    refused([bin("plate-trace"), "verify", tmp_path / "absent.h5"], 1, "absent.h5")
