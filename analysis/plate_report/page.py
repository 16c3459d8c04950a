"""The report as one HTML file that needs no other."""
import datetime
import html
import os
import pathlib

import numpy as np

from . import VERSION
from .figures import forest_figure, order_figure, overlay_figure, share_figure, svg, trace_figure
from .tables import account, comparison_cells, dropoff_rows, rep_columns, share_rows
from .trace import left_shares, text
from .words import dropoff_sentence, number, order_sentence, primary_sentence, share_sentence, title, when, words

STYLE = "\n" + pathlib.Path(__file__).with_name("page.css").read_text()


def esc(s):
    return html.escape(str(s))


def head_html(trace):
    lo, hi = trace.span_s()
    spans = [f"<span>{esc(trace.session[k])}{unit}</span>" for k, unit in
             (("subject", ""), ("body_mass_kg", " kg body mass"), ("load_kg", " kg load")) if trace.session.get(k)]
    if trace.session.get("involved", "none") != "none":
        spans.append(f"<span>{esc(trace.session['involved'])} involved</span>")
    if trace.planned():
        spans.append(f"<span>planned: {esc(trace.planned())}</span>")
    spans.append(f"<span>{'imported' if trace.imported else 'recorded'} {esc(when(trace))}</span>")
    if trace.station and not trace.imported:
        spans.append(f"<span>{esc(trace.station)}</span>")
    tiles = [(f'<span class="{s}">{trace.sides.count(s)}</span>', {"none": "reps, no side", "both": "reps, both"}.get(s, f"reps {s}"))
             for s in ("left", "right", "both", "none") if s in trace.sides] or [("0", "reps")]
    sets = len(set(trace.reps["set"])) if len(trace.reps) else 0
    samples, lost = sum(p.rows for p in trace.plates), sum(p.lost for p in trace.plates)
    if trace.discarded:
        tiles.append((trace.discarded, "rep discarded" if trace.discarded == 1 else "reps discarded"))
    tiles += [(sets, "set" if sets == 1 else "sets"), (f"{number(hi - lo)} s", "recorded"), (number(samples, 0), "samples"), (number(lost, 0), "samples lost")]
    verdict = text(trace.asymmetry[0]["verdict"]) if trace.asymmetry else ""
    out = [f"<header><h1>{esc(title(trace))}</h1><div class=meta>{''.join(spans)}</div></header>",
           "<div class=tiles>" + "".join(f"<div class=tile><b>{v}</b><i>{esc(k)}</i></div>" for v, k in tiles) + "</div>",
           f'<p class="say {esc(verdict)}">{esc(primary_sentence(trace))}</p>']
    if not trace.sealed:
        out.append("<p class=warn>This recording is not sealed: it is still growing, or plated did not stop cleanly (plate-trace recover).</p>")
    if trace.notes:
        out.append(f"<p class=note>{esc('; '.join(trace.notes))}</p>")
    return "\n".join(out)


def reps_html(trace):
    columns = rep_columns(trace)
    many = any(text(r["plate"]) != side for r, side in zip(trace.reps, trace.sides)) and len(trace.plates) > 1
    cells = "".join(f"<th>{esc(name)}<small>{esc(unit)}</small></th>" for _, name, unit, _ in columns)
    out = [f'<div class=scroll><table><thead><tr><th class=t>Set</th><th>Rep</th><th class=t>Side</th>{"<th class=t>Plate</th>" * many}{cells}'
           "<th class=t>Form</th></tr></thead><tbody>"]
    before = None
    for rep, side in sorted(zip(trace.reps, trace.sides), key=lambda x: (x[0]["set"], x[0]["onset_s"])):
        first = ' class="first"' if before not in (None, rep["set"]) else ""
        label = f"{int(rep['set'])}{' warm-up' if rep['warmup'] else ''}" if before != rep["set"] else ""
        before = rep["set"]
        form = "".join(f"<span class=chip>{esc(words(x).lower())}</span>" for x in trace.form(rep))
        out.append(f'<tr{first}><td class=t>{label}</td><td>{int(rep["rep"])}</td><td class="t {side}">{side}</td>'
                   + (f"<td class=t>{esc(text(rep['plate']))}</td>" if many else "")
                   + "".join(f"<td>{number(rep[c], digits)}</td>" for c, _, _, digits in columns) + f"<td class=t>{form or '–'}</td></tr>")
    return "".join(out) + "</tbody></table></div>"


