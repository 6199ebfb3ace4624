"""Loading many sources at once: COPY, the way for loads with duplicates, and the bytes they take on disk"""
import os
import pathlib
import random

import harness
import stores

# What the application sends: ids, hashes and timestamps are its own. The store makes them itself.
THEIR_COLUMNS = ("id, notebook_id, name, source_type, content_hash, extracted_text, source_metadata, created_at,"
                 " updated_at")
OUR_COLUMNS = "notebook_id, name, source_type, extracted_text, source_metadata"

SMALL, NOTEBOOKS = 200_000, 1000
DOCUMENTS, DOCUMENT_SIZE = 4000, 50_000


def write_files(session, name, notebook, title, text, rows):
    """Writes the two sides' files for COPY of the sources that `rows`, a FROM item with a column n, has; returns their
    paths."""
    session.run(f"""CREATE TEMP TABLE loaded AS
        SELECT gen_random_uuid() AS id, {stores.NOTEBOOK.format(n=notebook)} AS notebook_id,
               '{title} ' || n AS name, 'text' AS source_type,
               encode(sha256(convert_to({text}, 'UTF8')), 'hex') AS content_hash, {text} AS extracted_text,
               '{{"page": 1}}'::json AS source_metadata,
               timezone('UTC', now()) AS created_at, timezone('UTC', now()) AS updated_at
        FROM {rows}""")
    paths = []
    for columns in (OUR_COLUMNS, THEIR_COLUMNS):
        paths.append(stores.FILES / f"{name}-{len(paths)}.copy")
        session.run(f"COPY (SELECT {columns} FROM loaded) TO '{paths[-1]}'")
    return paths


def small_files(side, count, different=None, notebooks=NOTEBOOKS, first=1):
    """write_files() of `count` sources of 1 KB, of which `different` are no duplicates."""
    n = f"(n % {different or count} + {first})"
    with side.session() as session:
        return write_files(session, "small", f"{n} % {notebooks} + 1", "Source", stores.TEXT.format(n=n),
                           f"generate_series(1, {count}) n")


def real_texts():
    """Documents and program texts of this system, one after the other, until there are enough different ones."""
    wanted, texts = 64 * 2**20, []
    for folder in ("/usr/share/doc", "/usr/share/perl", "/usr/share/common-licenses", "/usr/lib/python3",
                   "/usr/lib/python3.11", "/usr/include"):
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and path.stat().st_size > 2000:
                try:
                    texts.append(path.read_text(encoding="utf-8"))
                except (UnicodeDecodeError, PermissionError):
                    continue
                if "\0" in texts[-1]:
                    texts.pop()
                elif (wanted := wanted - len(texts[-1])) < 0:
                    return "".join(texts)
    return "".join(texts)


def document_files(side, count):
    """write_files() of `count` documents, each a piece of 50 KB from somewhere in the real texts."""
    with side.session() as session:
        text, chance = real_texts(), random.Random(1)
        escaped = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
        raw = stores.FILES / "texts.copy"
        with open(raw, "w", encoding="utf-8") as file:
            for _ in range(count):
                start = chance.randrange(len(text) - DOCUMENT_SIZE)
                file.write(text[start:start + DOCUMENT_SIZE].translate(escaped) + "\n")
        session.run("CREATE TEMP TABLE texts (n serial, body text)")
        session.run(f"COPY texts (body) FROM '{raw}'")
        os.remove(raw)
        return write_files(session, "documents", f"n % {NOTEBOOKS} + 1", "Document", "body", "texts")


def loader(side, path, columns):
    """A function that empties the table, loads the file and returns the seconds of the loading."""
    def load():
        side.run("TRUNCATE sources")
        side.settle()
        return side.seconds(f"COPY sources ({columns}) FROM '{path}'")
    return load


def same_rows(ours, theirs):
    """What is compared is the same work: as many rows, of the same hashes."""
    sql = "SELECT count(*), md5(string_agg(content_hash, '' ORDER BY content_hash COLLATE \"C\")) FROM sources"
    assert ours.run(sql) == theirs.run(sql), "the two sides have different sources"


