"""What the cached counts cost: the store against the same store without the trigger that counts on INSERT, and counts
written at commit against counts written by each statement
"""
import re
import statistics

import add
import harness
import stores

WITHOUT = f"""{stores.EXTENSION};
    ALTER TABLE sources DISABLE TRIGGER discovery_insert, DISABLE TRIGGER discovery_statement"""
# With the name of the database, where it is the default
STATEMENT = stores.EXTENSION + "; ALTER DATABASE {name} SET discovery.counts = 'statement'"
INSERT = f"""INSERT INTO sources (notebook_id, name, source_type, content_hash, extracted_text)
    VALUES ({stores.NOTEBOOK.format(n=':notebook')}, 'Source ' || :n, 'text', repeat(md5(:n::text), 2),
            {stores.TEXT.format(n=':n')});
"""
# Two single sources in one transaction, into two of five notebooks
INTO_TWO = "".join(f"\\set notebook_{place} random(1, 5)\n\\set n_{place} random(1, 1000000000000)\n"
                   for place in "ab")
INTO_TWO += "BEGIN;\n" + "".join(re.sub(r":(notebook|n)\b", rf":\1_{place}", INSERT) for place in "ab") + "COMMIT;\n"


def by_statement():
    """Two stores: one counts at commit, the other with each statement."""
    return stores.pair(stores.EXTENSION, STATEMENT.format(name="theirs"), add.NOTEBOOKS)


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
    with by_statement() as (ours, theirs):
        yield bench.compare("count-bulk, 100 statements, against counts by statement", inserting(ours, 100),
                            inserting(theirs, 100), "<= 1.05", harness.seconds)


def count_8(bench):
    """8 clients insert single sources into 1,000 notebooks, against the same work without counts, and with
    counts that each statement writes
    """
    script = add.VARIABLES.replace("{notebooks}", str(add.NOTEBOOKS)) + INSERT
    with stores.pair(stores.EXTENSION, WITHOUT, add.NOTEBOOKS) as (ours, theirs):
        yield stores.rate(bench, "count-8", ours, theirs, [script, script], ">= 0.90", clients=8)
    with by_statement() as (ours, theirs):
        yield stores.rate(bench, "count-8, against counts by statement", ours, theirs, [script, script], ">= 0.95",
                          clients=8)


def count_8_hot(bench):
    """8 clients insert single sources into one notebook. On the other side, each client updates the count
    itself, in the same transaction; and the database does, with each statement
    """
    variables = add.VARIABLES.replace("{notebooks}", "1")
    with stores.pair(stores.EXTENSION, WITHOUT, add.NOTEBOOKS) as (ours, theirs):
        theirs.run("ALTER TABLE notebooks DISABLE TRIGGER discovery_row")  # which keeps clients from counting
        scripts = [variables + INSERT, variables + "BEGIN;\n" + INSERT + add.COUNT + "COMMIT;\n"]
        yield stores.rate(bench, "count-8-hot", ours, theirs, scripts, ">= 0.95", clients=8)
    with by_statement() as (ours, theirs):
        yield stores.rate(bench, "count-8-hot, against counts by statement", ours, theirs, [scripts[0]] * 2, ">= 0.95",
                          clients=8)


def two_notebooks(bench):
    """8 clients insert two single sources in each transaction, into two of five notebooks, against the
    same work without counts

    The throughput is that of the transactions that succeed: PostgreSQL cancels one in each deadlock.
    'statement' is with discovery.counts = 'statement', which can deadlock here.
    """
    def inserting(side):
        side.settle()
        return side.transactions(INTO_TWO, clients=8, seconds=min(2, bench.amount(2)))

    with stores.database("statement", STATEMENT.format(name="statement")) as statement, \
            stores.pair(stores.EXTENSION, WITHOUT, add.NOTEBOOKS) as (ours, theirs):
        statement.notebooks(add.NOTEBOOKS)
        turns = bench.turns(lambda: (inserting(ours), inserting(statement)), lambda: inserting(theirs), rounds=3)
        for name, place, goal, succeed in (("two-notebooks", 0, ">= 0.45", ">= 1.00"),
                                           ("two-notebooks, 'statement'", 1, "", "")):
            pairs = [(a[place], b) for a, b in turns]
            yield harness.row(name, [(a[0], b[0]) for a, b in pairs], goal, harness.per_second)
            yield harness.row(name + ": transactions that succeed",
                              [(succeeding(a), succeeding(b)) for a, b in pairs], succeed, harness.percent)
        assert ours.run("SELECT count(*) FROM check_source_counts()") == "0", "a count is wrong"


