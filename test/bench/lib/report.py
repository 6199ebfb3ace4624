"""Writes what a whole run measured: into docs/benchmarks.md between its two marks, and as plots beside it."""
import datetime
import re
import textwrap

BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"
OURS, THEIRS = "#1f5fa8", "#b0552b"


def write(folder, where, results):
    page = folder / "benchmarks.md"
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    assert mark, f"{page} has no marks between which to write"
    page.write_text(before + BEGIN + "\n" + measured(where, results) + END + after, encoding="utf-8")
    rows = [row for text, rows in results.values() for row in rows]
    plot_ratios(folder / "benchmarks.svg",
                [row for row in rows if row.goal and not row.series and not row.ours.endswith("MB")])
    plot_growth(folder / "benchmarks-growth.svg", [row for row in rows if row.series])


def filled(text):
    """A paragraph of a page, at most 100 columns wide."""
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def measured(where, results):
    lines = [filled(f"Measured on {datetime.date.today()}: {where}."), ""]
    judged = [row for text, rows in results.values() for row in rows if row.goal]
    missed = [row.name for row in judged if row.verdict == "missed"]
    goals = f"{len(judged) - len(missed)} of {len(judged)} goals are met."
    if missed:
        goals += f" These are missed: {'; '.join(missed)}. [What limits it](#what-limits-it) explains why."
    lines += [filled(goals), ""]
    for name, (text, rows) in results.items():
        lines += [f"### {name}", "",
                  re.sub(r"\n +", "\n", text.strip()).replace("\n\n", ".\n\n", 1).rstrip(".") + ".", "",
                  "| | ours | theirs | ratio | spread | goal | |", "|---|--:|--:|--:|---|---|---|"]
        lines += [f"| {row.name} | {row.ours} | {row.theirs} | **{row.ratio:.2f}** | {row.low:.2f} – {row.high:.2f} "
                  f"| {row.goal.replace('>=', '≥').replace('<=', '≤')} | {row.verdict} |" for row in rows]
        lines.append("")
    return "\n".join(lines)


def pyplot():
    import matplotlib
    matplotlib.use("svg")
    # The same file for the same numbers, and text that stays text
    matplotlib.rcParams.update({"svg.hashsalt": "discovery", "svg.fonttype": "none", "font.size": 9,
                                "axes.spines.top": False, "axes.spines.right": False})
    import matplotlib.pyplot
    return matplotlib.pyplot


def save(figure, path):
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")


def plot_ratios(path, rows):
    """How many times as fast each is, with its spread, on a logarithmic axis; a bar marks the goal."""
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(8, 0.24 * len(rows) + 1))
    for place, row in enumerate(reversed(rows)):
        relation, goal = row.goal.split()
        faster = (lambda ratio: ratio) if relation == ">=" else (lambda ratio: 1 / ratio)
        axes.plot(sorted((faster(row.low), faster(row.high))), [place, place], color=OURS, linewidth=2,
                  solid_capstyle="butt")
        axes.plot(faster(row.ratio), place, "o", color=THEIRS if row.verdict == "missed" else OURS, markersize=5)
        axes.plot(faster(float(goal)), place, "|", color="black", markersize=11)
    axes.set_yticks(range(len(rows)), [row.name for row in reversed(rows)])
    axes.set_xscale("log", base=2)
    ticks = [0.5, 0.7, 1, 1.5, 2, 4, 8, 16, 32]
    axes.set_xticks(ticks, [f"{tick:g}×" for tick in ticks])
    axes.axvline(1, color="0.8", linewidth=1, zorder=0)
    axes.set_xlabel("times as fast as the other side"
                    " (dot: median, line: spread, bar: goal; a dot of another colour: goal missed)")
    save(figure, path)


def plot_growth(path, rows):
    plt = pyplot()
    figure, panels = plt.subplots(1, len(rows), figsize=(2.6 * len(rows), 2.6), squeeze=False)
    for axes, row in zip(panels[0], rows):
        sizes = sorted(row.series)
        for side, (label, color) in enumerate((("store", OURS), ("application's schema", THEIRS))):
            axes.plot(sizes, [row.series[size][side] * 1e6 for size in sizes], "o-", color=color, label=label,
                      markersize=4)
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_title(row.name.removeprefix("growth: "))
        axes.set_xlabel("sources")
    panels[0][0].set_ylabel("µs an operation")
    panels[0][0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    save(figure, path)
