-- The hash of a text is that of its UTF-8 bytes, whatever the encoding of the database, so that it equals the hash of
-- the file; in SQL_ASCII, which is no encoding, it is that of the bytes as they are. Long texts are converted in
-- slices of 1 MiB, and no slice may split a character. This file is ASCII, so that the client's encoding does not
-- matter.
SET client_min_messages = warning;
CREATE DATABASE regress_discovery_latin1
    ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0;
CREATE DATABASE regress_discovery_eucjp
    ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0;
CREATE DATABASE regress_discovery_ascii
    ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0;
\set current :DBNAME

\c regress_discovery_latin1
SET client_min_messages = warning;
CREATE EXTENSION discovery;
SELECT state FROM discovery_status();
-- e with an acute accent is one byte here and two in UTF-8.
SELECT octet_length(chr(233)) AS bytes, content_hash(chr(233)) = encode(sha256('\xc3a9'), 'hex') AS of_utf8,
       content_hash('') = encode(sha256(''), 'hex') AS of_empty;
SELECT bool_and(content_hash(character) = encode(sha256(convert_to(character, 'UTF8')), 'hex')) AS every_character
    FROM generate_series(1, 255) AS i, chr(i) AS character;
-- A bytea is not a text and is not converted.
SELECT content_hash('\xe9'::bytea) = encode(sha256('\xe9'), 'hex') AS of_bytea;
CREATE TABLE stored (external text, compressed text);
ALTER TABLE stored ALTER external SET STORAGE EXTERNAL;
WITH content AS (SELECT string_agg(chr(32 + i % 1009 * i % 224), '') AS whole FROM generate_series(1, 700000) AS i)
INSERT INTO stored
    SELECT left(repeat(whole, 3), size), left(repeat(whole, 3), size)
    FROM content, unnest('{1, 3000, 1048575, 1048576, 1048577, 2097152, 2097153}'::integer[]) AS size;
SELECT length(external) AS size,
       content_hash(external) = encode(sha256(convert_to(external, 'UTF8')), 'hex') AS external,
       content_hash(compressed) = content_hash(external) AS compressed,
       content_hash(external || '') = content_hash(external) AS in_memory
    FROM stored ORDER BY size;
-- A store in a schema whose name is neither ASCII nor UTF-8.
DO $$ BEGIN EXECUTE format('CREATE SCHEMA %I', 'caf' || chr(233)); END $$;
SELECT discovery_create_store(('caf' || chr(233))::name) = discovery_version() AS as_the_other;
SELECT count(*) AS differences
    FROM (SELECT discovery_shape(('caf' || chr(233))::name) EXCEPT SELECT discovery_shape('public')) AS v;

\c regress_discovery_eucjp
SET client_min_messages = warning;
CREATE EXTENSION discovery;
SELECT state FROM discovery_status();
-- Characters of 1, 2 (hiragana, half-width katakana) and 3 bytes (JIS X 0212), at each place relative to the border.
SELECT octet_length(character) AS bytes, content_hash(character) = encode(sha256(utf8), 'hex') AS of_utf8
    FROM (VALUES ('a', '\x61'::bytea), (convert_from('\xa4a2', 'EUC_JP'), '\xe38182'),
                 (convert_from('\x8eb1', 'EUC_JP'), '\xefbdb1'),
                 (convert_from('\x8fb0a1', 'EUC_JP'), '\xe4b882')) AS v (character, utf8);
CREATE TABLE stored (number integer, external text, compressed text);
ALTER TABLE stored ALTER external SET STORAGE EXTERNAL;
INSERT INTO stored SELECT number, content, content FROM generate_series(0, 5) AS number,
    LATERAL (SELECT repeat('x', number) || repeat(convert_from('\xa4a28fb0a18eb161a4a4', 'EUC_JP'), 220000)
                 AS content) AS v;
SELECT number, octet_length(external) > 2 * 1048576 AS is_long,
       content_hash(external) = encode(sha256(convert_to(external, 'UTF8')), 'hex') AS external,
       content_hash(compressed) = content_hash(external) AS compressed,
       content_hash(external || '') = content_hash(external) AS in_memory
    FROM stored ORDER BY number;
-- Characters of three bytes only, and the end of the text at the border.
SELECT number, content_hash(content) = encode(sha256(convert_to(content, 'UTF8')), 'hex') AS same
    FROM generate_series(0, 3) AS number,
        LATERAL (SELECT repeat('x', number) || repeat(convert_from('\x8fb0a1', 'EUC_JP'), 349525) AS content) AS v;
-- A character that is not in Unicode has no hash: the call raises an error.
SELECT content_hash(convert_from('\xfdfe', 'EUC_JP'));
\echo :SQLSTATE

\c regress_discovery_ascii
SET client_min_messages = warning;
CREATE EXTENSION discovery;
SELECT state FROM discovery_status();
SELECT content_hash(convert_from('\xff80c3e9', 'SQL_ASCII')) = encode(sha256('\xff80c3e9'), 'hex') AS as_they_are,
       content_hash('') = encode(sha256(''), 'hex') AS of_empty;
CREATE TABLE stored (number integer, external text);
ALTER TABLE stored ALTER external SET STORAGE EXTERNAL;
INSERT INTO stored
    SELECT number, repeat('x', number) || repeat(convert_from('\xc3a9ff80e9', 'SQL_ASCII'), 420000)
    FROM generate_series(0, 1) AS number;
SELECT number, content_hash(external) = content_hash(convert_to(external, 'SQL_ASCII')) AS external,
       content_hash(external || '') = content_hash(external) AS in_memory,
       content_hash(external) = encode(sha256(convert_to(external, 'SQL_ASCII')), 'hex') AS as_they_are
    FROM stored ORDER BY number;

\c :current
DROP DATABASE regress_discovery_latin1;
DROP DATABASE regress_discovery_eucjp;
DROP DATABASE regress_discovery_ascii;
