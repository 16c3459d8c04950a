"""The completions for bash and zsh: each option and verb that --help names is offered, and what a value can be. `completion.py FOLDER`
of the two files; PLATE_BIN is the folder of the programs. Exit status 0, or 1 and what is wrong."""
import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time

from helps import PROGRAMS, help_of, must, options_of, verbs_of

FOLDER = pathlib.Path(sys.argv[1])


def in_bash(*lines):
    """What bash offers behind each of these lines; a line's last word is the one that is being typed."""
    script = f"source {FOLDER}/plated.bash\n" + "".join(f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; _plated; echo \"${{COMPREPLY[*]}}\"\n" for words in lines)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    must(not done.stderr, f"bash: {done.stderr}")
    return [set(line.split()) for line in done.stdout.splitlines()]


class Zsh:
    """A zsh on a terminal: what a tab does to a line that is typed."""

    def __init__(self, home):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(HOME=str(home), TERM="xterm", PS1="> ")
            os.execvp("zsh", ["zsh", "-f"])
        self.type(f"unsetopt zle_bracketed_paste beep; fpath=({FOLDER} $fpath); autoload -Uz compinit && compinit -u -d {home}/dump; "
                  "zstyle ':completion:*' list-prompt ''; LISTMAX=0; stty cols 500 rows 200; print REA''DY\n", "READY\r\n")

    def type(self, text, until, timeout=60):
        os.write(self.fd, text.encode())
        said, end = "", time.monotonic() + timeout
        while until not in said:
            assert time.monotonic() < end, f"zsh: {text!r}: {until!r} is not in {said!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                said += os.read(self.fd, 65536).decode(errors="replace")
                said = re.sub(r" +", " ", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\0\b]", "", said))
        return said

    def close(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def check_bash():
    expected = [(["platectl", "side", "l"], {"left"}), (["platectl", "--json", "start", "--side", "=", "r"], {"right"}),
                (["platectl", "start", "--side", ""], {"left", "right", "both", "none"}), (["platectl", "warmup", ""], {"true", "false"}),
                (["plate-sim", "--exercise", "squat"], {"squat", "squat_jump"}), (["plate-trace", "export", "x.h5", "--format", "c"], {"csv"}),
                (["plate-trace", "info", f"{FOLDER}/plated.b"], {f"{FOLDER}/plated.bash"}), (["plated", "--config", f"{FOLDER}/_pl"], {f"{FOLDER}/_plated"})]
    for program in PROGRAMS:
        text = help_of(program)
        verbs = verbs_of(text)
        must(bool(verbs) == (program in ("platectl", "plate-trace")), f"{program}: verbs {verbs}")
        expected += [([program, ""], verbs)] if verbs else []
        expected += [([program, "--"], options_of(text))] + [([program, verb, "--"], options_of(help_of(program, verb))) for verb in sorted(verbs)]
    for (words, offered), said in zip(expected, in_bash(*(words for words, _ in expected)), strict=True):
        must(offered and said == offered, f"bash: {words}: {said} is offered, not {offered}")


def check_zsh(home):
    subprocess.run(["zsh", "-n", FOLDER / "_plated"], check=True)
    zsh = Zsh(home)
    try:
        for typed, made in (("platectl sta\tX", "platectl star"), ("platectl side bo\tX", "both X"), ("platectl start --sid\tX", "--side X"),
                            ("plate-sim --exercise=squat_\tX", "squat_jump X"), ("plate-trace veri\tX", "verify X"), ("plated --check\tX", "--check-config X"),
                            (f"plated --config {FOLDER}/_pl\tX", "_plated X"), ("plate-report --as\tX", "--as-recorded X")):
            if made == "platectl star":  # two that begin so: a list
                zsh.type("platectl sta\t", "status")
            else:
                zsh.type(typed, made)
            zsh.type("\x15", "")
    finally:
        zsh.close()


check_bash()
if shutil.which("zsh"):
    import tempfile
    with tempfile.TemporaryDirectory() as home:
        check_zsh(home)
else:
    print("completion.py: NO ZSH HERE: its completion was not tried")
