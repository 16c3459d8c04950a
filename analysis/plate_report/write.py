"""From traces to a file."""
import os

from .page import write_html
from .pdf import write_pdf
from .trace import ReportError, Trace


def write(args):
    """Writes the report that was asked for, whole or not at all; its path."""
    out = args.output or os.path.splitext(args.traces[0])[0] + ".html"
    if os.path.exists(out) and any(os.path.samefile(out, t) for t in args.traces if os.path.exists(t)):
        raise ReportError(f"{out}: is the trace itself: choose another name with -o")
    traces = [Trace(t, args.as_recorded) for t in args.traces]
    part = out + ".tmp"
    try:
        with open(part, "wb") as f:
            (write_pdf if out.endswith(".pdf") else write_html)(traces, f)
        os.replace(part, out)
    finally:
        if os.path.exists(part):
            os.unlink(part)
    return out
