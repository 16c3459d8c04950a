"""The report as a PDF to print."""
import os

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_pdf import PdfPages

from . import VERSION
from .figures import FAINT, forest_figure, order_figure, overlay_figure, share_figure, trace_figure
from .tables import account, comparison_cells, dropoff_rows, rep_columns, share_rows
from .trace import left_shares, text
from .words import dropoff_sentence, number, order_sentence, primary_sentence, share_sentence, title, when

PAGE = (11.69, 8.27)


def pdf_table(pdf, title, heads, rows, widths, per_page=34):
    for at in range(0, len(rows), per_page):
        fig = plt.figure(figsize=PAGE)
        fig.text(0.05, 0.94, title + (" (continued)" if at else ""), fontsize=13, fontweight="bold")
        edges = 0.05 + 0.9 * np.concatenate(([0], np.cumsum(widths))) / sum(widths)
        for i, line in enumerate([heads] + rows[at:at + per_page]):
            y = 0.89 - 0.0245 * i
            for x, cell in zip(edges, line):
                fig.text(x, y, cell, fontsize=7.5, fontweight="bold" if i == 0 else "normal", va="bottom")
        pdf.savefig(fig)
        plt.close(fig)


def pdf_figure(pdf, fig, title=None, lines=()):
    fig.set_size_inches(*PAGE)
    fig.get_layout_engine().set(rect=(0.03, 0.03, 0.94, 0.74 if title else 0.92))
    if title:
        fig.text(0.05, 0.92, title, fontsize=20, fontweight="bold")
    for i, line in enumerate(lines):
        fig.text(0.05, 0.875 - 0.032 * i, line, fontsize=10, color=FAINT)
    pdf.savefig(fig)
    plt.close(fig)


def trace_pdf(trace, pdf):
    about = [trace.session[k] + unit for k, unit in (("subject", ""), ("body_mass_kg", " kg body mass"), ("load_kg", " kg load")) if trace.session.get(k)]
    about += [f"{'imported' if trace.imported else 'recorded'} {when(trace)}", os.path.basename(trace.path), trace.software]
    sealed = [] if trace.sealed else ["Not sealed: it is still growing, or plated did not stop cleanly."]
    pdf_figure(pdf, trace_figure(trace), title(trace), [" \u00b7 ".join(about), primary_sentence(trace)] + sealed)
    if any(np.isfinite(r["value_pct"]) for r in trace.asymmetry):
        pdf_figure(pdf, forest_figure(trace), "Left and right", ["The band is what counts as symmetric.", order_sentence(trace)])
    if trace.asymmetry:
        pdf_table(pdf, "Left and right", ["Metric", "Left", "n", "Right", "n", "Difference %", "95 % interval", "Order", "Verdict"],
                  [[str(c) for c in comparison_cells(trace, r)] for r in trace.asymmetry], [24, 9, 4, 9, 4, 11, 15, 12, 28])
        heads, *rows = dropoff_rows(trace)
        if rows:
            pdf_figure(pdf, order_figure(trace), "Over the set", [dropoff_sentence(trace)])
            pdf_table(pdf, "Over the set", heads, rows, [24, 12, 12, 16, 24][:len(heads)])
    if left_shares(trace):
        heads, *rows = share_rows(trace)
        pdf_figure(pdf, share_figure(trace), "Share of the load", [share_sentence(trace)])
        pdf_table(pdf, "Share of the load", heads, rows, [1] * len(heads))
    if len(trace.reps):
        pdf_figure(pdf, overlay_figure(trace), "Every rep")
        columns = rep_columns(trace)
        rows = [[str(int(r["set"])), str(int(r["rep"])), side, text(r["plate"])] + [number(r[c], d) for c, _, _, d in columns] + [" ".join(trace.form(r))]
                for r, side in zip(trace.reps, trace.sides)]
        pdf_table(pdf, "Every rep", ["Set", "Rep", "Side", "Plate"] + [f"{n}\n{u}" for _, n, u, _ in columns] + ["Form"], rows,
                  [3, 3, 4, 7] + [7] * len(columns) + [14])
    if trace.corrections:
        pdf_table(pdf, "Corrections", ["Put right after it was first entered"], [[what] for _, what in trace.corrections], [1])
    pdf_table(pdf, "Account of samples", ["Plate", "Device", "Cells", "Rate Hz", "Sent", "Archived", "Lost", "Why"],
              [[str(c) for c in r] for r in account(trace)], [8, 14, 30, 8, 10, 10, 8, 20])


def write_pdf(traces, f):
    with PdfPages(f, metadata={"Title": title(traces[0]), "Creator": f"plate-report {VERSION}"}) as pdf:
        for t in traces:
            trace_pdf(t, pdf)
