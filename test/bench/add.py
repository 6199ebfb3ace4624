"""Adding sources one by one"""
import contextlib
import io
import sys
import time
import uuid

import harness
import stores

NOTEBOOKS = 1000

VARIABLES = """\\set notebook random(1, {notebooks})
\\set n random(1, 1000000000000)
"""
ADD = VARIABLES + f"""SELECT id, outcome FROM add_source(
    notebook_id => {stores.NOTEBOOK.format(n=':notebook')}, name => 'Source ' || :n,
    source_type => 'text', extracted_text => {stores.TEXT.format(n=':n')});
"""
# With its id and hash at no cost, as if the client had them ready
INSERT = f"""INSERT INTO sources (id, notebook_id, name, source_type, content_hash,
                     extracted_text, source_metadata, created_at, updated_at)
    VALUES (md5(:n::text)::uuid, {stores.NOTEBOOK.format(n=':notebook')}, 'Source ' || :n, 'text',
            repeat(md5(:n::text), 2), {stores.TEXT.format(n=':n')}, '{{}}', '2025-01-01', '2025-01-01');
"""
# One statement by hand that inserts the row and adds to the count
INSERT_AND_COUNT = VARIABLES + "WITH added AS (" + INSERT.rstrip(";\n") + f""" RETURNING notebook_id)
    UPDATE notebooks SET source_count = source_count + 1 FROM added WHERE notebooks.id = added.notebook_id;
"""
COUNT = f"UPDATE notebooks SET source_count = source_count + 1 WHERE id = {stores.NOTEBOOK.format(n=':notebook')};\n"

# The application meets a duplicate: it reads the notebook, finds the source, and refuses.
THEIR_DUPLICATE = """\\set n random(1, {sources})
\\set notebook :n % {notebooks} + 1
BEGIN;
""" + f"""SELECT id, name, description, tags, created_at, updated_at, source_count, output_count FROM notebooks
    WHERE id = {stores.NOTEBOOK.format(n=':notebook')};
SELECT * FROM sources WHERE notebook_id = {stores.NOTEBOOK.format(n=':notebook')}
    AND content_hash = {stores.HASH.format(n=':n')} AND deleted_at IS NULL LIMIT 1;
ROLLBACK;
"""
OUR_DUPLICATE = """\\set n random(1, {sources})
\\set notebook :n % {notebooks} + 1
""" + ADD.removeprefix(VARIABLES)


def add_one(bench):
    """One client: add_source() against an INSERT of the same row with a precomputed hash, and against one
    statement that inserts it and adds to the count
    """
    with stores.pair(notebooks=NOTEBOOKS, sources=bench.amount(20_000)) as (ours, theirs):
        scripts = [script.replace("{notebooks}", str(NOTEBOOKS)) for script in (ADD, VARIABLES + INSERT)]
        yield stores.rate(bench, "add-one", ours, theirs, scripts, ">= 0.87")
        yield stores.rate(bench, "add-one, commits not waited for", ours, theirs, scripts, "",
                          options="-c synchronous_commit=off")
        counted = [scripts[0], INSERT_AND_COUNT.replace("{notebooks}", str(NOTEBOOKS))]
        yield stores.rate(bench, "add-one, against INSERT and count", ours, theirs, counted, ">= 1.00")


def add_8(bench):
    """8 clients, 1,000 notebooks: add_source() against an INSERT of the same row with a precomputed hash, and
    against one statement that inserts it and adds to the count
    """
    with stores.pair(notebooks=NOTEBOOKS, sources=bench.amount(20_000)) as (ours, theirs):
        scripts = [script.replace("{notebooks}", str(NOTEBOOKS)) for script in (ADD, VARIABLES + INSERT)]
        yield stores.rate(bench, "add-8", ours, theirs, scripts, ">= 0.87", clients=8)
        counted = [scripts[0], INSERT_AND_COUNT.replace("{notebooks}", str(NOTEBOOKS))]
        yield stores.rate(bench, "add-8, against INSERT and count", ours, theirs, counted, ">= 1.00", clients=8)


