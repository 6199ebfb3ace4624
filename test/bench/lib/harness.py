"""What the benchmarks share: sessions, interleaved timing, peak memory, rows of the result. Standard library only."""
import dataclasses
import os
import re
import statistics
import subprocess
import time

DONE = "-- done --"


class Skipped(Exception):
    """This machine lacks what a benchmark needs."""


class Session:
    """A psql of its own, so one backend, which lives until the end of the `with` block."""

    def __init__(self, database=None, settings=()):
        command = [os.environ["PSQL"], "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database or os.environ["PGDATABASE"]]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, encoding="utf-8")
        # Parallel workers would measure the planner's choice, and have their own memory.
        self.run("SET client_min_messages = warning")
        self.run("SET max_parallel_workers_per_gather = 0")
        for setting in settings:
            self.run("SET " + setting)
        self.pid = int(self.run("SELECT pg_backend_pid()"))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def run(self, sql):
        """Runs one statement and returns what psql prints."""
        self.process.stdin.write(f"{sql};\n\\echo {DONE}\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == DONE:
                return "\n".join(lines)
            lines.append(line.rstrip("\n"))
        raise RuntimeError("\n".join([*lines, "in: " + sql]))

    def seconds(self, sql):
        start = time.perf_counter()
        self.run(sql)
        return time.perf_counter() - start

    def peak_memory(self, sql):
        """The most bytes of its own that the backend has while the statement runs, above what it began with.

        VmHWM, Linux's high-water mark, also counts the shared buffers that the process has touched, which is nobody's
        extra memory. So a first run touches them all, the mark is set back, and what is shared is taken off that of a
        second run.
        """
        before = self._memory("RssAnon")
        self.run(sql)
        with open(f"/proc/{self.pid}/clear_refs", "w") as file:
            file.write("5")
        self.run(sql)
        return max(0, self._memory("VmHWM") - self._memory("RssShmem") - self._memory("RssFile") - before)

    def _memory(self, field):
        with open(f"/proc/{self.pid}/status") as file:
            return 1024 * int(re.search(rf"^{field}:\s+(\d+) kB", file.read(), re.MULTILINE).group(1))


@dataclasses.dataclass
class Row:
    """One line of the result: a ratio with its spread (all rounds but the outermost tenths), held against a goal."""
    name: str
    ratio: float
    low: float
    high: float
    goal: str  # ">= 1.00", "<= 0.90", or "" where there is none to reach
    ours: str = ""
    theirs: str = ""
    series: dict = dataclasses.field(default_factory=dict)  # size: (ours, theirs), for the plot

    @property
    def verdict(self):
        if not self.goal:
            return ""
        relation, goal = self.goal.split()
        reached, within = ((self.ratio >= float(goal), self.high >= float(goal)) if relation == ">=" else
                           (self.ratio <= float(goal), self.low <= float(goal)))
        return "met" if reached else "met, within spread" if within else "missed"


class Bench:
    def __init__(self, scale):
        self.scale = scale

    def amount(self, at_scale_1, at_least=1):
        return max(at_least, round(at_scale_1 * self.scale))

    def turns(self, ours, theirs, rounds, warm=True):
        """What the two functions return, in pairs. Each is first in every other round, so that whatever slows the
        machine for a while slows both; a round before, which fills the caches, does not count. Functions that fill
        them themselves need none (`warm`)."""
        if warm:
            ours(), theirs()
        pairs = []
        for number in range(rounds):
            first, second = (ours, theirs) if number % 2 else (theirs, ours)
            a, b = first(), second()
            pairs.append((a, b) if number % 2 else (b, a))
        return pairs

    def compare(self, name, ours, theirs, goal, unit, rounds=5):
        """A row of ours / theirs of what the two functions return: seconds, transactions per second."""
        return row(name, self.turns(ours, theirs, rounds), goal, unit)

    def speed(self, name, ours, theirs, goal, rounds=9):
        """A row of how many times as fast as `theirs` is `ours`; each is a function that returns its seconds."""
        pairs = self.turns(ours, theirs, rounds)
        return row(name, pairs, goal, seconds, [b / a for a, b in pairs])

    def once(self, name, ours, theirs, goal, unit):
        """A row of the ratio of two quantities that do not vary, as sizes do."""
        return row(name, [(ours, theirs)], goal, unit)


def row(name, pairs, goal, unit, ratios=None):
    """The row of a measurement: `pairs` of (ours, theirs), printed by `unit`; `ratios` are ours / theirs unless given.
    """
    ratios = ratios or [a / b for a, b in pairs]
    tenths = statistics.quantiles(ratios, n=10, method="inclusive") if len(ratios) > 1 else ratios
    return Row(name, statistics.median(ratios), tenths[0], tenths[-1], goal,
               unit(statistics.median(a for a, b in pairs)), unit(statistics.median(b for a, b in pairs)))


def seconds(value):
    return f"{value * 1e6:.0f} µs" if value < 1e-3 else f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def per_second(value):
    return f"{value:,.0f} /s"


def percent(value):
    return f"{value:.2%}"


def megabytes(value):
    return f"{value / 2**20:.1f} MB"


def print_table(rows):
    header = ["", "ratio", "spread", "goal", "result", "ours", "theirs"]
    cells = [[row.name, f"{row.ratio:.3f}", f"{row.low:.3f} .. {row.high:.3f}", row.goal, row.verdict, row.ours,
              row.theirs] for row in rows]
    widths = [max(len(line[i]) for line in [header, *cells]) for i in range(len(header))]
    for line in [header, ["-" * width for width in widths], *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