def copy_small(bench):
    """COPY of 200,000 sources of 1 KB into 1,000 notebooks. The store computes ids and hashes, and
    maintains uniqueness, counts and the log

    On the other side, the client provides ids and hashes, and computing them is not measured. In the
    second row, the client provides them to the store as well. Random ids (version 4) cost every index
    more than ids in time order
    """
    with stores.pair(notebooks=NOTEBOOKS) as (ours, theirs):
        own, given = small_files(theirs, bench.amount(SMALL))
        other = loader(theirs, given, THEIR_COLUMNS)
        yield bench.compare("copy-small", loader(ours, own, OUR_COLUMNS), other, "<= 0.90", harness.seconds, 7)
        same_rows(ours, theirs)
        yield bench.compare("copy-small, ids and hashes of the client", loader(ours, given, THEIR_COLUMNS), other, "",
                            harness.seconds)


def copy_documents(bench):
    """COPY of 4,000 real texts of 50 KB. The store hashes them in the database; on the other side, the
    client provides the hashes

    With lz4 on both sides, the difference is the cost of the hashing and of the triggers
    """
    with stores.pair(notebooks=NOTEBOOKS) as (ours, theirs):
        own, given = document_files(theirs, bench.amount(DOCUMENTS))
        sides = loader(ours, own, OUR_COLUMNS), loader(theirs, given, THEIR_COLUMNS)
        yield bench.compare("copy-documents", *sides, "<= 0.43", harness.seconds)
        same_rows(ours, theirs)
        theirs.run("ALTER TABLE sources ALTER COLUMN extracted_text SET COMPRESSION lz4")
        yield bench.compare("copy-documents, both with lz4", *sides, "", harness.seconds)


def dedup_load(bench):
    """200,000 rows, half of them duplicates, through a temporary table with ON CONFLICT DO NOTHING.
    The other side keeps all 200,000
    """
    with stores.pair(notebooks=NOTEBOOKS) as (ours, theirs):
        count = bench.amount(SMALL, 2)
        own, given = small_files(theirs, count, count // 2)

        def load():
            ours.run("TRUNCATE sources")
            ours.settle()
            with ours.session() as session:
                return session.seconds(f"""BEGIN;
                    CREATE TEMP TABLE incoming (LIKE sources) ON COMMIT DROP;
                    ALTER TABLE incoming ALTER id DROP NOT NULL, ALTER content_hash DROP NOT NULL,
                        ALTER created_at DROP NOT NULL, ALTER updated_at DROP NOT NULL;
                    COPY incoming ({OUR_COLUMNS}) FROM '{own}';
                    INSERT INTO sources ({OUR_COLUMNS}) SELECT {OUR_COLUMNS} FROM incoming
                        ORDER BY notebook_id, content_hash(extracted_text)
                        ON CONFLICT DO NOTHING;
                    COMMIT""")
        yield bench.compare("dedup-load", load, loader(theirs, given, THEIR_COLUMNS), "<= 0.80", harness.seconds)
        counted = ours.run("""SELECT count(*), sum(source_count)
            FROM (SELECT source_count FROM notebooks) n, (SELECT count(*) FROM sources) s(all_sources)
            GROUP BY all_sources""")
        assert counted == f"{NOTEBOOKS}|{count // 2}", counted


def size(bench):
    """Disk space of the rows of copy-small and copy-documents: tables (with TOAST) and indexes"""
    for name, files, count in (("copy-small", small_files, SMALL), ("copy-documents", document_files, DOCUMENTS)):
        with stores.pair(notebooks=NOTEBOOKS) as (ours, theirs):
            own, given = files(theirs, bench.amount(count))
            for side, path, columns in ((ours, own, OUR_COLUMNS), (theirs, given, THEIR_COLUMNS)):
                loader(side, path, columns)()
                side.settle()
            for part, function in (("table", "pg_table_size"), ("indexes", "pg_indexes_size"),
                                   ("in all", "pg_total_relation_size")):
                a, b = (int(side.run(f"SELECT {function}('sources')")) for side in (ours, theirs))
                yield bench.once(f"{name}, {part}", a, b, "<= 1.00", harness.megabytes)


BENCHMARKS = {"copy-small": copy_small, "copy-documents": copy_documents, "dedup-load": dedup_load, "size": size}
