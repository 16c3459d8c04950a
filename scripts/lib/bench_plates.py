"""The run of scripts/bench-plates: a simulator with many plates on ptys, plated, a subscriber to all of it; what was lost, and what it cost."""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

SUBSCRIBER = """
import sys, zmq
s = zmq.Context().socket(zmq.SUB)
s.connect(sys.argv[1])
s.subscribe("")
while True:
    s.recv_multipart()
"""


def cost(pid):
    """CPU seconds so far, most memory in MB."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(status["VmHWM"].split()[0]) / 1024


def run(folder, bin, a):
    sim = [f"{bin}/plate-sim", "--link", f"{folder}/port", "--plates", str(a.plates), "--rate", str(a.rate), "--cells", str(a.cells), "--loop", "--overrun"]
    plates = subprocess.run([*sim, "--print-config"], capture_output=True, text=True, check=True).stdout
    control = f"ipc://{folder}/control"
    config = pathlib.Path(folder, "plated.yaml")
    config.write_text(f"archive_dir: {folder}/traces\nring_dir: {a.ring}\nstation: bench-{os.getpid()}\n"
                      f"stream: {{data: 'ipc://{folder}/data', control: '{control}'}}\n{plates}")
    log = open(f"{folder}/log", "w")
    started = []

    def start(*command, **how):
        started.append(subprocess.Popen(command, stderr=log, text=True, **how))
        return started[-1]

    try:
        plated = start(f"{bin}/plated", "-c", config, "--ready", stdout=subprocess.PIPE)
        assert plated.stdout.readline() == "READY\n", open(f"{folder}/log").read()
        watch = start(sys.executable, "-c", SUBSCRIBER, f"ipc://{folder}/data")
        board = start(*sim, stdout=subprocess.PIPE)
        time.sleep(3)  # the first seconds are of start-up
        names = {"plated": plated, "subscriber": watch, "simulator": board}
        before, began = {n: cost(p.pid)[0] for n, p in names.items()}, time.monotonic()
        time.sleep(a.seconds)
        spent, took = {n: cost(p.pid) for n, p in names.items()}, time.monotonic() - began
        status = json.loads(subprocess.run([f"{bin}/platectl", "--endpoint", control, "--json", "--timeout", "20", "status"], capture_output=True, text=True, check=True).stdout)
        board.send_signal(signal.SIGTERM)
        account = json.loads(board.communicate(timeout=30)[0].splitlines()[-1])
        time.sleep(1)
        plated.send_signal(signal.SIGTERM)
        code = plated.wait(300)
    finally:
        for p in started:
            if p.poll() is None:
                p.kill()
                p.wait()
    assert code == 0, open(f"{folder}/log").read()[-2000:]
    parts = sorted(str(p) for p in pathlib.Path(folder, "traces").glob("*.h5"))
    verified = subprocess.run([f"{bin}/plate-trace", "verify", parts[0]], capture_output=True, text=True)
    cpu = {n: round(100 * (spent[n][0] - before[n]) / took, 1) for n in names}
    return {"plates": a.plates, "rate_Hz": a.rate, "cells": a.cells, "seconds": round(took, 1), "samples": sum(p["samples"] for p in status["plates"]), "not_sent_port_full": account["overrun"],
            "lost": sum(p["lost"] for p in status["plates"]), "ring_used_most_pct": round(100 * status["ring"]["highest_used_bytes"] / status["ring"]["capacity_bytes"], 2),
            "send_failures": status["stream"]["send_failures"], "cpu_pct_of_a_core": cpu, "memory_MB": {n: round(spent[n][1], 1) for n in names},
            "ring_MB": round(status["ring"]["capacity_bytes"] / 1e6, 1), "archive_MB": round(sum(os.path.getsize(p) for p in parts) / 1e6, 1),
            "verify": (verified.stdout + verified.stderr).strip().split(": ", 1)[-1][:120], "verified": verified.returncode == 0}


def main():
    p = argparse.ArgumentParser(prog="scripts/bench-plates")
    p.add_argument("--bin", required=True)
    p.add_argument("--plates", type=int, default=32)
    p.add_argument("--rate", type=int, default=1000)
    p.add_argument("--cells", type=int, default=4)
    p.add_argument("--seconds", type=float, default=30)
    p.add_argument("--ring", default="/dev/shm")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            figures = run(folder, a.bin, a)
        except (AssertionError, subprocess.SubprocessError) as e:
            print(f"bench-plates: {e}", file=sys.stderr)
            return 1
    print(json.dumps(figures, indent=1))
    return 0 if figures["lost"] == 0 and figures["not_sent_port_full"] == 0 and figures["verified"] else 1


if __name__ == "__main__":
    sys.exit(main())
