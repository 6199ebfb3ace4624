"""The upgrade of a store with many sources"""
import re
import threading

import harness
import stores


def by_hand():
    """The step's statements as somebody would type them."""
    script = (stores.TOP / "sql/discovery--1.0--1.1.sql").read_text()
    step = re.search(r"/\* step 1\.0 -> 1\.1:[^\n]*\n(.*?)\*/", script, re.DOTALL).group(1)
    for mark, value in (("@store@", "public"), ("@functions@", "discovery"), ("@compression@", "lz4")):
        step = step.replace(mark, value)
    return f"BEGIN;\n{step}\nCOMMIT"


class Writer(threading.Thread):
    """Inserts a source every few milliseconds; `longest` is how long one of them had to wait."""

    def __init__(self, database):
        super().__init__()
        self.database, self.longest, self.done = database, 0.0, threading.Event()

    def run(self):
        with self.database.session() as session:
            while not self.done.wait(0.005):
                self.longest = max(self.longest, session.seconds(f"""
                    INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
                    VALUES (gen_random_uuid(), {stores.NOTEBOOK.format(n='1')}, 'meanwhile', 'text', '')"""))


def upgrade(bench):
    """Upgrade from 1.0 to 1.1 of 1,000,000 sources, 5 % of them duplicates, against the same statements
    run by hand. The second row is how long a writer waits
    """
    sources = bench.amount(1_000_000)
    old = "CREATE EXTENSION discovery VERSION '1.0'"
    # The functions that the statements name, and no store
    plain = f"""{stores.APPLICATION}; CREATE SCHEMA discovery; SET discovery.create_store = off;
        CREATE EXTENSION discovery SCHEMA discovery"""
    with stores.database("old", old) as old, stores.database("plain", plain) as plain:
        for side in (old, plain):
            side.notebooks(1000)
            side.sources(1, sources * 95 // 100, "n % 1000 + 1")
            side.run(f"""INSERT INTO sources (id, notebook_id, name, source_type, content_hash, extracted_text)
                SELECT gen_random_uuid(), notebook_id, name, source_type, content_hash, extracted_text FROM sources
                LIMIT {sources * 5 // 100}""")
            side.settle()
        waits = []

        def upgraded(name, template, sql):
            """Seconds of the statements in a copy of the database, while a writer waits for them."""
            with stores.database(name, template=template) as side:
                writer = Writer(side)
                writer.start()
                taken = side.seconds(sql)
                writer.done.set()
                writer.join()
                return taken, writer.longest

        def ours():
            taken, longest = upgraded("upgraded", "old", "ALTER EXTENSION discovery UPDATE TO '1.1'")
            waits.append((longest, taken))
            return taken

        def theirs():
            return upgraded("by hand", "plain", by_hand())[0]

        yield bench.compare("upgrade", ours, theirs, "<= 1.30", harness.seconds, 3)
        yield harness.row("writers locked out, of the upgrade's time", waits[1:], "", harness.seconds)


BENCHMARKS = {"upgrade": upgrade}
