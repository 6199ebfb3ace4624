"""content_hash(x) against encode(sha256(x), 'hex'), which for a text is encode(sha256(convert_to(x, 'UTF8')), 'hex')

The values are stored in each way that PostgreSQL has, or are in memory; from the largest the backend's peak memory is
measured too.
"""
import harness
import stores

# What there is to hash with; a text has to be made bytes first.
OURS = "content_hash(x)"
THEIRS = {"bytea": "encode(sha256(x), 'hex')", "text": "encode(sha256(convert_to(x, 'UTF8')), 'hex')"}

STORAGE = {
    "plain": "ALTER COLUMN x SET STORAGE PLAIN",
    "pglz": "ALTER COLUMN x SET STORAGE EXTENDED, ALTER COLUMN x SET COMPRESSION pglz",
    "lz4": "ALTER COLUMN x SET STORAGE EXTENDED, ALTER COLUMN x SET COMPRESSION lz4",
    "external": "ALTER COLUMN x SET STORAGE EXTERNAL",
}

# Text that compresses about as documents do: to a half, and without a repetition near enough (64 KB) for pglz or lz4 to
# see.
BLOCK = """SELECT string_agg(md5(n::text) || ' of the notebook and its sources' || chr(10), '')
    FROM generate_series(1, 4000) n"""

# name, bytes, number of values at scale 1, the ways to store them
SIZES = [
    ("64 B", 64, 200_000, ["plain"]),
    ("4 KB", 4096, 12_500, ["plain", "external", "pglz", "lz4"]),
    ("1 MB", 2**20, 50, ["memory", "external", "pglz", "lz4"]),
]
LARGE = 400 * 2**20


def has_lz4(session):
    return session.run("SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'") == "t"


def fill(session, kind, storage, size, count):
    """Makes the table `value` with `count` different values of the size."""
    session.run("DROP TABLE IF EXISTS value")
    session.run(f"CREATE TABLE value (x {kind} NOT NULL)")
    session.run(f"ALTER TABLE value {STORAGE[storage]}")
    text = f"left(md5(i::text) || repeat(block, {size} / length(block) + 1), {size})"
    value = text if kind == "text" else f"convert_to({text}, 'UTF8')"
    session.run(f"INSERT INTO value SELECT {value} FROM ({BLOCK}) b(block), generate_series(1, {count}) i")
    session.run("VACUUM ANALYZE value")
    session.run("CHECKPOINT")  # not while something is measured


def statement(kind, expression, in_memory, count):
    if not in_memory:
        return f"SELECT count({expression}) FROM value"
    # A variable's value is in memory, whole and uncompressed.
    return f"""DO $$ DECLARE x {kind}; hash text; BEGIN
               SELECT v.x INTO x FROM value v LIMIT 1;
               FOR i IN 1..{count} LOOP hash := {expression}; END LOOP; END $$"""


def measure(bench, database, session, kind, name, size, count, way, rounds):
    in_memory = way == "memory"
    fill(session, kind, "external" if in_memory else way, size, count)
    same = session.run(f"SELECT bool_and({OURS} = {THEIRS[kind]}) FROM value")
    assert same == "t", f"another hash than sha256() for {kind}, {name}, {way}"
    ours, theirs = (statement(kind, expression, in_memory, max(count, 2)) for expression in (OURS, THEIRS[kind]))
    title = f"{kind}, {name}, {way}"
    yield bench.speed(title, lambda: session.seconds(ours), lambda: session.seconds(theirs), ">= 1.00", rounds)
    if size < LARGE // 4:
        return
    # In a fresh backend, whose heap has no room left over from before.
    peaks = []
    for sql in (ours, theirs):
        with database.session() as fresh:
            peaks.append(fresh.peak_memory(sql))
    # Tables of the allocator and the like: a tenth of a megabyte is no more memory.
    noise = 2**20
    if way == "external":
        yield bench.once(f"{title}: memory / 16 MB", peaks[0], 16 * 2**20, "<= 1.00", harness.megabytes)
    yield bench.once(f"{title}: peak memory", max(0, peaks[0] - noise), peaks[1],
                     "<= 0.60" if kind == "text" and not in_memory else "<= 1.00", harness.megabytes)


def hashing(bench):
    """content_hash() against sha256(), by size and storage: time, and peak memory of the backend.
    For times, a ratio above 1 means that content_hash() is faster
    """
    with stores.database("hashing") as database, database.session() as session:
        session.run("CREATE EXTENSION discovery")
        lz4 = has_lz4(session)
        for kind in THEIRS:
            for name, size, count, ways in SIZES:
                for way in ways:
                    if way != "lz4" or lz4:
                        yield from measure(bench, database, session, kind, name, size, bench.amount(count, 5), way, 7)
            # One value, of the size itself: a smaller one shows nothing new.
            size = min(LARGE, bench.amount(LARGE, 2**20))
            for way in ["memory", "external", "pglz", "lz4"]:
                if way != "lz4" or lz4:
                    yield from measure(bench, database, session, kind, f"{size / 2**20:.0f} MB", size, 1, way, 5)


BENCHMARKS = {"hash": hashing}
