#!/usr/bin/python3
"""asyncpg and a discovery store. The database is that of DATABASE_URL."""
import asyncio
import os
from datetime import timedelta

import asyncpg


async def main():
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    value, row, rows = connection.fetchval, connection.fetchrow, connection.fetch

    # Notebooks
    notebook, creator = await row("INSERT INTO notebooks (name, tags, created_by) VALUES ($1, $2, $3)"
                                  " RETURNING id, created_by", "Client", ["reading"], "anna@example.org")
    print(f"created: Client, by {creator}")
    read = await row("SELECT name, tags FROM notebooks WHERE id = $1", notebook)
    print(f"read: {read['name']}, tags {', '.join(read['tags'])}")
    print("listed:", len(await rows("SELECT id FROM notebooks WHERE tags && $1 ORDER BY name", ["reading"])))
    try:
        await connection.execute("INSERT INTO notebooks (name) VALUES ($1)", "Client")
    except asyncpg.UniqueViolationError as error:
        print("name taken:", error.constraint_name)
    renamed = await row("UPDATE notebooks SET name = $1, tags = $2 WHERE id = $3 RETURNING name, tags",
                        "Client 2", ["hashing", "reading"], notebook)
    print(f"renamed and retagged: {renamed['name']}, tags {', '.join(renamed['tags'])}")

    # Sources
    insert = """INSERT INTO sources (notebook_id, name, source_type, url, file_path, extracted_text)
                VALUES ($1, $2, 'url', 'https://example.org/', '/files/page.html', 'A page') RETURNING id"""
    page = await value(insert, notebook, "page.html")
    print("added by INSERT: page.html")
    try:
        await value(insert, notebook, "duplicate")
    except asyncpg.UniqueViolationError as error:
        print("duplicate by INSERT:", error.constraint_name)

    add_text = """SELECT id, outcome FROM add_source(notebook_id => $1, name => $2, source_type => 'text',
                                                     extracted_text => $3)"""
    note = await row(add_text, notebook, "note", "A note")
    print("add_source:", note["outcome"])
    again = await row(add_text, notebook, "note again", "A note")
    print(f"add_source: {again['outcome']}, of", await value("SELECT name FROM sources WHERE id = $1", again["id"]))

    async def print_counts():
        sources, outputs = await row("SELECT source_count, output_count FROM notebooks WHERE id = $1", notebook)
        print(f"counted: sources {sources}, outputs {outputs}")

    await print_counts()
    for source in await rows("SELECT name FROM live_sources WHERE notebook_id = $1"
                             " ORDER BY created_at, id LIMIT 50 OFFSET 0", notebook):
        print("page:", source["name"])

    # Soft delete, restore
    deletion = await row("SELECT deletion_id, deleted FROM delete_sources($1, reason => $2)",
                         [note["id"]], "not needed")
    print("deleted:", deletion["deleted"])
    await print_counts()
    for restored in await rows("SELECT id FROM restore_sources($1) WHERE outcome = 'restored'",
                               deletion["deletion_id"]):
        print("restored:", await value("SELECT name FROM sources WHERE id = $1", restored["id"]))
    await print_counts()

    # Outputs
    output = await row("INSERT INTO outputs (notebook_id, title, content) VALUES ($1, $2, $3) RETURNING title, status",
                       notebook, "A summary", "A page, and a note.")
    print(f"output: {output['title']}, {output['status']}")
    await print_counts()

    # The trash: the notebook moves there with its sources and outputs, and comes back as it was
    async def everything():
        return await rows("""SELECT notebook::text FROM notebooks AS notebook
                             UNION ALL SELECT source::text FROM sources AS source
                             UNION ALL SELECT output::text FROM outputs AS output ORDER BY 1""")

    async def restore(deletion):
        tables = await rows("""SELECT table_name, count(*) FROM restore_deletion($1)
                               GROUP BY table_name ORDER BY table_name""", deletion)
        print("restored:", ", ".join(f"{table} {count}" for table, count in tables))
        await print_counts()
        print("same as before:", "yes" if await everything() == before else "no")

    before = await everything()
    deletion, sources, outputs = await row(
        "SELECT deletion_id, sources, outputs FROM delete_notebook($1, reason => $2)", notebook, "cleaning up")
    print(f"to the trash: sources {sources}, outputs {outputs}")
    print("notebooks left:", await value("SELECT count(*) FROM notebooks"))
    for name, reason in await rows("SELECT name, reason FROM deleted_notebooks"):
        print(f"in the trash: {name}, {reason}")
    await restore(deletion)

    # With this setting, which a role or a database can have, DELETE moves it there, too.
    async with connection.transaction():
        await connection.execute("SET LOCAL discovery.keep_deleted = on")
        await connection.execute("DELETE FROM notebooks WHERE id = $1", notebook)
    print("notebooks left:", await value("SELECT count(*) FROM notebooks"))
    await restore(await value("SELECT deletion_id FROM deleted_notebooks WHERE id = $1", notebook))

    # Purge: unlink the files only after the commit (here each statement is one), and only if no row uses them any more
    await connection.execute("SELECT delete_source($1)", page)
    # Sources in the trash still use their files.
    users = """SELECT count(*) FROM (SELECT file_path FROM sources UNION ALL SELECT file_path FROM discovery_trash)
               AS used WHERE file_path = $1"""
    await asyncio.sleep(0.01)  # '0' spares what was deleted in this very millisecond
    for purged in await rows("SELECT file_path FROM purge_deleted_sources(older_than => $1)", timedelta(0)):
        if await value(users, purged["file_path"]) == 0:
            print("purged:", purged["file_path"])

    await connection.execute("DELETE FROM notebooks WHERE id = $1", notebook)
    print("notebook deleted, sources left:", await value("SELECT count(*) FROM sources"))
    await connection.close()


asyncio.run(main())