def comparison_html(trace):
    out = ["<div class=scroll><table><thead><tr><th class=t>Metric</th><th class=left>Left</th><th>n</th><th class=right>Right</th><th>n</th>"
           "<th>Difference<small>%</small></th><th>95 % interval<small>%</small></th><th class=t>Order</th><th class=t>Verdict</th></tr></thead><tbody>"]
    for row in trace.asymmetry:
        name, left, n_left, right, n_right, value, ci, order, verdict = comparison_cells(trace, row)
        out.append(f'<tr{" class=primary" if row["primary"] else ""}><td class=t>{esc(name)}</td><td>{left}</td><td>{n_left}</td><td>{right}</td>'
                   f"<td>{n_right}</td><td>{value}</td><td>{ci}</td><td class=t>{esc(order)}</td><td class=t>{esc(verdict)}</td></tr>")
    return "".join(out) + "</tbody></table></div>"


def corrections_html(trace):
    when = [datetime.datetime.fromtimestamp(ns / 1e9, datetime.timezone.utc) for ns, _ in trace.corrections]
    return (f"<p class=note>Put right after it was first entered; the page shows {'what was entered first' if trace.as_recorded else 'what is so now'}.</p><ul>"
            + "".join(f"<li>{esc(what)} <span class=note>{f'{t:%Y-%m-%d %H:%M} UTC' if t.year > 1970 else ''}</span></li>" for t, (_, what) in zip(when, trace.corrections))
            + "</ul>")


def table_html(heads, rows, left=(0,)):
    out = ["<div class=scroll><table><thead><tr>" + "".join(f"<th{' class=t' * (i in left)}>{h}</th>" for i, h in enumerate(heads)) + "</tr></thead><tbody>"]
    for row in rows:
        shown = [number(v, 0) if isinstance(v, (int, np.integer)) else v for v in row]
        out.append("<tr>" + "".join(f"<td{' class=t' * (i in left)}>{esc(v)}</td>" for i, v in enumerate(shown)) + "</tr>")
    return "".join(out) + "</tbody></table></div>"


def over_the_set_html(trace, index):
    out = ["<h2>Over the set</h2>", f"<p>{esc(dropoff_sentence(trace))}</p>"]
    heads, *rows = dropoff_rows(trace)
    if rows:
        out += [f"<figure>{svg(order_figure(trace), f'd{index}')}</figure>",
                "<p class=note>From the first to the last rep of a set, along a straight line through all of them, in the mean of the sets. Positive: weaker or slower "
                "at the end. Right less left: negative where the left tires more. No interval goes with it.</p>", table_html(heads, rows)]
    return out


def share_html(trace, index):
    heads, *rows = share_rows(trace)
    return ["<h2>Share of the load</h2>", f"<p>{esc(share_sentence(trace))}</p>", f"<figure>{svg(share_figure(trace), f's{index}')}</figure>",
            "<p class=note>Of each phase: the mean over the reps, with the phases as the left plate saw them.</p>", table_html(heads, rows)]


def trace_html(trace, index):
    out = ["<main>", head_html(trace), "<h2>Force</h2>", f"<figure>{svg(trace_figure(trace), f't{index}')}</figure>"]
    if trace.asymmetry:
        out.append("<h2>Left and right</h2>")
        if any(np.isfinite(r["value_pct"]) for r in trace.asymmetry):
            out.append(f"<figure>{svg(forest_figure(trace), f'f{index}')}</figure>")
        order = order_sentence(trace)
        out += ["<p class=note>Negative: the left is weaker. The shaded band is what counts as symmetric.</p>"]
        out += [f"<p class={'warn' if order.startswith('One leg') else 'note'}>{esc(order)}</p>"] * bool(order) + [comparison_html(trace)]
        out += over_the_set_html(trace, index)
    if left_shares(trace):
        out += share_html(trace, index)
    if len(trace.reps):
        out += ["<h2>Every rep</h2>", f"<figure>{svg(overlay_figure(trace), f'o{index}')}</figure>", reps_html(trace)]
    if trace.corrections:
        out += ["<h2>Corrections</h2>", corrections_html(trace)]
    out += ["<h2>Account of samples</h2>", table_html(("Plate", "Device", "Cells", "Rate<small>Hz</small>", "Sent", "Archived", "Lost", "Why"), account(trace), (0, 1, 2, 7)),
            f"<footer>{esc(os.path.basename(trace.path))} \u00b7 {esc(trace.software)}"
            + (f" \u00b7 SHA-256 {esc(trace.digest)}" if trace.digest else " \u00b7 not sealed") + f" \u00b7 plate-report {VERSION}</footer></main>"]
    return "\n".join(out)


def write_html(traces, f):
    heading = " \u00b7 ".join(dict.fromkeys(title(t) for t in traces))
    body = "\n".join(trace_html(t, i) for i, t in enumerate(traces))
    page = (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{esc(heading)}</title><style>{STYLE}</style></head><body>\n{body}\n</body></html>\n")
    f.write(page.encode())
