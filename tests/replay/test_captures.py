#!/usr/bin/python3
"""Every capture beside this script through the core: what comes out is NAME.log.chk, byte for byte, however the reads are cut.
`test_captures.py --write` writes the goldens anew (set PLATE_REPLAY_DUMP to the program)."""
import collections, os, pathlib, re, subprocess, sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parent / "captures"
LOGS = sorted(FOLDER.glob("*.log"))
# Rate, Hz, and baud. A capture has no pauses: a device that has no clock gets the baud at which its lines would come at its rate.
PORT = {"native": ("100", "115200"), "csv": ("80", "115200"), "openscale": ("10", "9600"), "chronojump": ("87.5", "115200"),
        "chronojump-platform": ("250", "115200"), "sics": ("10", "1800")}


def dump(log, protocol=None, chunk=64):
    name, cells = log.name.split(".")[:2]
    command = [os.environ["PLATE_REPLAY_DUMP"], protocol or name, cells, *PORT[name], str(chunk)]
    return subprocess.run(command, stdin=log.open("rb"), check=True, capture_output=True, text=True).stdout


def test_there_are_captures():
    of = collections.Counter(log.name.split(".")[0] for log in LOGS)
    assert set(of) == {"native", "csv", "openscale", "chronojump", "chronojump-platform", "sics"} and min(of.values()) >= 3
    assert {p.name for p in FOLDER.glob("*.chk")} == {log.name + ".chk" for log in LOGS}


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_capture(log):
    said = dump(log)
    assert said == pathlib.Path(f"{log}.chk").read_text()
    account = dict(re.findall(r"(\w+)=(\d+)", said.splitlines()[-1]))
    assert int(account["bytes"]) == log.stat().st_size == int(account["taken"]) + int(account["discarded"])


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_reads_do_not_matter(log):
    """Cut elsewhere, the same samples, edges and account. (When they came is then another time, so an estimated gap may be another.)"""
    said = lambda **how: sorted(re.sub(r"( \d+| sample=\d+)? t_s=\S+", "", line) for line in dump(log, **how).splitlines() if not line.startswith("gap"))
    for chunk in (1, 7, 4096):
        assert said(chunk=chunk) == said()


@pytest.mark.parametrize("log", [log for log in LOGS if log.name.split(".")[0] not in ("csv", "chronojump") or "dialogue" in log.name], ids=lambda log: log.name)
def test_auto_finds_it(log):
    """The same samples as by name, but for those of a native device of another version and of a sensor that does not say its name."""
    by_name, by_itself = dump(log), dump(log, "auto")
    assert f"auto {log.name.split('.')[0]}:" in by_itself
    samples = lambda text: [line.split(" ", 3)[3] for line in text.splitlines() if line.startswith("sample")]
    assert samples(by_itself) == samples(by_name)


@pytest.mark.parametrize("log", [log for log in LOGS if log.name.startswith("csv")], ids=lambda log: log.name)
def test_auto_leaves_lines_of_numbers_alone(log):
    said = dump(log, "auto")
    assert "auto" not in said and "sample" not in said


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    for log in LOGS:
        pathlib.Path(f"{log}.chk").write_text(dump(log))