def add_batch(bench):
    """One client: sources a second of add_sources() with a hundred at a time against add_source(). A
    transaction of a batch counts a hundred times
    """
    batch = VARIABLES + f"""SELECT count(*) FROM add_sources({stores.NOTEBOOK.format(n=':notebook')},
        (SELECT jsonb_agg(jsonb_build_object('name', 'Source ' || n, 'source_type', 'text',
                                             'extracted_text', {stores.TEXT.format(n='n')}))
         FROM generate_series((:n)::bigint, (:n)::bigint + 99) AS n));
"""
    with stores.pair(theirs=stores.EXTENSION, notebooks=NOTEBOOKS, sources=bench.amount(20_000)) as (ours, theirs):
        scripts = [script.replace("{notebooks}", str(NOTEBOOKS)) for script in (batch, ADD)]
        seconds = min(5, bench.amount(5))

        def measured(side, script, times):
            side.settle()
            return times * side.pgbench(script, seconds=seconds)
        yield bench.compare("add-batch", lambda: measured(ours, scripts[0], 100),
                            lambda: measured(theirs, scripts[1], 1), ">= 3.00", harness.per_second)


def add_8_hot(bench):
    """8 clients, one notebook: add_source() against an INSERT and an UPDATE of the count, in one
    transaction
    """
    with stores.pair(notebooks=NOTEBOOKS, sources=bench.amount(20_000)) as (ours, theirs):
        by_hand = VARIABLES + "BEGIN;\n" + INSERT + COUNT + "COMMIT;\n"
        scripts = [script.replace("{notebooks}", "1") for script in (ADD, by_hand)]
        yield stores.rate(bench, "add-8-hot", ours, theirs, scripts, ">= 0.95", clients=8)


def duplicate_8(bench):
    """8 clients add sources that already exist: add_source() against the application's statements, which
    find the existing source and refuse
    """
    sources = bench.amount(100_000)
    with stores.pair(notebooks=NOTEBOOKS, sources=sources) as (ours, theirs):
        scripts = [script.replace("{sources}", str(sources)).replace("{notebooks}", str(NOTEBOOKS))
                   for script in (OUR_DUPLICATE, THEIR_DUPLICATE)]
        yield stores.rate(bench, "duplicate-8", ours, theirs, scripts, ">= 1.50", clients=8)
        assert ours.run("SELECT count(*) FROM sources") == str(sources), "a duplicate was added"


def add_app(bench):
    """Imports from Python: add_source(), and add_sources() with a hundred at a time, with psycopg2 against
    the application's own statements with SQLAlchemy
    """
    import psycopg2.extras
    import sqlalchemy.orm
    sys.path.insert(0, str(stores.TOP / "test/t/lib"))
    import application

    count = bench.amount(1000)
    with stores.pair(notebooks=NOTEBOOKS, sources=bench.amount(20_000)) as (ours, theirs):
        notebook = ours.run("SELECT id FROM notebooks LIMIT 1")

        def texts():
            return [str(uuid.uuid4()).replace("-", "") * 32 for _ in range(count)]

        def rate_of(add):
            """Sources per second that add(cursor, texts) adds."""
            ours.settle()
            connection = psycopg2.connect(dbname=ours.name)
            connection.autocommit = True
            with contextlib.closing(connection), connection.cursor() as cursor:
                given, start = texts(), time.perf_counter()
                add(cursor, given)
                return count / (time.perf_counter() - start)

        def one_by_one(cursor, given):
            for text in given:
                cursor.execute("""SELECT id, outcome FROM add_source(
                    notebook_id => %s, name => %s, source_type => 'text', extracted_text => %s)""",
                               (notebook, "Note", text))
                assert cursor.fetchone()[1] == "added"

        def in_batches(cursor, given):
            for first in range(0, count, 100):
                cursor.execute("SELECT outcome FROM add_sources(%s, %s)", (notebook, psycopg2.extras.Json(
                    [{"name": "Note", "source_type": "text", "extracted_text": text}
                     for text in given[first:first + 100]])))
                assert {outcome for outcome, in cursor.fetchall()} == {"added"}

        engine = sqlalchemy.create_engine("postgresql+psycopg2:///" + theirs.name)

        def application_adds():
            theirs.settle()
            with sqlalchemy.orm.Session(engine) as session, contextlib.redirect_stdout(io.StringIO()):
                given, start = texts(), time.perf_counter()
                for text in given:
                    application.import_source(session, uuid.UUID(notebook), "Note", text, source_type="text")
                elapsed = time.perf_counter() - start
            engine.dispose()
            return count / elapsed

        yield bench.compare("add-app", lambda: rate_of(one_by_one), application_adds, ">= 8.00", harness.per_second)
        yield bench.compare("add-app, 100 at a time", lambda: rate_of(in_batches), application_adds, ">= 15.00",
                            harness.per_second)


BENCHMARKS = {"add-one": add_one, "add-app": add_app, "add-8": add_8, "add-8-hot": add_8_hot,
              "add-batch": add_batch,
              "duplicate-8": duplicate_8}
