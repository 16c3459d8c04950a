#!/usr/bin/env python3
"""Prints what a plated station says: recordings, repetitions, verdicts, and what was missed.

usage: subscriber.py [ENDPOINT]        needs pyzmq and numpy (Debian: python3-zmq python3-numpy)
"""
import json
import sys

import numpy
import zmq

endpoint = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:7460"
sub = zmq.Context().socket(zmq.SUB)
for topic in ("force/", "rep/", "imbalance/", "session/", "health/"):
    sub.subscribe(topic)
sub.connect(endpoint)  # and again by itself, whenever the station has gone and come back

last = {}  # run and seq of the last message of each topic
most = {}  # of each plate, since its last rep


def missed(topic, m):
    """How many messages of this topic were lost before m: seq has no hole where the station sends."""
    run, seq = last.get(topic, (m["run"], m["seq"] - 1))
    last[topic] = m["run"], m["seq"]
    return m["seq"] - (seq + 1 if run == m["run"] else 0)  # another run of the station counts from 0


def say(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"  # null: the signal does not support it


while True:
    if not sub.poll(3000):  # health/ comes once a second
        print("nothing is heard from", endpoint, file=sys.stderr)
        continue
    topic, header, *payload = sub.recv_multipart()
    topic, m = topic.decode(), json.loads(header)
    if m["v"] != 1 or "cached" in m:  # a contract that is not ours; a repeat for late joiners: this program logs events
        continue
    if lost := missed(topic, m):
        print(f"missed {lost} of {topic}")
    match topic.split("/")[0]:
        case "force":
            samples = numpy.frombuffer(payload[0], m["dtype"]).reshape(m["shape"])
            fz = samples[:, m["channels"].index("Fz")]
            most[m["plate"]] = max(most.get(m["plate"], 0), fz.max())
        case "rep":
            print(f"{m['plate']}: set {m['set']} rep {m['rep']} {m['side']}, drive {say(m['concentric_s'], 3)} s,"
                  f" peak {say(m['peak_force_N'], 2)} N, unfiltered {say(most.pop(m['plate'], 0), 2)} N")
        case "imbalance":
            print(f"{m['verdict']}: {m['metric']} {say(m['value_pct'], 2)} %")
        case "session":
            print(f"{m['archive']} {m['state']}")
    sys.stdout.flush()
