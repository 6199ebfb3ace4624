"""What it costs to have the tenants' stores on several servers: Citus against one PostgreSQL"""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess

import harness
import stores

BIN = pathlib.Path(os.environ.get("PSQL", "psql")).parent
SETTINGS = ["listen_addresses = 'localhost'", "unix_socket_directories = ''", "max_connections = 200",
            "shared_buffers = 256MB", "wal_level = logical", "max_prepared_transactions = 200"]
CITUS = ["shared_preload_libraries = 'citus'", "citus.enable_unsafe_triggers = on"]
NOTEBOOKS, SOURCES = 10, 1000  # of each tenant
TENANT = """\\set tenant random(1, {tenants})
\\set notebook random(1, %d)
\\set n random(1, 1000000000000)
SET search_path = tenant_:tenant, public;
""" % NOTEBOOKS
ADD = TENANT + f"""SELECT id, outcome FROM add_source({stores.NOTEBOOK.format(n=':notebook')}, 'Source ' || :n, 'text',
    extracted_text => {stores.TEXT.format(n=':n')});
"""
NEWEST = TENANT + f"""SELECT id, name, created_at FROM live_sources
    WHERE notebook_id = {stores.NOTEBOOK.format(n=':notebook')} ORDER BY created_at DESC LIMIT 20;
"""


def free_port():
    with socket.socket() as held:
        held.bind(("localhost", 0))
        return held.getsockname()[1]


@contextlib.contextmanager
def server(name, settings):
    """A server of its own, with an empty database. Citus connects by TCP only."""
    folder, port = stores.FILES / name, free_port()
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([BIN / "initdb", "-D", folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], **quiet)
    with open(folder / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write("\n".join(["", f"port = {port}", *settings, ""]))
    subprocess.run([BIN / "pg_ctl", "start", "-w", "-D", folder, "-l", stores.FILES / (name + ".log")], **quiet)
    try:
        address = f"host=localhost port={port} user=postgres dbname="
        stores.Database(address + "postgres").run("CREATE DATABASE bench")
        yield stores.Database(address + "bench"), port
    finally:
        subprocess.run([BIN / "pg_ctl", "stop", "-m", "immediate", "-D", folder], **quiet)
        shutil.rmtree(folder)


def fill(side, tenants, arguments):
    side.run("SET discovery.create_store = off; CREATE EXTENSION discovery")
    for number in range(1, tenants + 1):
        with side.session() as session:
            if not arguments:
                session.run(f"CREATE SCHEMA tenant_{number}")
            session.run(f"SELECT discovery_create_store('tenant_{number}'{arguments})")
            session.run(f"SET search_path = tenant_{number}, public")
            session.run(f"""INSERT INTO notebooks (id, name)
                SELECT {stores.NOTEBOOK.format(n='n')}, n FROM generate_series(1, {NOTEBOOKS}) n""")
            session.run(f"""INSERT INTO sources (notebook_id, name, source_type, extracted_text)
                SELECT {stores.NOTEBOOK.format(n=f'n % {NOTEBOOKS} + 1')}, n, 'text', {stores.TEXT.format(n='n')}
                FROM generate_series(1, {SOURCES}) n""")
    side.run("ANALYZE")


@contextlib.contextmanager
def citus(workers, tenants):
    with contextlib.ExitStack() as stack:
        coordinator, port = stack.enter_context(server("coordinator", SETTINGS + CITUS))
        coordinator.run("CREATE EXTENSION citus")
        coordinator.run(f"SELECT citus_set_coordinator_host('localhost', {port})")
        for number in range(workers):
            worker, port = stack.enter_context(server(f"worker{number}", SETTINGS + CITUS))
            worker.run("CREATE EXTENSION citus")
            coordinator.run(f"SELECT citus_add_node('localhost', {port})")
        fill(coordinator, tenants, ", distributed => true")
        yield coordinator


def scale_out(bench):
    """64 tenants, each with a store of 1,000 sources, on a coordinator of Citus and 1, 2 and 4 workers, against
    the same on one PostgreSQL

    All servers share the cores of one machine, so several of them cannot be faster. What the table shows is what
    the way through the coordinator costs: in throughput with 8 clients, and in the time that one client waits.
    """
    sharedir = subprocess.run([BIN / "pg_config", "--sharedir"], capture_output=True, encoding="utf-8", check=True)
    if not (pathlib.Path(sharedir.stdout.strip()) / "extension/citus.control").exists():
        raise harness.Skipped("Citus is not installed")
    tenants = bench.amount(64, 4)
    with server("one", SETTINGS) as (one, _):
        fill(one, tenants, "")
        for workers in (1, 2, 4):
            with citus(workers, tenants) as several:
                for what, script in (("add_source()", ADD), ("newest sources", NEWEST)):
                    script = script.replace("{tenants}", str(tenants))
                    where = f"{workers} worker" + ("s" if workers > 1 else "")
                    yield stores.rate(bench, f"{what}, {where}, 8 clients", several, one, [script] * 2, "",
                                      clients=8, mode="simple")
                    if workers == 2:
                        yield stores.latency(bench, f"{what}, 2 workers, one client: time", several, one, script, "",
                                             mode="simple")


BENCHMARKS = {"scale-out": scale_out}
