"""The run of scripts/bench-slow: plated, many subscribers, some of which stop reading; who lost what, and what memory it took."""
import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import zmq

from measure import free_port, rss_MB

SEQ = re.compile(rb'"seq":(\d+)')
SAMPLES = (b"force/", b"preview/", b"share/")
PLACES = 3 * 64  # a message of three frames in a queue of libzmq, its content apart


# ---- subscribers: `bench_slow.py subscribe ENDPOINT COUNT read|stall`, told by lines on standard input what to do

def subscribe(endpoint, count, stalls):
    """Prints ALL once every subscriber has had a message; reads (or, with `stalls`, does not until it is told to) until it is told to
    stop and nothing more comes; prints what each has: {topic: [[first seq, last seq], ...]}, and the first one's events."""
    context, poller, got, events = zmq.Context(), zmq.Poller(), {}, {}
    for _ in range(count):
        socket = context.socket(zmq.SUB)
        socket.setsockopt(zmq.RCVHWM, 10 if stalls else 0)
        if stalls:
            socket.setsockopt(zmq.RCVBUF, 16384)
        socket.subscribe("")
        socket.connect(endpoint)
        poller.register(socket, zmq.POLLIN)
        got[socket] = {}
    chosen = next(iter(got))
    largest = 0

    def take(socket):
        nonlocal largest
        topic, header, *payload = socket.recv_multipart()
        largest = max(largest, len(header) + sum(map(len, payload)))
        if b'"cached":true' in header:
            return
        seq = int(SEQ.search(header)[1])
        runs = got[socket].setdefault(topic.decode(), [])
        if runs and runs[-1][1] == seq - 1:
            runs[-1][1] = seq
        else:
            runs.append([seq, seq])
        if socket is chosen and not topic.startswith(SAMPLES):
            events[f"{topic.decode()} {seq}"] = header.decode()

    told, silent = [], set(got)
    threading.Thread(target=lambda: told.extend(sys.stdin), daemon=True).start()  # a line for each thing that it is told

    def read_until(done, idle_ms=50):
        while not done():
            for socket, _ in poller.poll(idle_ms):
                silent.discard(socket)
                take(socket)

    read_until(lambda: not silent)
    print("ALL", flush=True)
    while stalls and not told:
        time.sleep(0.05)
    read_until(lambda: len(told) == (2 if stalls else 1))
    while ready := poller.poll(700):  # status comes every second
        for socket, _ in ready:
            take(socket)
    print(json.dumps({"got": list(got.values()), "events": events, "largest_bytes": largest}), flush=True)
    context.destroy(linger=0)


# ---- the trial

def holes(runs, first, end):
    """What is not in [[from, to], ...], from `first` up to before `end`."""
    have = {seq for a, b in runs for seq in range(a, b + 1)}
    return [seq for seq in range(first, end) if seq not in have]


