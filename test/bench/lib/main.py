"""Runs the benchmarks of test/bench/*.py and prints one table each. test/bench/run calls this.

main.py names prints the benchmarks there are; ONLY=name runs that one, or all of a file; a whole run at scale 1 writes
docs/benchmarks.md.
"""
import importlib
import os
import pathlib
import platform
import sys
import time

import harness
import report

FOLDER = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(FOLDER))


def machine():
    processor = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{processor}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.release()}"


def benchmarks():
    """name: (file's name, function that yields rows)"""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        file = importlib.import_module(path.stem)
        found.update({name: (path.stem, function) for name, function in file.BENCHMARKS.items()})
    return found


def main():
    known = benchmarks()
    if sys.argv[1:] == ["names"]:
        words = [word for name in known for word in name.split(", ")]
        return print("\n".join([*words, *{file: None for file, function in known.values()}]))
    only = os.environ.get("ONLY")
    bench = harness.Bench(float(os.environ.get("SCALE") or 1))
    with harness.Session() as session:
        where = f"PostgreSQL {session.run('SHOW server_version')} on {machine()}"
    print(f"{where}; scale {bench.scale:g}")
    results = {}
    for name, (file, function) in known.items():
        if only and only not in (file, *name.split(", ")):
            continue
        headline = " ".join(function.__doc__.split("\n\n")[0].split())
        print(f"==> {name}: {headline}", flush=True)
        start = time.monotonic()
        try:
            results[name] = (function.__doc__, list(function(bench)))
        except harness.Skipped as reason:
            print(f"skipped: {reason}")
            continue
        harness.print_table(results[name][1])
        print(f"({time.monotonic() - start:.0f} s)", flush=True)
    judged = [row for text, rows in results.values() for row in rows if row.goal]
    missed = [row.name for row in judged if row.verdict == "missed"]
    print(f"{len(judged) - len(missed)} goals met, {len(missed)} missed"
          + "".join("\n  missed: " + name for name in missed))
    if not only and bench.scale == 1:
        report.write(FOLDER.parent.parent / "docs", where, results)


if __name__ == "__main__":
    main()
