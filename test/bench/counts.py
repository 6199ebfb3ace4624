"""What the cached counts cost: the store against the same store without the trigger that counts on INSERT"""
import add
import harness
import stores

WITHOUT = f"""{stores.EXTENSION};
    ALTER TABLE sources DISABLE TRIGGER discovery_insert, DISABLE TRIGGER discovery_statement"""
INSERT = f"""INSERT INTO sources (notebook_id, name, source_type, content_hash, extracted_text)
    VALUES ({stores.NOTEBOOK.format(n=':notebook')}, 'Source ' || :n, 'text', repeat(md5(:n::text), 2),
            {stores.TEXT.format(n=':n')});
"""


def count_bulk(bench):
    """INSERT of 100,000 sources of 1 KB into one notebook, in one statement and in 100 statements of 1,000
    sources each, against the same work without counts
    """
    count = bench.amount(100_000, 100)

    def inserting(side, statements):
        def insert():
            side.run("TRUNCATE sources")
            side.settle()
            each = count // statements
            with side.session() as session:
                session.run("BEGIN")
                taken = sum(session.seconds(f"""
                    INSERT INTO sources (notebook_id, name, source_type, content_hash, extracted_text)
                    SELECT {stores.NOTEBOOK.format(n='1')}, 'Source ' || n, 'text', repeat(md5(n::text), 2),
                           {stores.TEXT.format(n='n')}
                    FROM generate_series({number * each + 1}, {(number + 1) * each}) n""")
                            for number in range(statements))
                return taken + session.seconds("COMMIT")
        return insert

    with stores.pair(stores.EXTENSION, WITHOUT, add.NOTEBOOKS) as (ours, theirs):
        for name, statements, goal in (("one statement", 1, "<= 1.15"), ("100 statements", 100, "<= 1.30")):
            yield bench.compare(f"count-bulk, {name}", inserting(ours, statements), inserting(theirs, statements), goal,
                                harness.seconds)


def count_8(bench):
    """8 clients insert single sources into 1,000 notebooks, against the same work without counts"""
    script = add.VARIABLES.replace("{notebooks}", str(add.NOTEBOOKS)) + INSERT
    with stores.pair(stores.EXTENSION, WITHOUT, add.NOTEBOOKS) as (ours, theirs):
        yield stores.rate(bench, "count-8", ours, theirs, [script, script], ">= 0.90", clients=8)


def count_8_hot(bench):
    """8 clients insert single sources into one notebook. On the other side, each client updates the count
    itself, in the same transaction
    """
    variables = add.VARIABLES.replace("{notebooks}", "1")
    with stores.pair(stores.EXTENSION, WITHOUT, add.NOTEBOOKS) as (ours, theirs):
        theirs.run("ALTER TABLE notebooks DISABLE TRIGGER discovery_row")  # which keeps clients from counting
        scripts = [variables + INSERT, variables + "BEGIN;\n" + INSERT + add.COUNT + "COMMIT;\n"]
        yield stores.rate(bench, "count-8-hot", ours, theirs, scripts, ">= 0.95", clients=8)


BENCHMARKS = {"count-bulk": count_bulk, "count-8": count_8, "count-8-hot": count_8_hot}
