"""How the time of one operation grows with the store"""
import add
import harness
import load
import read
import stores

SIZES = [10_000, 100_000, 1_000_000]


def copied(side, path, columns, count):
    """Seconds a source; rolled back, so that every round meets the same store."""
    side.settle()
    with side.session() as session:
        session.run("BEGIN")
        taken = session.seconds(f"COPY sources ({columns}) FROM '{path}'")
        session.run("ROLLBACK")
    return taken / count


def measured(side, script):
    """Seconds a transaction"""
    side.settle()
    return 1 / side.pgbench(script, seconds=1)


def waited(side, script):
    """Seconds for the script's last statement"""
    side.settle()
    return side.latency(script, seconds=1)


def operations(ours, theirs, size, notebooks):
    """name: what measures it on our side, what on the other"""
    count = 10_000
    files = load.small_files(theirs, count, notebooks=notebooks, first=size + 1)
    place = {"notebooks": notebooks, "sources": size, "quote": "", "more": ""}
    fill = lambda script: script.replace("{notebooks}", str(notebooks)).replace("{sources}", str(size))
    return {
        "copy-small": (lambda: copied(ours, files[0], load.OUR_COLUMNS, count),
                       lambda: copied(theirs, files[1], load.THEIR_COLUMNS, count)),
        "duplicate": (lambda: measured(ours, fill(add.OUR_DUPLICATE)),
                      lambda: measured(theirs, fill(add.THEIR_DUPLICATE))),
        "lookup": tuple(lambda side=side: waited(side, read.LOOKUP.format(**place)) for side in (ours, theirs)),
        "list-page": tuple(lambda side=side: waited(side, read.PAGE.format(**place)) for side in (ours, theirs)),
        # The last, since it adds
        "add-one": (lambda: measured(ours, fill(add.ADD)), lambda: measured(theirs, fill(add.VARIABLES + add.INSERT))),
    }


def growth(bench):
    """The time of each operation at 10,000, 100,000 and 1,000,000 sources, with 1,000 sources in each
    notebook. The figures are the time at the largest size divided by the time at the smallest size.
    SCALE=10 adds 10,000,000 sources
    """
    sizes = SIZES + [10_000_000] * (bench.scale >= 10)
    if bench.scale < 1:
        sizes = [round(size * bench.scale) for size in sizes]
    pairs_of = {}  # operation: size: pairs
    for size in sizes:
        notebooks = max(1, size // 1000)
        with stores.pair(notebooks=notebooks, sources=size) as (ours, theirs):
            for name, sides in operations(ours, theirs, size, notebooks).items():
                pairs_of.setdefault(name, {})[size] = bench.turns(*sides, 3)
    for name, by_size in pairs_of.items():
        # Theirs and ours grow by so much from the smallest to the largest.
        grown = [tuple(last[i] / first[i] for i in (0, 1))
                 for first, last in zip(by_size[sizes[0]], by_size[sizes[-1]])]
        found = harness.row(f"growth: {name}", grown, "<= 1.00", lambda value: f"{value:.2f} times")
        found.series = {size: tuple(sorted(pair[i] for pair in pairs)[len(pairs) // 2] for i in (0, 1))
                        for size, pairs in by_size.items()}
        yield found


BENCHMARKS = {"growth": growth}
