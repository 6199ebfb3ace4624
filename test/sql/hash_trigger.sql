-- The trigger that fills content_hash, for every way in which plain SQL writes a source: it computes the hash of url
-- and text sources that come without one, keeps a hash that the client gives, and keeps hash and text consistent.
SET client_min_messages = warning;
CREATE SCHEMA discovery_hash;
CREATE EXTENSION discovery SCHEMA discovery_hash;
SET search_path = discovery_hash;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'notebook');
-- Says in words which hash it is; sha256() is PostgreSQL's own.
CREATE FUNCTION kind(hash text, content text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE hash WHEN '' THEN 'none'
                     WHEN encode(sha256(convert_to(content, 'UTF8')), 'hex') THEN 'of the text'
                     ELSE hash END $$;
CREATE VIEW shown AS
    SELECT name, source_type AS type, extracted_text AS text, kind(content_hash, extracted_text) AS hash
    FROM sources ORDER BY name;
CREATE FUNCTION put(name text, type text, content text, hash text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO sources (notebook_id, name, source_type, extracted_text, content_hash)
        VALUES ('00000000-0000-4000-8000-000000000001', name, type, content, hash) $$;

-- INSERT: NULL and '' mean that there is no hash; any other value that the client gives is kept.
SELECT put('a NULL', 'text', 'a', NULL), put('b empty', 'text', 'b', ''), put('c url', 'url', 'c', ''),
       put('d umlaut', 'text', 'd ä€😀', NULL), put('e space', 'text', ' ', NULL),
       put('f given', 'text', 'f', 'abc123hash');
-- The hash of a file is that of its bytes, which the trigger does not have: it never uses the text.
SELECT put('g file', 'file', 'g', NULL), put('h file', 'file', 'h', ''), put('i file', 'file', 'i', 'ABC123hash');
-- A source without content has no hash, and so is no duplicate.
SELECT put('j nothing', 'text', '', NULL), put('k nothing', 'text', '', ''), put('l nothing', 'url', '', NULL),
       put('m nothing', 'file', '', NULL);
-- The default of extracted_text, and a column list without content_hash.
INSERT INTO sources (notebook_id, name, source_type)
    VALUES ('00000000-0000-4000-8000-000000000001', 'n nothing', 'text');
-- 64 hexadecimal digits become lower case; a value that is no SHA-256 stays unchanged.
SELECT put('o upper', 'file', 'o', repeat('AbCdEf09', 8)), put('p non-hex', 'file', 'p', repeat('G', 64)),
       put('q short', 'file', 'q', repeat('A', 63));
SELECT * FROM shown;

-- The upper-case spelling means the same content.
INSERT INTO sources (notebook_id, name, source_type, content_hash)
    VALUES ('00000000-0000-4000-8000-000000000001', 'duplicate', 'file', repeat('ABCDEF09', 8));
\echo :SQLSTATE
INSERT INTO sources (notebook_id, name, source_type, extracted_text)
    VALUES ('00000000-0000-4000-8000-000000000001', 'duplicate', 'url', 'a');
\echo :SQLSTATE
-- A value that a column refuses raises the column's own error, not one of the trigger.
\set VERBOSITY terse
SELECT put('too long', 'file', '', repeat('a', 65));
\echo :SQLSTATE
SELECT put('no type', NULL, 'x', NULL);
\echo :SQLSTATE
SELECT put('no text', 'text', NULL, NULL);
\echo :SQLSTATE
\set VERBOSITY default
TRUNCATE sources;

-- UPDATE of the text: a hash that was that of the text is computed again.
SELECT put('a', 'text', 'one', NULL), put('b', 'url', 'two', NULL), put('c', 'text', 'three', 'given'),
       put('d', 'file', 'four', 'of bytes'), put('e', 'text', '', NULL), put('f', 'file', 'five', NULL);
UPDATE sources SET extracted_text = extracted_text || ' more';
SELECT * FROM shown;
-- A hash that is given together with the text is kept, in lower case.
UPDATE sources SET extracted_text = 'a new', content_hash = repeat('AB', 32) WHERE name = 'a';
-- A hash that is removed is computed again, except for files.
UPDATE sources SET content_hash = NULL WHERE name IN ('c', 'd');
UPDATE sources SET content_hash = '' WHERE name = 'b';
-- Removing the text removes its hash; a given hash stays.
UPDATE sources SET extracted_text = '' WHERE name = 'e';
UPDATE sources SET extracted_text = '', content_hash = 'given too' WHERE name = 'f';
SELECT * FROM shown;
-- Changes of the other columns do not change the hash.
UPDATE sources SET name = upper(name), url = 'http://x', updated_at = now(), source_metadata = '{"a": 1}';
SELECT * FROM shown;
-- The text is written again unchanged (an ORM writes whole rows): the hash does not change.
UPDATE sources SET (extracted_text, content_hash, name, source_type, url, file_path, file_size, source_metadata,
                    created_at,
                    updated_at, deleted_at, file_type, notebook_id, id)
    = (SELECT extracted_text, content_hash, lower(name), source_type, url, file_path, file_size, source_metadata,
              created_at,
              updated_at, deleted_at, file_type, notebook_id, id FROM sources AS same WHERE same.id = sources.id);
-- An ORM that has the old hash in memory writes it together with a new text: the hash is computed again.
UPDATE sources SET extracted_text = 'b of the session',
                   content_hash = (SELECT content_hash FROM sources WHERE name = 'b')
    WHERE name = 'b';
SELECT * FROM shown;
-- A text without a hash, from version 1.0 or loaded without triggers, gets one with its next text, and not by a
-- change of another column.
SET session_replication_role = replica;
UPDATE sources SET content_hash = '' WHERE name = 'b';
RESET session_replication_role;
UPDATE sources SET url = 'http://y', extracted_text = extracted_text || '' WHERE name = 'b';
SELECT * FROM shown WHERE name = 'b';
UPDATE sources SET extracted_text = 'b of another', content_hash = NULL WHERE name = 'b';
SELECT * FROM shown WHERE name = 'b';
UPDATE sources SET extracted_text = 'b of the session' WHERE name = 'b';

-- The same if the UPDATE also restores the source: the hash follows the text.
UPDATE sources SET deleted_at = now() WHERE name = 'b';
UPDATE sources SET deleted_at = NULL, extracted_text = 'b is back' WHERE name = 'b';
SELECT * FROM shown WHERE name = 'b';
UPDATE sources SET extracted_text = 'b of the session' WHERE name = 'b';

-- Texts that become equal by an UPDATE are duplicates, too.
UPDATE sources SET extracted_text = 'b of the session' WHERE name = 'c';
\echo :SQLSTATE
TRUNCATE sources;

-- A text that is too long for its row: stored out of line, compressed and not compressed.
SELECT put('long', 'text', repeat('long ', 100000), NULL), put('longer', 'url', repeat('longer ', 100000), '');
UPDATE sources SET extracted_text = extracted_text || 'end' WHERE name = 'long';
UPDATE sources SET name = 'longest' WHERE name = 'longer';
SELECT name, length(text) AS length, hash FROM shown;
ALTER TABLE sources ALTER extracted_text SET STORAGE EXTERNAL;
UPDATE sources SET extracted_text = 'new ' || extracted_text;
UPDATE sources SET extracted_text = 'new ' || extracted_text;
SELECT name, length(text) AS length, hash FROM shown;
TRUNCATE sources;

-- COPY: a column of NULLs, of empty strings, and no column at all.
COPY sources (notebook_id, name, source_type, extracted_text, content_hash) FROM stdin WITH (FORMAT csv);
00000000-0000-4000-8000-000000000001,a null,text,copied a,
00000000-0000-4000-8000-000000000001,b empty,url,copied b,""
00000000-0000-4000-8000-000000000001,c file,file,copied c,
00000000-0000-4000-8000-000000000001,d upper,file,d,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
\.
COPY sources (notebook_id, name, source_type, extracted_text) FROM stdin WITH (FORMAT csv);
00000000-0000-4000-8000-000000000001,e none,text,copied e
\.
-- If there is one duplicate, no row of the COPY stays.
COPY sources (notebook_id, name, source_type, extracted_text) FROM stdin WITH (FORMAT csv);
00000000-0000-4000-8000-000000000001,f new,text,copied f
00000000-0000-4000-8000-000000000001,g duplicate,url,copied a
\.

-- INSERT of many rows, with duplicates among them and of existing sources.
INSERT INTO sources (notebook_id, name, source_type, extracted_text)
    VALUES ('00000000-0000-4000-8000-000000000001', 'h new', 'text', 'many h'),
           ('00000000-0000-4000-8000-000000000001', 'i duplicate', 'text', 'many h'),
           ('00000000-0000-4000-8000-000000000001', 'j duplicate', 'text', 'copied b'),
           ('00000000-0000-4000-8000-000000000001', 'k nothing', 'text', ''),
           ('00000000-0000-4000-8000-000000000001', 'l nothing', 'text', '')
    ON CONFLICT DO NOTHING;
INSERT INTO sources AS known (notebook_id, name, source_type, extracted_text)
    VALUES ('00000000-0000-4000-8000-000000000001', 'm renamed', 'text', 'copied b'),
           ('00000000-0000-4000-8000-000000000001', 'n new', 'text', 'many n')
    ON CONFLICT (notebook_id, content_hash) WHERE deleted_at IS NULL AND content_hash <> ''
    DO UPDATE SET name = excluded.name RETURNING name;
-- DO UPDATE of the text itself: excluded has the computed hash.
INSERT INTO sources AS known (notebook_id, name, source_type, extracted_text)
    VALUES ('00000000-0000-4000-8000-000000000001', 'unused', 'text', 'many n')
    ON CONFLICT (notebook_id, content_hash) WHERE deleted_at IS NULL AND content_hash <> ''
    DO UPDATE SET extracted_text = excluded.extracted_text || ', again' RETURNING name;

-- MERGE, which inserts and updates, and keeps hash and text consistent as well.
MERGE INTO sources AS known
    USING (VALUES ('n new', 'merged n'), ('o new', 'merged o')) AS given (name, content) ON known.name = given.name
    WHEN MATCHED THEN UPDATE SET extracted_text = given.content
    WHEN NOT MATCHED THEN INSERT (notebook_id, name, source_type, extracted_text)
        VALUES ('00000000-0000-4000-8000-000000000001', given.name, 'text', given.content);
SELECT * FROM shown;
SELECT source_count FROM notebooks;

RESET search_path;
DROP SCHEMA discovery_hash CASCADE;
