"""What the hardware and PostgreSQL leave possible at best"""
import re
import subprocess

import harness
import load
import stores


def openssl_speed():
    """Bytes a second that OpenSSL hashes by SHA-256, in blocks of 1 MB."""
    out = subprocess.run(["openssl", "speed", "-seconds", "2", "-bytes", str(2**20), "-evp", "sha256"],
                         capture_output=True, encoding="utf-8", check=True).stdout
    return float(re.search(r"^sha256\s+([0-9.]+)k", out, re.MULTILINE | re.IGNORECASE).group(1)) * 1000


def floor(bench):
    """content_hash() of 1 MB in memory against `openssl speed`, and copy-small against COPY into a table
    without index, key and trigger
    """
    def megabytes_per_second(value):
        return f"{value / 2**20:.0f} MB/s"

    count = bench.amount(100, 10)
    with stores.database("hashing", stores.EXTENSION) as database, database.session() as session:
        def hashing():
            return count * 2**20 / session.seconds(f"""DO $$
                DECLARE x bytea := convert_to(repeat(md5('x'), 32768), 'UTF8'); hash text; BEGIN
                FOR i IN 1..{count} LOOP hash := content_hash(x); END LOOP; END $$""")
        yield bench.compare("floor: hashing", hashing, openssl_speed, "", megabytes_per_second)

    unindexed = f"""{stores.APPLICATION}; CREATE TABLE bare AS SELECT * FROM sources; DROP TABLE sources;
        ALTER TABLE bare RENAME TO sources"""
    with stores.pair(theirs=unindexed, notebooks=load.NOTEBOOKS) as (ours, theirs):
        own, given = load.small_files(theirs, bench.amount(load.SMALL))
        yield bench.compare("floor: copy-small", load.loader(ours, own, load.OUR_COLUMNS),
                            load.loader(theirs, given, load.THEIR_COLUMNS), "", harness.seconds)


BENCHMARKS = {"floor": floor}
