"""The native extension against the SQL-only edition: what the library gains"""
import subprocess

import add
import counts
import harness
import load
import stores


def sql_only():
    """What `make installer` writes for psql, as statements for psql. The newest is that of this tree."""
    subprocess.run([stores.TOP / "test/tools/installer"], check=True, stdout=subprocess.DEVNULL)
    file, = (path for path in (stores.TOP / "dist").glob("discovery-*.sql") if not path.stem.endswith("-tle"))
    return "\\set schema public\n" + file.read_text() + "SELECT"


def both(**amounts):
    """Native, SQL-only"""
    return stores.pair(stores.EXTENSION, sql_only(), **amounts)


def editions_add(bench):
    """add_source() from one client, from 8 into 1,000 notebooks and into one, duplicates from 8, and 8 clients
    that write to two notebooks in a transaction
    """
    sources = bench.amount(20_000)
    with both(notebooks=add.NOTEBOOKS, sources=sources) as (native, portable):
        def rates(name, script, goal, **options):
            script = script.replace("{sources}", str(sources))
            yield stores.rate(bench, "editions: " + name, native, portable, [script, script], goal, **options)
        many, one = (add.ADD.replace("{notebooks}", str(count)) for count in (add.NOTEBOOKS, 1))
        asynchronous = "-c synchronous_commit=off"
        yield from rates("add-one", many, ">= 1.00")
        yield from rates("add-one, commits not waited for", many, ">= 1.50", options=asynchronous)
        yield from rates("add-8", many, ">= 1.00", clients=8)
        yield from rates("add-8, commits not waited for", many, ">= 1.50", clients=8, options=asynchronous)
        yield from rates("add-8-hot", one, ">= 1.00", clients=8)
        duplicates = add.OUR_DUPLICATE.replace("{notebooks}", str(add.NOTEBOOKS))
        yield from rates("duplicate-8", duplicates, ">= 1.50", clients=8)

        def writing(side):
            def write():
                side.settle()
                return side.transactions(counts.INTO_TWO, clients=8, seconds=min(2, bench.amount(2)))[0]
            return write
        yield bench.compare("editions: two-notebooks", writing(native), writing(portable), ">= 10.00",
                            harness.per_second, rounds=3)


def editions_bulk(bench):
    """COPY of 200,000 sources of 1 KB, INSERT of 100,000 in one statement and of 20,000 one by one in one
    transaction; a tenth of them soft-deleted and purged
    """
    count, few = bench.amount(100_000, 1000), bench.amount(20_000, 1000)
    insert = f"""INSERT INTO sources (notebook_id, name, source_type, extracted_text)
        SELECT {stores.NOTEBOOK.format(n='n % 100 + 1')}, 'Source ' || n, 'text', {stores.TEXT.format(n='n')}
        FROM generate_series(1, {count}) n"""
    one = counts.INSERT.replace(":notebook", "1").replace(":n", "n")

    def timed(sql, before="TRUNCATE sources"):
        def both_ways(side):
            def run():
                side.run(before)
                side.settle()
                return side.seconds(sql)
            return run
        return both_ways

    with both(notebooks=add.NOTEBOOKS) as (native, portable):
        def compared(name, both_ways, goal):
            return bench.compare("editions: " + name, both_ways(native), both_ways(portable), goal, harness.seconds, 3)
        own, _ = load.small_files(native, bench.amount(load.SMALL))
        yield bench.compare("editions: copy-small", *(load.loader(side, own, load.OUR_COLUMNS)
                                                      for side in (native, portable)), "<= 1.00", harness.seconds, 3)
        yield compared("INSERT … SELECT that hashes", timed(insert), "<= 0.67")
        each = f"DO $$BEGIN FOR n IN 1..{few} LOOP {one} END LOOP; END$$"
        yield compared(f"{few:,} INSERTs in one transaction", timed(each), "<= 0.67")
        for side in (native, portable):
            side.run("TRUNCATE sources")
            side.run(insert)
        live = f"(SELECT array_agg(id) FROM (SELECT id FROM live_sources LIMIT {count // 10}) AS chosen)"
        yield compared("delete-batch", timed(f"SELECT deleted FROM delete_sources({live})", "SELECT"), "<= 1.00")
        yield compared("purge", timed("SELECT count(*) FROM purge_deleted_sources('0 days')",
                                      f"SELECT deleted FROM delete_sources({live})"), "<= 1.00")
        for side in (native, portable):
            assert side.run("SELECT count(*) FROM check_source_counts()") == "0", "a count is wrong"


BENCHMARKS = {"editions-add": editions_add, "editions-bulk": editions_bulk}