class Control:
    def __init__(self, endpoint):
        self.socket = zmq.Context.instance().socket(zmq.REQ)
        self.socket.setsockopt(zmq.RCVTIMEO, 20000)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)

    def ask(self, method, **params):
        self.socket.send_json({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return json.loads(self.socket.recv())["result"]

    def said(self):
        return {topic: t["said"] for topic, t in self.ask("snapshot")["topics"].items()}

    def missed(self, topic, since):
        """{seq: message} behind `since`, as docs/stream.md has it."""
        page, have = {"topic": topic, "since": since}, {}
        while page:
            result = self.ask("snapshot", **page)
            have.update((m["seq"], m) for _, m in result["messages"])
            page = None if result["next"] is None else {**page, "next": result["next"]}
        return have


def trial(folder, bin, a):
    sim = [f"{bin}/plate-sim", "--link", f"{folder}/port", "--exercise", "single_leg_hip_thrust", "--rate", str(a.rate), "--speed", str(a.speed), "--loop"]
    plates = subprocess.run([*sim, "--print-config"], capture_output=True, text=True, check=True).stdout
    data, control = f"tcp://127.0.0.1:{a.port}", f"ipc://{folder}/control"
    config = pathlib.Path(folder, "plated.yaml")
    os.mkdir(f"{folder}/ring")
    config.write_text(f"archive_dir: {folder}/traces\nring_dir: {folder}/ring\nstation: bench-{os.getpid()}\nautostart: true\nside: left\n"
                      f"exercise: single_leg_hip_thrust\nstream:\n  data: {data}\n  control: {control}\n  high_water: {a.high_water}\n  cells: true\n{plates}")
    log, started = open(f"{folder}/log", "w"), []

    def start(*command, **how):
        started.append(subprocess.Popen(command, stderr=log, stdout=subprocess.PIPE, text=True, **how))
        return started[-1]

    def subscribers(count, how):
        return start(sys.executable, __file__, "subscribe", data, str(count), how, stdin=subprocess.PIPE) if count else None

    def tell(process, word):
        process.stdin.write(word + "\n")
        process.stdin.flush()

    try:
        plated = start(f"{bin}/plated", "-c", config, "--ready")
        assert plated.stdout.readline() == "READY\n", open(f"{folder}/log").read()
        ask, healthy = Control(control), a.subscribers - a.stalled
        readers = [p for p in (subscribers(healthy - healthy // 2, "read"), subscribers(healthy // 2, "read")) if p]
        stalled = subscribers(a.stalled, "stall")
        everyone = readers + ([stalled] if stalled else [])
        for p in everyone:
            assert p.stdout.readline() == "ALL\n", open(f"{folder}/log").read()
        before = ask.said()
        board = start(*sim)
        time.sleep(1)
        base_MB = most_MB = rss_MB(plated.pid)
        end = time.monotonic() + a.seconds
        while time.monotonic() < end:
            most_MB = max(most_MB, rss_MB(plated.pid))
            time.sleep(0.2)
        if stalled:
            tell(stalled, "read on")
        time.sleep(1)
        board.send_signal(signal.SIGTERM)
        board.wait(30)
        time.sleep(1)
        after = ask.said()
        for p in everyone:
            tell(p, "stop")
        heard = [json.loads(p.stdout.readline()) for p in everyone]
        status = ask.ask("status")
        figures = account(a, ask, before, after, heard if stalled else [*heard, None])
        plated.send_signal(signal.SIGTERM)
        assert plated.wait(60) == 0, open(f"{folder}/log").read()
    finally:
        for p in started:
            if p.poll() is None:
                p.kill()
                p.wait()
    bound_MB = a.stalled * a.high_water * (PLACES + max(h["largest_bytes"] for h in heard)) / 1e6
    return {"subscribers": a.subscribers, "stalled": a.stalled, "stalled_s": a.seconds, "high_water": a.high_water, **figures,
            "send_failures": status["stream"]["send_failures"], "lost_samples": status["plates"][0]["lost"], "memory_before_MB": round(base_MB, 1),
            "memory_more_MB": round(most_MB - base_MB, 1), "bound_MB": round(bound_MB, 1)}


def account(a, ask, before, after, heard):
    """Everybody but the stalled has all that was said from `before` to `after`; the stalled see in seq what they miss, and ask for it."""
    *readers, stalled = heard
    expected = {topic: (before.get(topic, 0), end) for topic, end in after.items()}
    lost_by_others = sum(len(holes(got.get(topic, []), *span)) for r in readers for got in r["got"] for topic, span in expected.items())
    missed = given_again = wrong = unseen = 0
    for got in stalled["got"] if stalled else []:
        for topic, (first, end) in expected.items():
            runs = got.get(topic, [])
            mine = holes(runs, first, end)
            missed += len(mine)
            # what seq alone tells who compares it with the message before, and in the end with `said`
            steps = [b[0] - a[1] - 1 for a, b in zip(runs, runs[1:])]
            unseen += len(mine) - (sum(steps) + (end - 1 - runs[-1][1] if runs and runs[-1][1] < end else 0) + (max(runs[0][0] - first, 0) if runs else len(mine)))
            if topic.encode().startswith(SAMPLES) or not mine:
                continue
            again = ask.missed(topic, mine[0] - 1)
            given_again += sum(seq in again for seq in mine)
            wrong += sum(json.loads(readers[0]["events"].get(f"{topic} {seq}", "null")) != again.get(seq) for seq in mine)
    return {"messages": sum(end - first for first, end in expected.values()), "lost_by_others": lost_by_others, "missed_by_stalled": missed,
            "not_seen_in_seq": unseen, "events_given_again": given_again, "events_not_given_again": wrong}


def verdict(figures):
    """What is not as docs/stream.md promises; None: all is."""
    if figures["lost_by_others"]:
        return f"subscribers that read lost {figures['lost_by_others']} messages"
    if figures["stalled"] and not figures["missed_by_stalled"]:
        return "the stalled subscribers missed nothing: stall for longer, or lower the high water"
    if figures["not_seen_in_seq"] or figures["events_not_given_again"]:
        return "seq does not tell what was missed, or snapshot does not give it again"
    if figures["memory_more_MB"] > figures["bound_MB"] + 8:
        return f"plated took {figures['memory_more_MB']} MB more, and {figures['bound_MB']} MB (and 8 of its own) are the bound"
    if figures["lost_samples"] or figures["send_failures"]:
        return "samples were lost, or messages could not be sent"
    return None


def parse(args):
    p = argparse.ArgumentParser(prog="scripts/bench-slow")
    p.add_argument("--bin", required=True)
    p.add_argument("--subscribers", type=int, default=200)
    p.add_argument("--stalled", type=int, default=50)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--high-water", type=int, default=1000)
    p.add_argument("--rate", type=int, default=1000)
    p.add_argument("--speed", type=float, default=1)
    a = p.parse_args(args)
    a.port = free_port()
    return a


def main():
    a = parse(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        try:
            figures = trial(folder, a.bin, a)
        except (AssertionError, subprocess.SubprocessError) as e:
            print(f"bench-slow: {e}", file=sys.stderr)
            return 1
    print(json.dumps(figures, indent=1))
    if wrong := verdict(figures):
        print(f"bench-slow: {wrong}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(subscribe(sys.argv[2], int(sys.argv[3]), sys.argv[4] == "stall") if sys.argv[1:2] == ["subscribe"] else main())
