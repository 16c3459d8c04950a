"""The runs of scripts/bench-latency: platefeed -> floord, plated or a Python logger -> stream_latency, in turn, and what each cost."""
import argparse
import functools
import json
import os
import select
import signal
import statistics
import subprocess
import tempfile
import time

from measure import free_port, rss_MB

FEED_WAIT_S = 20


def wait_line(process, word, seconds):
    """Reads the process's stdout until a line starts with word; returns the line."""
    end, got = time.monotonic() + seconds, b""
    while time.monotonic() < end:
        if not select.select([process.stdout], [], [], 0.1)[0]:
            continue
        data = os.read(process.stdout.fileno(), 65536)
        got += data
        for line in got.decode(errors="replace").splitlines():
            if line.startswith(word):
                return line
        if not data:
            break
    raise SystemExit(f"bench-latency: {process.args[0]}: no {word} within {seconds} s: {got.decode(errors='replace')[-300:]}")


def cpu_s(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
        except OSError:
            pass
    return total / 1e9


def floor_command(a, link, _work):
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    return [f"{a.peers}/floord", link, "-e", endpoint, "-c", str(a.cells)], endpoint, "", "t_us", None


def python_command(a, link, work, reader):
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    return ["/usr/bin/python3", f"{a.scripts}/pylogger.py", link, f"{work}/log.h5", "--endpoint", endpoint, "--nch", str(a.cells), "--reader", reader], endpoint, "", "t_us", None


def plated_command(a, link, work, interval_ms=0):
    data, control = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
    cells = "\n".join(f"      - name: {name}" for name in
                      ("front_left", "front_right", "back_left", "back_right", "c5", "c6", "c7", "c8")[:a.cells])
    config = f"""station: bench-{os.getpid()}
archive_dir: {work}
ring_dir: /dev/shm
autostart: true
stream:
  data: {data}
  control: {control}
  publish_interval_ms: {interval_ms}
plates:
  - name: plate
    port: {link}
    baud: 921600
    decoder: csv
    rate_Hz: {a.rate}
    count_scale: 0.001
    csv:
      time_column: 1
      time_unit: us
      time_bits: 0
      first_column: 2
      decimals: 0
    cells:
{cells}
"""
    path = os.path.join(work, "bench.yaml")
    with open(path, "w") as f:
        f.write(config)
    return [f"{a.bin}/plated", "-c", path, "--ready"], data, "force/", "device_us", control


def status(a, control):
    out = subprocess.run([f"{a.bin}/platectl", "--endpoint", control, "status", "--json"], capture_output=True, text=True, timeout=20)
    return json.loads(out.stdout)


def run(a, name, command):
    with tempfile.TemporaryDirectory(dir=a.work) as work:
        link = os.path.join(work, "port")
        processes = []

        def start(argv, **kw):
            processes.append(subprocess.Popen(argv, stdout=subprocess.PIPE, **kw))
            return processes[-1]

        try:
            feed = start([f"{a.peers}/platefeed", "-f", "csv", "-r", str(a.rate), "-c", str(a.cells), "-d", str(a.seconds), "-g", "-l", link],
                         stdin=subprocess.PIPE)
            wait_line(feed, "SLAVE", 10)
            argv, endpoint, topic, key, control = command(a, link, work)
            with open(os.path.join(work, "log"), "w") as log:
                daemon = start(argv, stderr=log)
            wait_line(daemon, "READY", 20)
            sink = start([f"{a.peers}/stream_latency", endpoint, topic, key])
            wait_line(sink, "READY", 10)
            time.sleep(0.6)  # the subscription is on its way

            feed.stdin.write(b"\n")
            feed.stdin.flush()
            time.sleep(0.1 * a.seconds)
            cpu0, t0 = cpu_s(daemon.pid), time.monotonic()
            time.sleep(0.8 * a.seconds)
            cpu1, t1, rss = cpu_s(daemon.pid), time.monotonic(), rss_MB(daemon.pid)
            fed = json.loads(feed.communicate(timeout=a.seconds + FEED_WAIT_S)[0].decode().splitlines()[-1])
            latency = json.loads(sink.communicate(timeout=FEED_WAIT_S)[0].decode().splitlines()[-1])
            if control:
                plate = status(a, control)["plates"][0]
                got, lost = plate["samples"], plate["lost"]
                daemon.send_signal(signal.SIGTERM)
                daemon.wait(timeout=60)
            else:
                got, lost = json.loads(daemon.communicate(timeout=20)[0].decode().splitlines()[-1])["rows"], 0
            return {"daemon": name, "p50_us": latency["p50_us"], "p99_us": latency["p99_us"], "cpu_pct": 100 * (cpu1 - cpu0) / (t1 - t0),
                    "rss_MB": rss, "sent": fed["frames"], "got": got, "missed": fed["frames"] - got, "counted_lost": lost,
                    "messages": latency["messages"]}
        finally:
            for p in reversed(processes):
                if p.poll() is None:
                    p.kill()
                    p.wait()


def main():
    ap = argparse.ArgumentParser(prog="bench-latency")
    for name, kind, default in (("--peers", str, None), ("--bin", str, None), ("--work", str, None), ("--rounds", int, 5),
                                ("--seconds", float, 12), ("--rate", float, 1000), ("--cells", int, 4)):
        ap.add_argument(name, type=kind, default=default)
    ap.add_argument("--scripts", default=None, help="where pylogger.py is")
    ap.add_argument("--all", action="store_true")
    ap.add_argument("--json", action="store_true")
    a = ap.parse_args()
    kinds = {"floor": floor_command, "plated": plated_command}
    if a.all:
        kinds |= {"plated 5 ms": functools.partial(plated_command, interval_ms=5), "plated 20 ms": functools.partial(plated_command, interval_ms=20),
                  "py chunk": functools.partial(python_command, reader="chunk"), "py readline": functools.partial(python_command, reader="readline")}
    runs = {k: [] for k in kinds}
    for r in range(a.rounds):
        for name, command in kinds.items():
            runs[name].append(run(a, name, command))
            if a.json:
                print(json.dumps({"round": r, **runs[name][-1]}), flush=True)
    median = {k: {f: statistics.median(x[f] for x in v) for f in ("p50_us", "p99_us", "cpu_pct", "rss_MB", "missed", "counted_lost")}
              for k, v in runs.items()}
    ratio = {k: {f: statistics.median(p[f] / q[f] for p, q in zip(runs[k], runs["floor"]) if q[f]) for f in ("p50_us", "p99_us", "cpu_pct", "rss_MB")}
             for k in kinds if k != "floor"}
    if a.json:
        print(json.dumps({"median": median, "ratio": ratio}))
        return
    print(f"{a.rounds} rounds of {a.seconds:g} s at {a.rate:g} Hz x {a.cells} cells, medians [min-max]; ratios are medians within a round")
    print(f"{'':12} {'p50 us':>18} {'p99 us':>18} {'CPU %':>18} {'RSS MB':>8} {'missed':>7} {'says lost':>10}")
    for k, v in runs.items():
        cell = lambda f: f"{median[k][f]:.1f} [{min(x[f] for x in v):.1f}-{max(x[f] for x in v):.1f}]"
        print(f"{k:12} {cell('p50_us'):>18} {cell('p99_us'):>18} {cell('cpu_pct'):>18} {median[k]['rss_MB']:8.1f} {median[k]['missed']:7.0f} {median[k]['counted_lost']:10.0f}")
    for k, of in ratio.items():
        print(f"{k + ' / floor':20} p50 {of['p50_us']:.2f}  p99 {of['p99_us']:.2f}  CPU {of['cpu_pct']:.2f}  RSS {of['rss_MB']:.2f}")


main()
