"""Runs the benchmarks of test/bench/*.py (ONLY=name: that one) and prints one table each. test/bench/run calls this."""
import importlib.util
import os
import pathlib
import platform
import time

import harness


def machine():
    processor = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{processor}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.release()}"


def load(path):
    spec = importlib.util.spec_from_file_location("bench_" + path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    only = os.environ.get("ONLY")
    bench = harness.Bench(float(os.environ.get("SCALE") or 1))
    paths = sorted(pathlib.Path(__file__).resolve().parent.parent.glob("*.py"))
    with harness.Session() as session:
        print(f"PostgreSQL {session.run('SHOW server_version')} on {machine()}; scale {bench.scale:g}")
    rows = []
    for path in paths:
        if only and path.stem != only:
            continue
        module = load(path)
        print(f"==> {path.stem}: {module.__doc__.splitlines()[0]}", flush=True)
        start = time.monotonic()
        # Each has a database of its own, so that none finds what another left.
        with harness.Session() as session:
            session.run(f'CREATE DATABASE "{path.stem}"')
        os.environ["PGDATABASE"] = path.stem
        found = list(module.run(bench))
        os.environ["PGDATABASE"] = "postgres"
        with harness.Session() as session:
            session.run(f'DROP DATABASE "{path.stem}"')
        harness.print_table(found)
        print(f"({time.monotonic() - start:.0f} s)", flush=True)
        rows += found
    missed = [row.name for row in rows if row.verdict == "missed"]
    print(f"{len(rows) - len(missed)} goals met, {len(missed)} missed" + "".join("\n  missed: " + name for name in missed))


if __name__ == "__main__":
    main()
