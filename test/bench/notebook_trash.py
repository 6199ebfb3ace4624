"""Outputs, and notebooks that are deleted and brought back, against rows that are moved by hand"""
import itertools

import harness
import stores

# What the application's later revisions add to its schema
OUTPUTS = """;
CREATE TABLE outputs (
    id uuid PRIMARY KEY, notebook_id uuid NOT NULL REFERENCES notebooks (id) ON DELETE CASCADE,
    title varchar(500) NOT NULL, content text NOT NULL DEFAULT '', output_type varchar(50) NOT NULL DEFAULT 'blog_post',
    status varchar(20) NOT NULL DEFAULT 'draft', prompt text, template_name varchar(100),
    output_metadata json NOT NULL DEFAULT '{}', source_references varchar[] NOT NULL DEFAULT '{}',
    word_count integer NOT NULL DEFAULT 0, created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(), completed_at timestamp,
    created_by varchar(255) NOT NULL DEFAULT 'system@discovery.local');
CREATE INDEX ix_outputs_notebook_id ON outputs (notebook_id);
CREATE INDEX ix_outputs_status ON outputs (status);
CREATE INDEX ix_outputs_output_type ON outputs (output_type);
CREATE INDEX ix_outputs_created_at ON outputs (created_at);
CREATE INDEX ix_outputs_updated_at ON outputs (updated_at);
CREATE INDEX ix_outputs_completed_at ON outputs (completed_at);
CREATE INDEX ix_outputs_created_by ON outputs (created_by);
CREATE INDEX ix_outputs_notebook_status ON outputs (notebook_id, status)"""
# The same columns as ours, so that the same bytes move
CREATORS = """;
ALTER TABLE notebooks ADD COLUMN created_by varchar(255) NOT NULL DEFAULT 'system@discovery.local';
ALTER TABLE sources ADD COLUMN created_by varchar(255) NOT NULL DEFAULT 'system@discovery.local';
CREATE INDEX ix_notebooks_created_by ON notebooks (created_by);
CREATE INDEX ix_sources_created_by ON sources (created_by)"""
ARCHIVES = "".join(f";\nCREATE TABLE archived_{name} (LIKE {name}, PRIMARY KEY (id))"
                   for name in ("notebooks", "sources", "outputs"))
LATER = stores.APPLICATION + OUTPUTS + CREATORS

SOURCES = 2000
# 20 kB that hardly compress
LONG_TEXT = "(SELECT string_agg(md5(n || ' ' || part), ' ') FROM generate_series(1, 600) part)"

VARIABLES = """\\set notebook random(1, {notebooks})
\\set n random(1, 1000000000000)
"""
INSERT_OUTPUT = VARIABLES + f"""INSERT INTO outputs (id, notebook_id, title, content)
    VALUES (md5(:n::text)::uuid, {stores.NOTEBOOK.format(n=':notebook')}, 'Output ' || :n,
            {stores.TEXT.format(n=':n')});
"""
# One statement by hand that inserts the row and adds to the count
INSERT_AND_COUNT = VARIABLES + "WITH added AS (" + INSERT_OUTPUT.removeprefix(VARIABLES).rstrip(";\n") + """
    RETURNING notebook_id)
    UPDATE notebooks SET output_count = output_count + 1 FROM added WHERE notebooks.id = added.notebook_id;
"""


