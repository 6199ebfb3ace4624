"""How the time of one operation grows with the store"""
import add
import harness
import load
import read
import stores

SIZES = [10_000, 100_000, 1_000_000]
NOW = "timezone('UTC', now())"
ONE = stores.NOTEBOOK.format(n="1")
CHECK = "SELECT count(*) FROM discovery_check() WHERE kind <> 'extra'"


def settle(side):
    """Besides, reads all of the side, so that both find their pages in memory: at the largest size the machine has
    room for one side, and would keep the one that was written last.
    """
    side.settle()
    side.run("""SELECT sum(pg_prewarm(oid, 'read')) FROM pg_class
        WHERE relkind IN ('r', 'i', 't') AND relpersistence = 'p'""")


def copied(side, path, columns, count):
    """Seconds a source; rolled back, so that every round meets the same store."""
    settle(side)
    with side.session() as session:
        session.run("BEGIN")
        taken = session.seconds(f"COPY sources ({columns}) FROM '{path}'")
        session.run("ROLLBACK")
    return taken / count


def undone(side, before, statement):
    """Seconds for the statement, in a transaction that is rolled back, after another one that is not"""
    settle(side)
    with side.session() as session:
        session.run(before)
        session.run("BEGIN")
        taken = session.seconds(statement)
        session.run("ROLLBACK")
    return taken


def measured(side, script):
    """Seconds a transaction"""
    settle(side)
    return 1 / side.pgbench(script, seconds=1)


def waited(side, script):
    """Seconds for the script's last statement"""
    settle(side)
    return side.latency(script, seconds=1)


def operations(ours, theirs, size, notebooks):
    """name: what measures it on our side, what on the other"""
    count = 10_000
    # The 1,000 sources of a notebook, which no other operation touches
    delete = f"UPDATE sources SET deleted_at = {NOW} WHERE notebook_id = {ONE} AND deleted_at IS NULL"
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
        "restore": (lambda: undone(ours, delete, f"""SELECT count(*) FROM restore_sources(
                        (SELECT deletion_id FROM sources WHERE notebook_id = {ONE} LIMIT 1))"""),
                    lambda: undone(theirs, delete, f"""UPDATE sources SET deleted_at = NULL, updated_at = {NOW}
                        WHERE notebook_id = {ONE} AND deleted_at IS NOT NULL""")),
        "purge": (lambda: undone(ours, delete, "SELECT count(*) FROM purge_deleted_sources('0 days')"),
                  lambda: undone(theirs, delete, "DELETE FROM sources WHERE deleted_at IS NOT NULL")),
        # The last, since it adds
        "add-one": (lambda: measured(ours, fill(add.ADD)), lambda: measured(theirs, fill(add.VARIABLES + add.INSERT))),
    }


REPORTS = {
    "check_source_counts()": ("SELECT count(*) FROM check_source_counts()", f"""SELECT count(*)
        FROM notebooks AS n LEFT JOIN (SELECT notebook_id, count(*) AS sources FROM sources
            WHERE deleted_at IS NULL GROUP BY notebook_id) AS live ON live.notebook_id = n.id
        WHERE n.source_count <> coalesce(live.sources, 0)"""),
    "find_duplicate_sources()": ("SELECT count(*) FROM find_duplicate_sources()", """SELECT count(*)
        FROM (SELECT content_hash, array_agg(id ORDER BY created_at, id) FROM sources
            WHERE deleted_at IS NULL AND content_hash <> '' GROUP BY content_hash HAVING count(*) > 1) AS found"""),
}


def peak(session, sql):
    """Bytes, of which a tenth of a megabyte counts as none: tables of the allocator and the like"""
    return max(session.peak_memory(sql), 100_000)


def reports(bench, ours, theirs, size):
    """Time and peak memory of what looks at the whole store, against a query by hand"""
    for name, statements in REPORTS.items():
        with ours.session() as a, theirs.session() as b:
            pairs = bench.turns(lambda a=a, sql=statements[0]: a.seconds(sql),
                                lambda b=b, sql=statements[1]: b.seconds(sql), 3)
            yield harness.row(f"{name}, {size:,} sources", pairs, "<= 2.00", harness.seconds)
            yield bench.once(f"{name}, {size:,} sources: peak memory", peak(a, statements[0]),
                             peak(b, statements[1]), "", harness.megabytes)


def growth(bench):
    """The time of each operation at 10,000, 100,000 and 1,000,000 sources, with 1,000 sources in each
    notebook. The figures are the time at the largest size divided by the time at the smallest size.
    SCALE=10 adds 10,000,000 sources

    Restore and purge are those of the 1,000 sources of a notebook. The reports are compared at the
    largest size, with queries by hand, and discovery_check() with itself at the smallest size
    """
    sizes = SIZES + [10_000_000] * (bench.scale >= 10)
    if bench.scale < 1:
        sizes = [round(size * bench.scale) for size in sizes]
    checks = []  # seconds and memory of discovery_check(), by size
    pairs_of = {}  # operation: size: pairs
    for size in sizes:
        notebooks = max(1, size // 1000)
        with stores.pair(notebooks=notebooks, sources=size) as (ours, theirs):
            for side in (ours, theirs):
                side.run("CREATE EXTENSION pg_prewarm")
            for name, sides in operations(ours, theirs, size, notebooks).items():
                pairs_of.setdefault(name, {})[size] = bench.turns(*sides, 3)
            with ours.session() as session:
                session.run(CHECK)
                checks.append((session.seconds(CHECK), peak(session, CHECK)))
            if size == sizes[-1]:
                yield from reports(bench, ours, theirs, size)
    for name, by_size in pairs_of.items():
        # Theirs and ours grow by so much from the smallest to the largest.
        grown = [tuple(last[i] / first[i] for i in (0, 1))
                 for first, last in zip(by_size[sizes[0]], by_size[sizes[-1]])]
        found = harness.row(f"growth: {name}", grown, "<= 1.00", lambda value: f"{value:.2f} times")
        found.series = {size: tuple(sorted(pair[i] for pair in pairs)[len(pairs) // 2] for i in (0, 1))
                        for size, pairs in by_size.items()}
        yield found
    yield bench.once("growth: discovery_check(): time", checks[-1][0], checks[0][0], "", harness.seconds)
    yield bench.once("growth: discovery_check(): peak memory", checks[-1][1], checks[0][1], "", harness.megabytes)


BENCHMARKS = {"growth": growth}
