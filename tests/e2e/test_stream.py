"""The stream beside itself: preview/ against force/, and what `snapshot` gives again against what was sent. One daemon, two plates, lost packets."""
import json
import subprocess

import numpy as np
import pytest
import zmq

from station import Station


class Client:
    def __init__(self, station):
        self.socket = station.context.socket(zmq.REQ)
        self.socket.setsockopt(zmq.RCVTIMEO, 10000)
        self.socket.connect(station.control)

    def raw(self, method="snapshot", **params):
        self.socket.send_json({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return self.socket.recv().decode()

    def __call__(self, **params):
        return json.loads(self.raw(**params))["result"]

    def error(self, **params):
        return json.loads(self.raw(**params))["error"]


@pytest.fixture(scope="module")
def session(tmp_path_factory, bin):
    """(what a subscriber got, a client of the control socket): the samples have ended, the recording and the daemon go on."""
    args = ["--exercise", "barbell_hip_thrust", "--reps", "3", "--rate", "250", "--drop", "0.01", "--seed", "11", "--speed", "4", "--linger", "100"]
    with Station(tmp_path_factory.mktemp("stream"), bin, args, exercise="barbell_hip_thrust") as s:
        s.wait_for(lambda: sum(t == "rep/left/" for t, _ in s.messages) >= 3 and sum(t == "set/" for t, _ in s.messages) >= 1, 60)
        s.ctl("stop")
        s.wait_for(lambda: any('"sealed"' in h for t, h in s.messages if t == "session/"), 60)
        client = Client(s)
        yield s, client
        client.socket.close(linger=0)


def rows(s, topic):
    """(header, array) of each message of the recording: behind its end samples are shown, too, and counted from 0 again."""
    last = -1
    for frames in s.received:
        m = json.loads(frames[1])
        if frames[0] == topic.encode():
            if m["sample"] < last:
                return
            last = m["sample"]
            yield m, np.frombuffer(frames[2], m["dtype"]).reshape(m["shape"])


@pytest.mark.parametrize("plate", ["left", "right"])
def test_preview_is_what_force_says(session, plate):
    force, numbers, times = [], [], []
    for m, row in rows(session[0], f"force/{plate}/"):
        force.append(row)
        numbers += range(m["sample"], m["sample"] + len(row))
        times += [m["t_s"] + i / m["rate_Hz"] for i in range(len(row))]
    force, at, first = np.concatenate(force), 0, True
    assert numbers[-1] - numbers[0] + 1 > len(numbers) > 1000  # some were lost
    for m, bins in rows(session[0], f"preview/{plate}/"):
        assert m["interval_s"] == 0.02 and abs(m["t_s"] / 0.02 - round(m["t_s"] / 0.02)) < 1e-6 and m["sample"] == numbers[at]
        for i, (least, mean, most, x, y, samples, missing) in enumerate(bins):
            part = slice(at, at + int(samples))
            fz, cop_x, cop_y = force[part].T[:3]
            assert least == fz.min() and most == fz.max() and abs(mean - fz.mean(dtype=float)) < 1e-3
            for said, cop in ((x, cop_x), (y, cop_y)):
                known = cop[~np.isnan(cop)]
                assert np.isnan(said) if len(known) == 0 else abs(said - known.mean(dtype=float)) < 1e-3
            start = m["t_s"] + i * 0.02
            assert start - 2e-3 < times[at] and times[part.stop - 1] < start + 0.02 + 2e-3
            assert first or missing == numbers[part.stop - 1] - numbers[at - 1] - samples
            at, first = part.stop, False
    assert at == len(force)  # to the last sample


def test_what_was_said_is_given_again_to_the_byte(session):
    s, ask = session
    sent = {}
    for topic, header in s.messages:
        if '"cached":true' not in header:
            sent.setdefault(topic, []).append(header)
    assert {"rep/left/", "rep/right/", "phase/left/", "fault/left/", "set/", "session/", "health/"} <= sent.keys()
    for topic, headers in sent.items():
        if topic.split("/")[0] in ("force", "preview", "share"):  # samples are in the archive
            result = ask(topic=topic, since=-1)
            assert result["messages"] == [] and result["lost_before"] == result["topics"][topic]["said"] >= len(headers)
            continue
        first = json.loads(headers[0])["seq"]
        for skipped in {0, 1, len(headers) - 1}:
            raw = ask.raw(topic=topic, since=first + skipped - 1)
            held = [f'["{topic}",{h}]' for h in headers[skipped:]]
            assert '"messages":[' + ",".join(held) in raw, (topic, skipped)  # health/ may have gone on
            result = json.loads(raw)["result"]
            assert result["lost_before"] is None and result["next"] is None
            assert result["run"] == json.loads(headers[0])["run"]


def test_the_latest_of_everything(session):
    s, ask = session
    result = ask()
    assert all(m["cached"] for _, m in result["messages"])
    assert [m["state"] for t, m in result["messages"] if t == "session/"] == ["sealed"]
    assert {t for t, _ in s.messages} == set(result["topics"])
    assert result["topics"]["rep/left/"] == {"said": 3, "held_from": 0}
    only = ask(topic="se")
    assert {t for t, _ in only["messages"]} == set(only["topics"]) == {"set/", "session/"}


def test_platectl_asks_page_by_page(session):
    s, ask = session
    s.ctl("start")
    for i in range(600):
        assert '"t_s"' in ask.raw("mark", kind="many", value=f"{i:05} {'x' * 80}")
    s.ctl("stop")  # once it is sealed, all has been said
    said, page = [], {"topic": "mark/", "since": 4}
    while page:
        result = ask(**page)
        said += result["messages"]
        page = None if result["next"] is None else {**page, "next": result["next"]}
    assert [m["seq"] for _, m in said] == list(range(5, result["topics"]["mark/"]["said"])) and len(json.dumps(said)) > 2 ** 17  # three pages
    lines = [line.split(" ", 1) for line in s.ctl("snapshot", "mark/", "--since", "4").splitlines()]
    assert [[topic, json.loads(header)] for topic, header in lines] == said
    assert json.loads(s.ctl("snapshot", "mark/", "--since", "4", "--json")) == {**result, "messages": said}
    assert {line.split()[0] for line in s.ctl("snapshot", "se").splitlines()} == {"session/"}  # sets: of the recording before
    for args, code, what in ((["force/left/", "--since", "-1"], 0, "no longer held"), (["set/", "--since", "1000000"], 1, "has not been said yet"),
                             (["--since", "3"], 2, "say which")):
        done = subprocess.run([s.bin("platectl"), "snapshot", "--endpoint", s.control, *args], capture_output=True, text=True)
        assert done.returncode == code and done.stdout == "" and what in done.stderr


def test_snapshot_refuses(session):
    ask = session[1]
    for params, code, what in (({"since": 0}, -32602, "topic"), ({"topic": "set/", "since": 1.5}, -32602, "since"), ({"topic": "set/", "since": -2}, -32602, "since"),
                               ({"topic": 1}, -32602, "topic"), ({"next": -1}, -32602, "next"), ({"page": 1}, -32602, "page"),
                               ({"topic": "set/", "since": 10 ** 6}, -32000, "has not been said yet"), ({"topic": "none/", "since": 0}, -32000, "0 messages")):
        error = ask.error(**params)
        assert error["code"] == code and what in error["message"], params
    assert ask(topic="none/", since=-1)["messages"] == []
    assert ask(topic="set/", since=-1, next=2 ** 63 - 1)["messages"] == []