def moved(bench):
    """A notebook with 2,000 sources of 20 KB and 10 outputs: delete_notebook() against INSERT INTO archive
    SELECT … and DELETE by hand, and restore_deletion() against the way back
    """
    count = bench.amount(SOURCES)
    with stores.pair(theirs=LATER + ARCHIVES) as (ours, theirs):
        ids = {ours: "uuid_v7()", theirs: "gen_random_uuid()"}
        numbers = {ours: itertools.count(1), theirs: itertools.count(1)}

        def fill(side):
            number = next(numbers[side])
            notebook = stores.NOTEBOOK.format(n=number)
            side.run(f"INSERT INTO notebooks (id, name) VALUES ({notebook}, 'Notebook {number}')")
            side.run(f"""INSERT INTO sources (id, notebook_id, name, source_type, content_hash, extracted_text)
                SELECT {ids[side]}, {notebook}, 'Source ' || n, 'text', {stores.HASH.format(n='n')}, {LONG_TEXT}
                FROM generate_series(1, {count}) n""")
            side.run(f"""INSERT INTO outputs (id, notebook_id, title, content)
                SELECT {ids[side]}, {notebook}, 'Output ' || n, {LONG_TEXT} FROM generate_series(1, 10) n""")
            side.settle()
            return notebook

        def mine():
            notebook = fill(ours)
            deleted = ours.seconds(f"SELECT delete_notebook({notebook})")
            ours.settle()
            deletion = ours.run(f"SELECT deletion_id FROM deleted_notebooks WHERE id = {notebook}")
            restored = ours.seconds(f"SELECT count(*) FROM restore_deletion('{deletion}')")
            return deleted, restored

        def move(session, source, target, notebook):
            taken = session.seconds("BEGIN")
            for table, column in (("notebooks", "id"), ("sources", "notebook_id"), ("outputs", "notebook_id")):
                taken += session.seconds(
                    f"INSERT INTO {target}{table} SELECT * FROM {source}{table} WHERE {column} = {notebook}")
            return taken

        def by_hand():
            notebook = fill(theirs)
            with theirs.session() as session:
                deleted = move(session, "", "archived_", notebook)
                deleted += session.seconds(f"DELETE FROM notebooks WHERE id = {notebook}")
                deleted += session.seconds("COMMIT")
                theirs.settle()
                restored = move(session, "archived_", "", notebook)
                for table, column in (("notebooks", "id"), ("sources", "notebook_id"), ("outputs", "notebook_id")):
                    restored += session.seconds(f"DELETE FROM archived_{table} WHERE {column} = {notebook}")
                restored += session.seconds("COMMIT")
            return deleted, restored

        pairs = bench.turns(mine, by_hand, 5)
        for position, name in enumerate(("delete-notebook", "restore-notebook")):
            yield harness.row(name, [(a[position], b[position]) for a, b in pairs], "<= 1.30", harness.seconds)
        wrong = ours.run("""SELECT (SELECT count(*) FROM check_source_counts())
            + (SELECT count(*) FROM check_output_counts())""")
        assert wrong == "0", wrong


def kept_for_good(bench):
    """DELETE of 10,000 sources of 1 KB, and of their notebook, with discovery.keep_deleted off, against the same
    in a store of version 1.1
    """
    count = bench.amount(10_000)
    with stores.pair(theirs=stores.EXTENSION + " VERSION '1.1'", notebooks=1, sources=count) as (ours, theirs):
        def rolled_back(side, sql):
            with side.session() as session:
                session.run("BEGIN")
                taken = session.seconds(sql)
                session.run("ROLLBACK")
            side.settle()
            return taken

        for name, sql in (("delete-sources-for-good", "DELETE FROM sources"),
                          ("delete-notebook-for-good", "DELETE FROM notebooks")):
            yield bench.compare(name, lambda sql=sql: rolled_back(ours, sql), lambda sql=sql: rolled_back(theirs, sql),
                                "<= 1.05", harness.seconds, rounds=9)


def outputs(bench):
    """INSERT of outputs of 1 KB into 1,000 notebooks, by one client and by eight, against the application's schema,
    which counts nothing, and against one statement there that inserts the row and adds to the count
    """
    notebooks = 1000
    insert, counted = (script.replace("{notebooks}", str(notebooks)) for script in (INSERT_OUTPUT, INSERT_AND_COUNT))
    with stores.pair(theirs=LATER, notebooks=notebooks) as (ours, theirs):
        for clients in (1, 8):
            name = f"add-output, {clients} client{'s' * (clients > 1)}"
            yield stores.rate(bench, name, ours, theirs, (insert, insert), ">= 0.90", clients=clients)
            yield stores.rate(bench, name + ", against INSERT and count", ours, theirs, (insert, counted), "",
                              clients=clients)


BENCHMARKS = {"delete-notebook, restore-notebook": moved, "delete-for-good": kept_for_good, "add-output": outputs}
