"""What the programs say of themselves, read in another way than those read it who are tested."""
import os
import re
import subprocess
import sys

os.environ["PATH"] = f"{os.environ['PLATE_BIN']}:{os.environ['PATH']}"
os.environ["ASAN_OPTIONS"] = "detect_leaks=0"  # glibc's argp forgets two bytes in the --help of a verb without options
PROGRAMS = ["plated", "platectl", "plate-sim", "plate-trace", "plate-report"]


def must(held, what):
    if not held:
        sys.exit(f"{sys.argv[0]}: {what}")


def help_of(*command):
    return subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout


def options_of(text):
    """Whatever --help sets at the margin of its table; another reading of it than the completions' own."""
    return {m[0] for line in text.splitlines() if re.match(r" {1,8}-", line) for m in re.finditer(r"--[a-z][a-z0-9-]*", line.strip().split("  ")[0])}


def verbs_of(text):
    listed = re.search(r"^Verbs .*?:\n(.*?)(\n\n|\Z)", text, re.S | re.M)
    return {line.split()[0] for line in listed[1].splitlines() if line[2] != " "} if listed else set()
