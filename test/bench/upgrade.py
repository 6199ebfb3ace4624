"""The upgrade of a store with many sources"""
import random
import re
import threading
import time
import uuid

import harness
import stores


def by_hand():
    """The step's statements as somebody would type them."""
    script = (stores.TOP / "sql/discovery--1.0--1.1.sql").read_text()
    step = re.search(r"/\* step 1\.0 -> 1\.1:[^\n]*\n(.*?)\*/", script, re.DOTALL).group(1)
    step = ";\n".join(one for one in step.split(";\n") if "-- @only ahead@" not in one)
    for mark, value in (("@store@", "public"), ("@functions@", "discovery"), ("@compression@", "lz4"),
                        ("@batch@", "IS NOT NULL")):
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


class Client(threading.Thread):
    """A worker of the application of version 1.0: lists, adds, finds duplicates, deletes softly, and counts, by
    reading and then writing. `waits` has how long each of its transactions took, and when it began."""

    def __init__(self, database, number, notebooks):
        super().__init__()
        self.database, self.waits, self.done = database, [], threading.Event()
        self.random, self.notebooks = random.Random(number), notebooks
        self.mine = []

    def add(self, content):
        notebook, source = self.notebook(), uuid.UUID(int=self.random.getrandbits(128))
        self.mine.append((source, notebook))
        return f"""BEGIN; SELECT id FROM sources WHERE notebook_id = {notebook} AND content_hash = md5('{content}')
                AND deleted_at IS NULL;
            INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
            VALUES ('{source}', {notebook}, 'new', 'text', md5('{content}')); {self.count(notebook)}; COMMIT"""

    def notebook(self):
        return stores.NOTEBOOK.format(n=self.random.randint(1, self.notebooks))

    @staticmethod
    def count(notebook):
        return f"UPDATE notebooks SET source_count = source_count + 1, updated_at = now() WHERE id = {notebook}"

    def work(self):
        """The next transaction: nearly half of them read, one in twenty adds what may be there."""
        kind = self.random.random()
        if kind < 0.45 or not self.mine:
            return f"""SELECT id, name, created_at FROM sources WHERE notebook_id = {self.notebook()}
                AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 20"""
        if kind < 0.80:
            return self.add(self.random.random())
        if kind < 0.85:
            return self.add(self.random.randint(1, 50))
        source, notebook = self.random.choice(self.mine)
        return f"""BEGIN; UPDATE sources SET deleted_at = now() WHERE id = '{source}' AND deleted_at IS NULL;
            {self.count(notebook)}; COMMIT"""

    def run(self):
        with self.database.session() as session:
            # A duplicate is an error, after which it goes on.
            session.run("\\set ON_ERROR_STOP off\nSELECT 1")
            session.run(self.add(self.random.random()))
            while not self.done.is_set():
                begun = time.monotonic()
                session.run(self.work())
                self.waits.append((begun, time.monotonic() - begun))
                # The worker does something else.
                time.sleep(self.random.uniform(0, 0.02))


class Clients:
    """Eight of them, for the time of a `with` block."""

    def __init__(self, database, notebooks):
        self.clients = [Client(database, number, notebooks) for number in range(8)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *error):
        for client in self.clients:
            client.done.set()
        for client in self.clients:
            client.join()

    def during(self, begin, end):
        """Transactions per second, and the seconds of the longest, of those that end in that time."""
        waits = [wait for client in self.clients for begun, wait in client.waits
                 if begin < begun + wait and begun < end]
        return len(waits) / (end - begin), max(waits)


def prepare(database):
    """Runs what discovery_prepare_upgrade() gives until nothing is left."""
    with database.session() as session:
        session.run("SET client_min_messages = error")
        left = "SELECT replace(statement, E'\\n', ' ') FROM discovery_prepare_upgrade() LIMIT 1"
        while statement := session.run(left):
            session.run(statement)


def timed(work):
    """Runs it; returns when it began and ended."""
    begun = time.monotonic()
    work()
    return begun, time.monotonic()


def online(bench):
    """Upgrade from 1.0 to 1.1 beside eight workers of the application of 1.0, prepared by
    discovery_prepare_upgrade(): how long the slowest of their transactions takes, against a second, the
    transactions a second that they keep, and the time of preparation and upgrade against the plain upgrade

    5 % of the sources are duplicates, and so is one in twenty that the workers add. SCALE=10 takes 10 million.
    """
    for sources in [bench.amount(1_000_000)] + ([bench.amount(5_000_000)] if bench.scale <= 1 else []):
        notebooks = max(sources // 200, 1)
        with stores.database("old", "CREATE EXTENSION discovery VERSION '1.0'") as old:
            old.notebooks(notebooks)
            old.sources(1, sources * 95 // 100, f"n % {notebooks} + 1")
            old.run(f"""INSERT INTO sources (id, notebook_id, name, source_type, content_hash, extracted_text)
                SELECT gen_random_uuid(), notebook_id, name, source_type, content_hash, extracted_text FROM sources
                LIMIT {sources * 5 // 100}""")
            old.settle()
            upgrade_it = "SET lock_timeout = '10min'; ALTER EXTENSION discovery UPDATE TO '1.1'"
            with stores.database("plain", template="old") as side, Clients(side, notebooks) as clients:
                time.sleep(2)
                begun, ended = timed(lambda: side.run(upgrade_it))
                plain, (_, locked_out) = ended - begun, clients.during(begun, ended)
            with stores.database("prepared", template="old") as side:
                with Clients(side, notebooks) as clients:
                    alone = timed(lambda: time.sleep(max(2, bench.amount(20))))
                    preparing = timed(lambda: prepare(side))
                    upgrading = timed(lambda: side.run(upgrade_it))
                    time.sleep(1)
                wrong = side.run("""SELECT (SELECT count(*) FROM check_source_counts())
                    + (SELECT count(*) FROM discovery_check())""")
                if wrong != "0":
                    raise RuntimeError(f"the upgraded store has {wrong} faults")
                of = f"of {sources:,} sources"
                yield harness.row(f"longest wait, plain upgrade {of}", [(locked_out, 1)], "", harness.seconds)
                for name, (begun, ended) in (("preparation", preparing), ("prepared upgrade", upgrading)):
                    yield harness.row(f"longest wait, {name} {of}", [(clients.during(begun, ended)[1], 1)], "<= 1.00",
                                      harness.seconds)
                yield harness.row(f"throughput beside the preparation {of}",
                                  [(clients.during(*preparing)[0], clients.during(*alone)[0])], ">= 0.70",
                                  harness.per_second)
                yield harness.row(f"time of preparation and upgrade {of}",
                                  [(upgrading[1] - preparing[0], plain)], "<= 2.50", harness.seconds)


BENCHMARKS = {"upgrade": upgrade, "upgrade-online": online}
