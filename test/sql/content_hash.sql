-- content_hash() of bytea and text, and content_hash_agg(): the digests of FIPS 180-4. They equal those of sha256()
-- for every way in which PostgreSQL stores a value, also around the borders of the slices (1 MiB) in which a stored
-- value is read, and for content in pieces, however it is divided.
SET client_min_messages = warning;
SET discovery.create_store = off;
CREATE SCHEMA discovery_hash;
CREATE EXTENSION discovery SCHEMA discovery_hash;
SET search_path = discovery_hash;

-- The standard's examples.
SELECT name, content_hash(message) AS of_text, content_hash(message::bytea) = content_hash(message) AS of_bytea_is_same
    FROM (VALUES (1, 'abc', 'abc'), (2, 'empty', ''),
                 (3, '448 bits', 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'),
                 (4, '896 bits', 'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn'
                                 'hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu'),
                 (5, 'a million times a', repeat('a', 1000000))) AS v (number, name, message) ORDER BY number;
SELECT content_hash(NULL::text) IS NULL AS of_null_text, content_hash(NULL::bytea) IS NULL AS of_null_bytea;
-- A literal without a cast is a text; char(n) loses its padding, as in every cast to text.
SELECT content_hash('\x616263') = content_hash('abc') AS literal_is_bytea,
       content_hash('\x616263'::bytea) = content_hash('abc') AS bytea_is_bytea,
       content_hash('abc'::char(10)) = content_hash('abc') AS of_char,
       content_hash('abc'::varchar(10)) = content_hash('abc') AS of_varchar,
       content_hash('abc'::name) = content_hash('abc') AS of_name, pg_typeof(content_hash('abc')) AS type;
-- Every byte, and every length across the blocks of SHA-256 and their padding.
SELECT bool_and(content_hash(bytes) = encode(sha256(bytes), 'hex')) AS same, count(*)
    FROM generate_series(0, 200) AS length,
        LATERAL (SELECT coalesce(string_agg(set_byte('\x00', 0, (i * 7 + length) % 256), ''), '')
                 FROM generate_series(1, length) AS i) AS v (bytes);

-- The callers of the functions rely on these flags.
SELECT proname, provolatile AS volatility, proisstrict AS strict, proparallel AS parallel, prokind AS kind
    FROM pg_proc WHERE pronamespace = 'discovery_hash'::regnamespace AND proname LIKE 'content\_hash%'
    ORDER BY proname, proargtypes;
-- The functions of which the aggregate consists cannot be called directly. The error differs between
-- minor versions of PostgreSQL.
CREATE FUNCTION pg_temp.is_refused() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM content_hash_final(NULL);
    RETURN false;
EXCEPTION WHEN undefined_function OR feature_not_supported THEN
    RETURN true;
END $$;
SELECT pg_temp.is_refused();

--
-- Stored values. The content is not periodic, so that a lost, repeated or moved slice changes the digest.
--
CREATE TABLE stored (size integer, external bytea, external_text text, extended bytea, lz4 bytea, main bytea,
                     kept_short text);
ALTER TABLE stored ALTER external SET STORAGE EXTERNAL, ALTER external_text SET STORAGE EXTERNAL,
    ALTER main SET STORAGE MAIN;
-- If the server has no lz4, pglz is tested twice.
DO $$
BEGIN
    ALTER TABLE stored ALTER lz4 SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
WITH content AS (SELECT string_agg(to_char(i, 'FM0000000'), '' ORDER BY i) AS whole
                 FROM generate_series(1, 300000) AS i),
     sized AS (SELECT size, left(whole, size) AS content
               FROM content, unnest('{0, 1, 100, 2000, 2500, 9000, 1048575, 1048576, 1048577, 2097151, 2097152,
                                      2097153}'::integer[]) AS size)
INSERT INTO stored
    SELECT size, content::bytea, content, content::bytea, content::bytea, content::bytea, left(content, 100) FROM sized;
-- The values are stored as this test intends.
SELECT count(*) FILTER (WHERE pg_column_size(external) >= size AND pg_column_compression(external) IS NULL) AS external,
       count(*) FILTER (WHERE pg_column_compression(extended) IS NOT NULL) AS compressed,
       count(*) FILTER (WHERE pg_column_compression(main) IS NOT NULL) AS main
    FROM stored;
SELECT size, content_hash(external) = digest AS external, content_hash(external_text) = digest AS external_text,
       content_hash(extended) = digest AS extended, content_hash(lz4) = digest AS lz4,
       content_hash(main) = digest AS main,
       content_hash(kept_short) = encode(sha256(kept_short::bytea), 'hex') AS short,
       content_hash(substr(external, 2)) = encode(sha256(substr(external, 2)), 'hex') AS in_memory
    FROM stored, LATERAL (SELECT encode(sha256(external), 'hex') AS digest) AS v ORDER BY size;
-- With STORAGE PLAIN a value must fit a page, and even a short value has a header of four bytes.
CREATE TABLE plain (bytes bytea, content text);
ALTER TABLE plain ALTER bytes SET STORAGE PLAIN, ALTER content SET STORAGE PLAIN;
INSERT INTO plain SELECT external, external_text FROM stored WHERE size IN (0, 1, 100, 2500);
SELECT bool_and(content_hash(bytes) = encode(sha256(bytes), 'hex') AND content_hash(content) = content_hash(bytes))
           AS same, count(*)
    FROM plain;
-- A character of several bytes across a border; values inside an array, and inside a row that is itself toasted.
SELECT bool_and(content_hash(content) = encode(sha256(convert_to(content, 'UTF8')), 'hex')) AS same
    FROM (SELECT repeat('x', n) || repeat(U&'\20AC', 700000) AS content FROM generate_series(0, 2) AS n) AS v;
SELECT bool_and(content_hash(values_of[1]) = encode(sha256(external), 'hex') AND
                content_hash((whole).external) = encode(sha256(external), 'hex')) AS same
    FROM (SELECT external, ARRAY[external] AS values_of, stored AS whole FROM stored) AS v;

--
-- The aggregate
--
-- All 128 ways to cut eight bytes: bit i of the number says whether there is a cut after byte i.
WITH message AS (SELECT '\x0061ff80c3285c27'::bytea AS whole),
     pieces AS (SELECT cuts, piece, string_agg(substr(whole, byte + 1, 1), '' ORDER BY byte) AS bytes
                    FROM message, generate_series(0, 127) AS cuts, generate_series(0, 7) AS byte,
                         LATERAL (SELECT bit_count((cuts & ((1 << byte) - 1))::bit(8)) AS piece) AS v
                    GROUP BY cuts, piece),
     digests AS (SELECT cuts, count(*) AS pieces, content_hash_agg(bytes ORDER BY piece) AS digest
                 FROM pieces GROUP BY cuts)
SELECT count(*) AS ways, sum(pieces) AS pieces, bool_and(digest = (SELECT content_hash(whole) FROM message)) AS same
    FROM digests;
-- ORDER BY matters, in both directions; an empty piece adds nothing, nor does NULL.
SELECT content_hash_agg(piece ORDER BY n) = content_hash('abc') AS up,
       content_hash_agg(piece ORDER BY n DESC) = content_hash('cba') AS down,
       content_hash_agg(piece ORDER BY n) FILTER (WHERE n <> 2) = content_hash('ac') AS filtered,
       content_hash_agg(DISTINCT piece ORDER BY piece) = content_hash('abc') AS different
    FROM (VALUES (3, 'c'::bytea), (1, 'a'), (2, 'b')) AS v (n, piece);
SELECT content_hash_agg(piece ORDER BY n) = content_hash('ab') AS with_nulls_and_empty
    FROM (VALUES (1, NULL), (2, 'a'::bytea), (3, NULL), (4, ''), (5, 'b'), (6, NULL)) AS v (n, piece);
-- The hash of no content is NULL, not the hash of empty content.
SELECT content_hash_agg(piece) IS NULL AS no_rows FROM stored, LATERAL (SELECT external) AS v (piece) WHERE size < 0;
SELECT content_hash_agg(NULL) IS NULL AS only_nulls, content_hash_agg('') = content_hash('') AS only_empty
    FROM generate_series(1, 3);
SELECT content_hash_agg('abc') FILTER (WHERE false) IS NULL AS all_filtered;
-- Pieces that are stored out of line.
SELECT content_hash_agg(external ORDER BY size) = content_hash(string_agg(external, '' ORDER BY size)) AS same
    FROM stored;

-- Groups, sorted and hashed, also when they do not fit into memory.
CREATE TABLE pieces AS
    SELECT document, n, (document * n)::text::bytea AS piece
    FROM generate_series(1, 3000) AS document, generate_series(1, 3) AS n;
ANALYZE pieces;
SET work_mem = '64kB';
SET enable_hashagg = off;
SELECT count(*) AS groups, bool_and(digest = content_hash(whole)) AS same
    FROM (SELECT content_hash_agg(piece ORDER BY n) AS digest, string_agg(piece, '' ORDER BY n) AS whole
          FROM pieces GROUP BY document) AS v;
RESET enable_hashagg;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT document, content_hash_agg(piece) FROM pieces WHERE n = 2 GROUP BY document;
SELECT count(*) AS groups, bool_and(digest = content_hash((2 * document)::text)) AS same
    FROM (SELECT document, content_hash_agg(piece) AS digest FROM pieces WHERE n = 2 GROUP BY document) AS v;
RESET enable_sort;
RESET work_mem;
SELECT document,
       content_hash_agg(piece ORDER BY document, n) = content_hash(string_agg(piece, '' ORDER BY document, n)) AS same
    FROM pieces WHERE document <= 2 GROUP BY ROLLUP (document) ORDER BY document;
-- Once for each row of an outer query.
SELECT bool_and(digest = content_hash(d::text || 2 * d || 3 * d)) AS same
    FROM generate_series(1, 20) AS d,
        LATERAL (SELECT content_hash_agg(piece ORDER BY n) AS digest FROM pieces WHERE document = d OFFSET 0) AS v;
-- A finished digest cannot be continued, so the aggregate cannot run over a growing window.
SELECT content_hash_agg(piece) OVER (ORDER BY n) FROM pieces;
\echo :SQLSTATE
-- Stopped half way: by a cursor, and by an error between two pieces.
BEGIN;
DECLARE digests CURSOR FOR
    SELECT document, content_hash_agg(piece ORDER BY n) = content_hash(string_agg(piece, '' ORDER BY n)) AS same
    FROM pieces GROUP BY document ORDER BY document;
FETCH 2 FROM digests;
CLOSE digests;
COMMIT;
SELECT content_hash_agg(decode(repeat('0', n - 2), 'hex')) FROM pieces WHERE document = 1;
\echo :SQLSTATE
SELECT content_hash_agg('abc') = content_hash('abc') AS works_again;

--
-- In an index, a generated column, and parallel workers
--
CREATE TABLE documents (id integer, content text, hash text GENERATED ALWAYS AS (content_hash(content)) STORED);
INSERT INTO documents SELECT n, 'document ' || n FROM generate_series(1, 1000) AS n;
CREATE UNIQUE INDEX documents_hash ON documents (content_hash(content));
ANALYZE documents;
EXPLAIN (COSTS OFF) SELECT id FROM documents WHERE content_hash(content) = content_hash('document 7');
SELECT id, hash = content_hash(content) AS generated
    FROM documents WHERE content_hash(content) = content_hash('document 7');
INSERT INTO documents VALUES (1001, 'document 7');
\echo :SQLSTATE
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*) FROM documents WHERE content_hash(content || '') = hash;

DROP SCHEMA discovery_hash CASCADE;