def succeeding(transactions):
    """The share of them"""
    _, succeeded, failed = transactions
    return succeeded / (succeeded + failed)


def one_transaction(bench):
    """1,000 to 40,000 sources of 1 KB, added to one notebook in one transaction, each by its own INSERT or
    add_source(), without and with a savepoint for each, against the same work without counts

    The two largest are measured once. The last rows are our time for each source, in the largest
    transaction against the smallest. It should be level.
    """
    rounds = {1000: 5, 5000: 3, 20_000: 1, 40_000: 1}
    counts = [bench.amount(count) for count in rounds]
    call = add.ADD.removeprefix(add.VARIABLES).replace("SELECT id, outcome", "PERFORM")

    def adding(session, statement, count):
        def add_all():
            session.run("TRUNCATE sources")
            session.run("BEGIN")
            return session.seconds(f"DO $$BEGIN FOR n IN 1..{count} LOOP {statement} END LOOP; END$$") + \
                session.seconds("COMMIT")
        return add_all

    def compared(ours, theirs, statement):
        """Seconds by number of sources, in pairs"""
        ours.settle(), theirs.settle()
        with ours.session() as our, theirs.session() as their:
            for session in (our, their):
                adding(session, statement, counts[0])()  # fills the caches
            return {count: bench.turns(*[adding(each, statement, count) for each in (our, their)], number, warm=False)
                    for count, number in zip(counts, rounds.values())}

    with stores.pair(stores.EXTENSION, WITHOUT, add.NOTEBOOKS) as (ours, theirs):
        growth = []
        for kind, plain in (("INSERT", INSERT), ("add_source()", call)):
            plain = plain.replace(":notebook", "1").replace(":n", "n")
            saved = f"BEGIN {plain} EXCEPTION WHEN division_by_zero THEN RAISE; END;"
            for name, statement in ((kind, plain), (kind + " with savepoints", saved)):
                pairs = compared(ours, theirs, statement)
                for count in counts:
                    yield harness.row(f"one-transaction, {count:,} × {name}", pairs[count], "<= 1.50", harness.seconds)
                least, most = counts[0], counts[-1]
                smallest = statistics.median(a for a, _ in pairs[least]) / least
                growth.append(harness.row(f"one-transaction, {name}: each of {most:,} against each of {least:,}",
                                          [(a / most, smallest) for a, _ in pairs[most]], "<= 1.50", harness.seconds))
        yield from growth
        assert ours.run("SELECT count(*) FROM check_source_counts()") == "0", "a count is wrong"


def hot_open(bench):
    """8 clients insert single sources into one notebook, and do 5 ms of other work before they commit,
    against the same with discovery.counts = 'statement'
    """
    script = add.VARIABLES.replace("{notebooks}", "1") + "BEGIN;\n" + INSERT + "SELECT pg_sleep(0.005);\nCOMMIT;\n"

    def inserting(side):
        def insert():
            side.settle()
            return side.pgbench(script, clients=8, seconds=1)
        return insert

    with by_statement() as (ours, theirs):
        yield bench.compare("hot-open", inserting(ours), inserting(theirs), ">= 5.00", harness.per_second, rounds=3)


BENCHMARKS = {"count-bulk": count_bulk, "count-8": count_8, "count-8-hot": count_8_hot, "two-notebooks": two_notebooks,
              "one-transaction": one_transaction, "hot-open": hot_open}
