"""The manual pages: each option of each --help stands in them, in the part of its verb, and mandoc finds nothing wrong. `manuals.py FOLDER`
of the built pages; PLATE_BIN is the folder of the programs. Exit status 0, or 1 and what is wrong."""
import pathlib
import re
import shutil
import subprocess
import sys

from helps import PROGRAMS, help_of, must, options_of, verbs_of

FOLDER = pathlib.Path(sys.argv[1])
COMMON = {"--help", "--usage", "--version"}


def named(text):
    return set(re.findall(r"--[a-z][a-z0-9-]*", text))


for program in PROGRAMS:
    path = FOLDER / f"{program}.{8 if program == 'plated' else 1}"
    page = path.read_text().replace("\\-", "-")
    options, verbs = options_of(help_of(program)), verbs_of(help_of(program))
    must(options >= COMMON - {"--usage"} and options <= named(page.split(".SH OPTIONS")[1].split("\n.SH ")[0]), f"{path}: lacks {options}")
    parts = {part.split()[0]: part for part in page.split(".SH VERBS")[-1].split("\n.SS ")[1:]} if verbs else {}
    must(set(parts) == verbs, f"{path}: has the verbs {set(parts)}, not {verbs}")
    for verb in verbs:
        own = options_of(help_of(program, verb)) - options
        must(own <= named(parts[verb]), f"{path}: {verb} lacks {own - named(parts[verb])}")
must("publish_interval_ms: 20" in (FOLDER / "plated.yaml.5").read_text().replace("\\-", "-"), "plated.yaml.5 is not the configuration")
if shutil.which("mandoc"):
    for path in sorted(FOLDER.glob("*.[158]")):
        said = subprocess.run(["mandoc", "-Tlint", "-Wwarning", path], capture_output=True, text=True).stdout.splitlines()
        must(not [line for line in said if "missing date" not in line], f"{path}: {said}")
else:
    print("manuals.py: NO MANDOC HERE: the pages were not looked through")
