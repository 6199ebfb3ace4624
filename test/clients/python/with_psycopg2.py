#!/usr/bin/python3
"""psycopg2 and a discovery store. The database is that of DATABASE_URL."""
import os
import time

import psycopg2
import psycopg2.extras
from psycopg2.errors import UniqueViolation

psycopg2.extras.register_uuid()
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
cursor = connection.cursor()


def rows(statement, *arguments):
    cursor.execute(statement, arguments)
    return cursor.fetchall()


def value(statement, *arguments):
    return rows(statement, *arguments)[0][0]


# Notebooks
notebook, creator = rows("INSERT INTO notebooks (name, tags, created_by) VALUES (%s, %s, %s) RETURNING id, created_by",
                         "Client", ["reading"], "anna@example.org")[0]
print(f"created: Client, by {creator}")
name, tags = rows("SELECT name, tags FROM notebooks WHERE id = %s", notebook)[0]
print(f"read: {name}, tags {', '.join(tags)}")
print("listed:", len(rows("SELECT id FROM notebooks WHERE tags && %s::varchar[] ORDER BY name", ["reading"])))
try:
    cursor.execute("INSERT INTO notebooks (name) VALUES (%s)", ("Client",))
except UniqueViolation as error:
    print("name taken:", error.diag.constraint_name)
name, tags = rows("UPDATE notebooks SET name = %s, tags = %s WHERE id = %s RETURNING name, tags",
                  "Client 2", ["hashing", "reading"], notebook)[0]
print(f"renamed and retagged: {name}, tags {', '.join(tags)}")

# Sources
insert = """INSERT INTO sources (notebook_id, name, source_type, url, file_path, extracted_text)
            VALUES (%s, %s, 'url', 'https://example.org/', '/files/page.html', 'A page') RETURNING id"""
page = value(insert, notebook, "page.html")
print("added by INSERT: page.html")
try:
    value(insert, notebook, "duplicate")
except UniqueViolation as error:
    print("duplicate by INSERT:", error.diag.constraint_name)

add_text = """SELECT id, outcome FROM add_source(notebook_id => %s, name => %s, source_type => 'text',
                                                 extracted_text => %s)"""
note, outcome = rows(add_text, notebook, "note", "A note")[0]
print("add_source:", outcome)
there, outcome = rows(add_text, notebook, "note again", "A note")[0]
print(f"add_source: {outcome}, of {value('SELECT name FROM sources WHERE id = %s', there)}")


def print_counts():
    sources, outputs = rows("SELECT source_count, output_count FROM notebooks WHERE id = %s", notebook)[0]
    print(f"counted: sources {sources}, outputs {outputs}")


print_counts()
for (name,) in rows("SELECT name FROM live_sources WHERE notebook_id = %s"
                    " ORDER BY created_at, id LIMIT 50 OFFSET 0", notebook):
    print("page:", name)

# Soft delete, restore
deletion, deleted = rows("SELECT deletion_id, deleted FROM delete_sources(%s, reason => %s)", [note], "not needed")[0]
print("deleted:", deleted)
print_counts()
for (restored,) in rows("SELECT id FROM restore_sources(%s) WHERE outcome = 'restored'", deletion):
    print("restored:", value("SELECT name FROM sources WHERE id = %s", restored))
print_counts()

# Outputs
title, status = rows("INSERT INTO outputs (notebook_id, title, content) VALUES (%s, %s, %s) RETURNING title, status",
                     notebook, "A summary", "A page, and a note.")[0]
print(f"output: {title}, {status}")
print_counts()


# The trash: the notebook moves there with its sources and outputs, and comes back as it was
def everything():
    return rows("""SELECT notebook::text FROM notebooks AS notebook UNION ALL SELECT source::text FROM sources AS source
                   UNION ALL SELECT output::text FROM outputs AS output ORDER BY 1""")


def restore(deletion):
    tables = rows("""SELECT table_name, count(*) FROM restore_deletion(%s)
                     GROUP BY table_name ORDER BY table_name""", deletion)
    print("restored:", ", ".join(f"{table} {count}" for table, count in tables))
    print_counts()
    print("same as before:", "yes" if everything() == before else "no")


before = everything()
deletion, sources, outputs = rows("SELECT deletion_id, sources, outputs FROM delete_notebook(%s, reason => %s)",
                                  notebook, "cleaning up")[0]
print(f"to the trash: sources {sources}, outputs {outputs}")
print("notebooks left:", value("SELECT count(*) FROM notebooks"))
for name, reason in rows("SELECT name, reason FROM deleted_notebooks"):
    print(f"in the trash: {name}, {reason}")
restore(deletion)

# With this setting, which a role or a database can have, DELETE moves it there, too.
cursor.execute("SET discovery.keep_deleted = on")
cursor.execute("DELETE FROM notebooks WHERE id = %s", (notebook,))
cursor.execute("RESET discovery.keep_deleted")
print("notebooks left:", value("SELECT count(*) FROM notebooks"))
restore(value("SELECT deletion_id FROM deleted_notebooks WHERE id = %s", notebook))

# Purge: unlink the files only after the commit (here each statement is one), and only if no row uses them any more
cursor.execute("SELECT delete_source(%s)", (page,))
# Sources in the trash still use their files.
users = """SELECT count(*) FROM (SELECT file_path FROM sources UNION ALL SELECT file_path FROM discovery_trash) AS used
           WHERE file_path = %s"""
time.sleep(0.01)  # '0' spares what was deleted in this very millisecond
for (path,) in rows("SELECT file_path FROM purge_deleted_sources(older_than => '0', max_rows => 1000)"):
    if value(users, path) == 0:
        print("purged:", path)

cursor.execute("DELETE FROM notebooks WHERE id = %s", (notebook,))
print("notebook deleted, sources left:", value("SELECT count(*) FROM sources"))
