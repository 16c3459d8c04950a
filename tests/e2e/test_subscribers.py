"""The subscribers of examples/, one in each language: they say the same of a live station, and of one that loses messages, comes back,
and says what no version 1 has said yet."""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time

import pytest
import zmq

from station import Station

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """How each is started; the C one is compiled as its first lines say."""
    folder = tmp_path_factory.mktemp("examples")
    compile_it = re.search(r"(cc subscriber\.c .*?)  ", (EXAMPLES / "subscriber.c").read_text())[1]
    subprocess.run(f"{compile_it} -Wall -Wextra -Werror".replace("subscriber.c", str(EXAMPLES / "subscriber.c")), shell=True, check=True, cwd=folder)
    return {"c": [folder / "subscriber"], "py": [sys.executable, EXAMPLES / "subscriber.py"], "js": ["node", EXAMPLES / "subscriber.js"]}


class Subscribers:
    """All of them, listening to one endpoint."""

    def __init__(self, commands, folder, endpoint, languages):
        self.files = {language: folder / f"said.{language}" for language in languages}
        env = dict(os.environ, NODE_PATH=str(ROOT / "build/npm/node_modules"))
        self.processes = [subprocess.Popen([*commands[language], endpoint], stdout=file.open("w"), stderr=(folder / f"err.{language}").open("w"), env=env)
                          for language, file in self.files.items()]

    def said(self, last):
        """What each has said, once each has said this last line; all the same, but for the first line of who came late."""
        end = time.monotonic() + 60
        while not all(file.read_text().endswith(last + "\n") for file in self.files.values()):
            states = {language: (file.read_text(), (file.parent / f"err.{language}").read_text()) for language, file in self.files.items()}
            assert time.monotonic() < end and all(p.poll() is None for p in self.processes), states
            time.sleep(0.02)
        said = [[line for line in file.read_text().splitlines() if not line.endswith(" started")] for file in self.files.values()]
        assert said == [said[0]] * len(said)
        return said[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def languages():
    return ["c", "py", "js"] if shutil.which("node") and (ROOT / "build/npm/node_modules/zeromq").is_dir() else ["c", "py"]


def test_javascript_is_there(languages):
    if "js" not in languages:
        pytest.skip("NO NODE, or no zeromq for it in build/npm: scripts/test installs both")


def test_a_live_station(tmp_path, bin, commands, languages):
    args = ["--exercise", "single_leg_hip_thrust", "--sets", "left,right", "--reps", "5", "--weaker", "left:40", "--rate", "250",
            "--start-delay", "60", "--speed", "10"]  # time to connect
    with Subscribers(commands, tmp_path, f"ipc://{tmp_path}/data", languages) as subscribers:
        with Station(tmp_path, bin, args, exercise="single_leg_hip_thrust", config="sides: [left, right]\nreps: 5") as s:
            s.play(timeout=60)
            s.stop()
            reps = [json.loads(b) for b in s.bodies("rep/")]
            verdicts = [json.loads(b) for b in s.bodies("imbalance/")]
            said = subscribers.said(" sealed")
    assert len(reps) == 10 and verdicts and not any("missed" in line for line in said)
    of_reps = [line for line in said if " rep " in line]
    for line, r in zip(of_reps, reps, strict=True):
        start = f"{r['plate']}: set {r['set']} rep {r['rep']} {r['side']}, drive {r['concentric_s']:.3f} s, peak {r['peak_force_N']:.2f} N, unfiltered "
        assert line.startswith(start) and abs(float(line.removeprefix(start).removesuffix(" N")) / r["peak_force_N"] - 1) < 0.02  # a rep comes behind its samples
    assert [line for line in said if " %" in line] == [f"{v['verdict']}: {v['metric']} {v['value_pct']:.2f} %" for v in verdicts]
    assert [line.split()[1] for line in said if line.split()[0].endswith(".h5")] == ["stopped", "sealed"]


class Fake:
    """A station that says what it is told to, once so many subscriptions are there."""

    def __init__(self, endpoint, run, subscriptions):
        self.run, self.seq = run, {}
        self.socket = zmq.Context.instance().socket(zmq.XPUB)
        self.socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self.socket.bind(endpoint)
        for _ in range(subscriptions):
            assert self.socket.poll(20000), "not all of them came back"
            self.socket.recv()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close(linger=0)

    def say(self, topic, *more, lost=0, **fields):
        self.seq[topic] = self.seq.get(topic, -1) + 1 + lost
        header = {"v": 1, "station": "fake", "session": "x", "run": self.run, "seq": self.seq[topic], "t_utc_ns": 5, "t_s": 1.0, **fields}
        self.socket.send_multipart([topic.encode(), json.dumps(header).encode(), *more])


REP = {"plate": "a", "side": "left", "set": 1, "rep": 1, "concentric_s": 0.5, "peak_force_N": None}


def first_run(station):
    station.say("session/", state="stopped", archive="x.h5", lost=3)  # before anybody listened: not missed
    rows = struct.pack("<6f", 10, 1, 900, 20.25, 2, 901)
    station.say("force/a/", rows, plate="a", dtype="<f4", shape=[2, 3], channels=["Fz", "cop_x", "news"], colour="a new field")
    station.say("force/a/", struct.pack("<f", 19), b"a new frame", plate="a", dtype="<f4", shape=[1, 1], channels=["Fz"], lost=2)
    station.say("news/a/", plate="a")
    station.say("session/", state="a new word", archive="x.h5", lost=1)
    station.say("rep/a/", **REP, form=[{"name": "new", "value": None, "limit": 1, "why": {"new": [1]}}])
    station.say("rep/a/", v=2)
    station.say("rep/a/", **REP)  # the one of another contract is none of ours
    station.say("imbalance/", verdict="undetermined", metric="concentric_s", value_pct=None)
    station.say("imbalance/", verdict="undetermined", metric="concentric_s", value_pct=None, cached=True)
    return ["x.h5 stopped", "missed 2 of force/a/", "missed 1 of session/", "x.h5 a new word", "a: set 1 rep 1 left, drive 0.500 s, peak - N, unfiltered 20.25 N",
            "missed 1 of rep/a/", "a: set 1 rep 1 left, drive 0.500 s, peak - N, unfiltered 0.00 N", "undetermined: concentric_s - %"]


def second_run(station):
    station.say("rep/a/", **REP, lost=4)
    station.say("imbalance/", verdict="left_weaker", metric="concentric_s", value_pct=-12.34)
    return ["missed 4 of rep/a/", "a: set 1 rep 1 left, drive 0.500 s, peak - N, unfiltered 0.00 N", "left_weaker: concentric_s -12.34 %"]


def test_holes_news_and_another_run(tmp_path, commands, languages):
    endpoint, expected = f"ipc://{tmp_path}/fake", []
    with Subscribers(commands, tmp_path, endpoint, languages) as subscribers:
        for run, scene in ((1000, first_run), (2000, second_run)):
            with Fake(endpoint, run, 5 * len(languages)) as station:
                expected += scene(station)
                assert subscribers.said(expected[-1]) == expected
