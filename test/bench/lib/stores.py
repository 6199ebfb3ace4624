"""The two sides of a comparison: a database with a store of this extension, and one with the application's schema
alone.
"""
import contextlib
import os
import pathlib
import re
import subprocess
import tempfile

import harness

TOP = pathlib.Path(__file__).resolve().parents[3]
EXTENSION = "CREATE EXTENSION discovery"
# What Alembic makes, without its rows
APPLICATION = (TOP / "test/sql/include/alembic_tables.sql").read_text() + "TRUNCATE notebooks, sources"

# Where the server reads and we write
FILES = pathlib.Path(tempfile.gettempdir())

# SQL of the id of notebook `n`, and of the text (1 KB) and the hash of source `n`
NOTEBOOK = "('00000000-0000-4000-8000-' || lpad(({n})::text, 12, '0'))::uuid"
TEXT = "repeat(md5(({n})::text), 32)"
HASH = "encode(sha256(convert_to(repeat(md5(({n})::text), 32), 'UTF8')), 'hex')"


class Database:
    def __init__(self, name):
        self.name = name

    def session(self, settings=()):
        return harness.Session(self.name, settings)

    def run(self, sql):
        with self.session() as session:
            return session.run(sql)

    def seconds(self, sql):
        with self.session() as session:
            return session.seconds(sql)

    def settle(self):
        """Leaves nothing to autovacuum or the checkpointer that would run during the measurement."""
        self.run("VACUUM (ANALYZE)")
        self.run("CHECKPOINT")

    def notebooks(self, count):
        self.run(f"""INSERT INTO notebooks (id, name)
            SELECT {NOTEBOOK.format(n='n')}, 'Notebook ' || n FROM generate_series(1, {count}) n""")

    def sources(self, first, last, notebook, deleted="NULL"):
        """Sources first..last, a second older than the next; `notebook` and `deleted` are SQL of n."""
        # Ids as each side has them: by the store's default, or random, from the client.
        column, value = ("", "") if self.makes_ids else ("id, ", "gen_random_uuid(), ")
        self.run(f"""INSERT INTO sources ({column}notebook_id, name, source_type, content_hash, extracted_text,
                                          created_at, updated_at, deleted_at)
            SELECT {value}{NOTEBOOK.format(n=notebook)}, 'Source ' || n, 'text',
                   {HASH.format(n='n')}, {TEXT.format(n='n')},
                   timestamp '2025-01-01' + n * interval '1 second',
                   timestamp '2025-01-01' + n * interval '1 second', {deleted}
            FROM generate_series({first}, {last}) n""")

    @property
    def makes_ids(self):
        return self.run("""SELECT atthasdef FROM pg_attribute
            WHERE attrelid = 'sources'::regclass AND attname = 'id'""") == "t"

    def pgbench(self, script, clients=1, seconds=5, mode="prepared", options=""):
        """Transactions per second of the script, by that many clients; `options` as for PGOPTIONS."""
        return self.transactions(script, clients, seconds, mode, options)[0]

    def transactions(self, script, clients=1, seconds=5, mode="prepared", options=""):
        """Those per second that succeed, and how many succeed and fail (as pgbench sees it: in deadlocks)."""
        printed = self._pgbench(script, clients, seconds, mode, options)
        return (float(re.search(r"^tps = ([0-9.]+)", printed, re.MULTILINE).group(1)),
                int(re.search(r"^number of transactions actually processed: (\d+)", printed, re.MULTILINE).group(1)),
                int(re.search(r"^number of failed transactions: (\d+)", printed, re.MULTILINE).group(1)))

    def latency(self, script, seconds=3, mode="prepared"):
        """Seconds that one client waits for the script's last statement."""
        last = self._pgbench(script, 1, seconds, mode, "", "-r").rstrip().splitlines()[-1]
        return float(last.split()[0]) / 1000

    def _pgbench(self, script, clients, seconds, mode, options, *more):
        path = FILES / "pgbench.sql"
        path.write_text(script)
        program = pathlib.Path(os.environ["PSQL"]).with_name("pgbench")
        threads = str(min(clients, os.cpu_count()))
        result = subprocess.run([program, "-n", "-M", mode, "-c", str(clients), "-j", threads, "-T", str(seconds),
                                 "-f", path, *more, self.name], env={**os.environ, "PGOPTIONS": options},
                                capture_output=True, encoding="utf-8", check=False)
        if result.returncode:
            raise RuntimeError(result.stdout + result.stderr)
        return result.stdout


@contextlib.contextmanager
def database(name, sql=None, template="template0"):
    """A new database, in which `sql` was run; dropped at the end."""
    with harness.Session() as session:
        session.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    try:
        made = Database(name)
        if sql:
            made.run(sql)
        yield made
    finally:
        with harness.Session() as session:
            session.run(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextlib.contextmanager
def pair(ours=EXTENSION, theirs=APPLICATION, notebooks=0, sources=0):
    """The two sides, with that many notebooks, and sources 1..`sources` spread over them."""
    with database("ours", ours) as a, database("theirs", theirs) as b:
        for side in (a, b):
            side.notebooks(notebooks)
            side.sources(1, sources, notebook=f"n % {max(notebooks, 1)} + 1")
        yield a, b


def rate(bench, name, ours, theirs, scripts, goal, **options):
    """A row of throughputs: pgbench runs the two scripts in turn, on tables that are vacuumed before each run."""
    def measured(side, script):
        side.settle()
        return side.pgbench(script, seconds=min(5, bench.amount(5)), **options)
    return bench.compare(name, lambda: measured(ours, scripts[0]), lambda: measured(theirs, scripts[1]), goal,
                         harness.per_second)


def latency(bench, name, ours, theirs, script, goal, **options):
    """A row of the seconds that one client waits for the script's last statement."""
    for side in (ours, theirs):
        side.settle()
    options["seconds"] = min(3, bench.amount(3))
    return bench.compare(name, lambda: ours.latency(script, **options), lambda: theirs.latency(script, **options), goal,
                         harness.seconds)
