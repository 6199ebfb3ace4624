"""Reading: the application's page of newest sources, and its search for a content"""
import harness
import stores

# As its ORM names them, and as many on both sides
COLUMNS = """id, notebook_id, name, source_type, file_type, url, file_path, file_size, content_hash, extracted_text,
    source_metadata, created_at, updated_at, deleted_at"""
PAGE = f"""\\set notebook random(1, {{notebooks}})
SELECT {COLUMNS} FROM sources WHERE notebook_id = {stores.NOTEBOOK.format(n=':notebook')} AND deleted_at IS NULL
    ORDER BY created_at DESC LIMIT 50 OFFSET 0;
"""
# The hash is a constant to the server, as it is when a client computes it; pgbench puts a variable into a simple
# statement as it is.
LOOKUP = f"""\\set n random(1, {{sources}})
\\set notebook :n % {{notebooks}} + 1
SELECT {{quote}}(({stores.NOTEBOOK.format(n=':notebook')})::text) AS notebook_id,
    {{quote}}({stores.HASH.format(n=':n')}) AS hash \\gset
SELECT {COLUMNS} FROM sources
    WHERE notebook_id = :notebook_id AND content_hash = :hash AND deleted_at IS NULL{{more}} LIMIT 1;
"""


def list_page(bench):
    """The 50 newest live sources of a notebook with 10,000 sources, half of them soft-deleted"""
    notebooks = bench.amount(20)
    with stores.pair() as (ours, theirs):
        for side in (ours, theirs):
            side.notebooks(notebooks)
            side.sources(1, 10_000 * notebooks, f"n % {notebooks} + 1",
                         f"CASE WHEN n / {notebooks} % 2 = 0 THEN timestamp '2025-06-01' END")
        yield stores.latency(bench, "list-page", ours, theirs, PAGE.format(notebooks=notebooks), "<= 0.50")


def lookup(bench):
    """Search for a live source by (notebook, hash) among 1,000,000 sources, a tenth of them soft-deleted

    The first row is a prepared statement, which has no goal: an index that would make it faster costs more
    than it saves. The second is a prepared statement that repeats the condition
    of the index. The third is the statement that psycopg2 sends, with the values in it
    """
    sources = bench.amount(1_000_000)
    with stores.pair() as (ours, theirs):
        for side in (ours, theirs):
            side.notebooks(1000)
            side.sources(1, sources, "n % 1000 + 1", "CASE WHEN n % 10 = 0 THEN timestamp '2025-06-01' END")
        for name, mode, quote, more, goal in (
                ("lookup", "prepared", "", "", ""),
                ("lookup, content_hash <> ''", "prepared", "", " AND content_hash <> ''", ""),
                ("lookup, as psycopg2 sends it", "simple", "quote_literal", "", "<= 0.90")):
            script = LOOKUP.format(notebooks=1000, sources=sources, quote=quote, more=more)
            yield stores.latency(bench, name, ours, theirs, script, goal, mode=mode)


BENCHMARKS = {"list-page": list_page, "lookup": lookup}
