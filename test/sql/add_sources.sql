-- add_sources(): a batch of sources gets the outcomes that add_source() would give one after the other, in the order
-- given; an error names each source that is wrong and everything that is wrong with it, and then nothing is added.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_batch;
CREATE EXTENSION discovery SCHEMA discovery_batch;
SET search_path = discovery_batch;
\set one '\'00000000-0000-4000-8000-000000000001\''
\set two '\'00000000-0000-4000-8000-000000000002\''
INSERT INTO notebooks (id, name) VALUES (:one, 'one'), (:two, 'two');
CREATE VIEW shown AS
    SELECT notebook.name AS notebook, source.name, left(content_hash, 8) AS hash, extracted_text AS text,
           source.deleted_at IS NOT NULL AS deleted
    FROM sources AS source JOIN notebooks AS notebook ON notebook.id = notebook_id ORDER BY 1, 2, 3, 5;

-- Every key. Of the content, in both spellings, only the hash and the size are stored.
SELECT number, outcome FROM add_sources(notebook_id => :one, sources => '[
    {"name": " paper.pdf ", "source_type": "file", "content": "AP9oZWxsbw==", "extracted_text": "hello",
     "content_hash": null, "file_type": "pdf", "url": "https://example.org/paper.pdf", "file_path": "/files/paper.pdf",
     "file_size": 7, "source_metadata": {"pages": 3}},
    {"name": "same bytes", "source_type": "file", "content": "\\x00ff68656c6c6f"},
    {"name": "bare", "source_type": "text"},
    {"name": "bare", "source_type": "text", "extracted_text": ""},
    {"name": "text", "source_type": "text", "extracted_text": "a text", "source_metadata": [1, "two", null]},
    {"name": "hash", "source_type": "file", "content_hash": "given"}]',
    on_duplicate => 'return', on_deleted => 'restore');
SELECT name, source_type, content_hash = encode(sha256('\x00ff68656c6c6f'), 'hex') AS hash_is_of_content,
       extracted_text, file_type, url, file_path, file_size, source_metadata, created_at = updated_at AS is_new
    FROM sources WHERE name = 'paper.pdf';
SELECT * FROM shown;
SELECT source_metadata FROM sources WHERE name = 'text';
SELECT name, source_count FROM notebooks ORDER BY 1;
SELECT * FROM add_sources(:one, '[]');
-- The ids are those of the rows, and a duplicate has that of the source with its content.
CREATE TEMPORARY TABLE outcomes AS SELECT * FROM add_sources(:one, '[
    {"name": "new", "source_type": "text", "extracted_text": "new"},
    {"name": "again", "source_type": "text", "extracted_text": "a text"},
    {"name": "new again", "source_type": "url", "url": "http://x", "extracted_text": "new"},
    {"name": "newer", "source_type": "text", "extracted_text": "newer"}]');
SELECT number, outcome, name FROM outcomes LEFT JOIN sources USING (id) ORDER BY 1;
-- The same content in another notebook is no duplicate.
SELECT number, outcome FROM add_sources(:two, '[{"name": "new", "source_type": "text", "extracted_text": "new"}]');

-- What is soft-deleted is restored, the one that was deleted last; or left alone.
SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources WHERE name IN ('new', 'newer') AND notebook_id = :one));
SELECT number, outcome FROM add_sources(:one, '[
    {"name": "restored", "source_type": "text", "extracted_text": "newer", "source_metadata": {"is": "new"}},
    {"name": "added", "source_type": "text", "extracted_text": "added"},
    {"name": "restored, again", "source_type": "text", "extracted_text": "newer"}]');
SELECT number, outcome FROM add_sources(:one, '[{"name": "beside", "source_type": "text", "extracted_text": "new"}]',
    on_deleted => 'add');
SELECT * FROM shown WHERE notebook = 'one' AND (name ~ 'new|restored|added|beside');
SELECT name, source_count FROM notebooks ORDER BY 1;

-- on_duplicate => 'error': nothing of the batch is added. (The detail names the id.)
\set VERBOSITY terse
SELECT * FROM add_sources(:one, '[{"name": "x", "source_type": "text", "extracted_text": "x"},
    {"name": "dup", "source_type": "text", "extracted_text": "a text"}]', on_duplicate => 'error');
\echo :SQLSTATE
\set VERBOSITY default
SELECT * FROM add_sources(:one, '[{"name": "x", "source_type": "text", "extracted_text": "x"},
    {"name": "y", "source_type": "text", "extracted_text": "x"}]', on_duplicate => 'error');
SELECT count(*) FROM sources WHERE extracted_text = 'x';

-- Everything that is wrong, at once.
SELECT * FROM add_sources(:one, '[
    {"name": "good", "source_type": "text", "extracted_text": "good"},
    {"name": "", "source_type": "page", "file_type": "exe", "url": "ftp://x", "file_size": 0},
    {"title": "no name", "source_type": "text", "on_duplicate": "return"},
    {"name": 1, "source_type": ["text"], "extracted_text": {}, "content_hash": true},
    {"name": "sizes", "source_type": "file", "content": "AAAA", "file_size": 2},
    {"name": "sizes", "source_type": "file", "file_size": 1.5},
    {"name": "sizes", "source_type": "file", "file_size": 1e30},
    {"name": "sizes", "source_type": "file", "file_size": "3"},
    {"name": "bytes", "source_type": "file", "content": "not base64!"},
    {"name": "bytes", "source_type": "file", "content": "\\x0"},
    {"name": "bytes", "source_type": "file", "content": ""},
    {"name": "columns", "source_type": "file", "columns": []},
    "a string", null, 7, []]');
\echo :SQLSTATE
SELECT count(*) FROM sources WHERE extracted_text = 'good';
SELECT * FROM add_sources(:one, '{"name": "x", "source_type": "text"}');
SELECT * FROM add_sources(:one, '"x"');
SELECT * FROM add_sources(:one, 'null');
SELECT * FROM add_sources(:one, NULL);
\echo :SQLSTATE
SELECT * FROM add_sources(NULL, '[{"name": "x", "source_type": "text"}]');
SELECT * FROM add_sources(:one, '[{"name": "x", "source_type": "text"}]', on_duplicate => 'ignore', on_deleted => NULL);
SELECT * FROM add_sources('00000000-0000-4000-8000-000000000009', '[{"name": "x", "source_type": "text"}]');
\echo :SQLSTATE
BEGIN READ ONLY;
SELECT * FROM add_sources(:one, '[]');
ROLLBACK;

-- Columns of one's own, also where each source has others; what one leaves out has its default.
ALTER TABLE sources ADD COLUMN owned_by text NOT NULL DEFAULT 'nobody', ADD COLUMN "@store@" integer;
SELECT number, outcome FROM add_sources(:two, '[
    {"name": "c1", "source_type": "text", "extracted_text": "c1", "columns": {"owned_by": "anna"}},
    {"name": "c2", "source_type": "text", "extracted_text": "c2", "columns": {"owned_by": "ben", "@store@": 2}},
    {"name": "c3", "source_type": "text", "extracted_text": "c3"},
    {"name": "c4", "source_type": "text", "extracted_text": "c4", "columns": {}},
    {"name": "c5", "source_type": "text", "extracted_text": "c5", "columns": {"owned_by": "eva"}}]');
SELECT name, owned_by, "@store@" FROM sources WHERE name ~ '^c\d' ORDER BY 1;
SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources WHERE name = 'c1'));
SELECT number, outcome FROM add_sources(:two,
    '[{"name": "c1", "source_type": "text", "extracted_text": "c1", "columns": {"@store@": 1}}]');
SELECT name, owned_by, "@store@" FROM sources WHERE name = 'c1';
\set SHOW_CONTEXT always
SELECT * FROM add_sources(:two, '[{"name": "x", "source_type": "text"},
    {"name": "x", "source_type": "text", "columns": {"nothing": 1}}]');
\set SHOW_CONTEXT never
SELECT * FROM add_sources(:two, '[{"name": "x", "source_type": "text", "columns": {"deletion_id": 1}}]');

-- One statement writes many: one count for a notebook, and one INSERT.
CREATE TABLE statements (n integer);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO discovery_batch.statements VALUES (1); RETURN NULL; END';
CREATE TRIGGER note AFTER INSERT ON sources FOR EACH STATEMENT EXECUTE FUNCTION note();
SELECT count(*), count(DISTINCT id), min(outcome), max(outcome)
FROM add_sources(:two, (SELECT jsonb_agg(jsonb_build_object('name', 'many', 'source_type', 'text',
                                                            'extracted_text', 'n' || n))
                        FROM generate_series(1, 1000) AS n));
SELECT count(*) FROM statements;
DROP TRIGGER note ON sources;
SELECT name, source_count, (SELECT count(*) FROM sources WHERE notebook_id = notebooks.id AND deleted_at IS NULL)
FROM notebooks ORDER BY 1;

-- A trigger of the user's gives other ids, leaves out rows, or changes hashes.
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.name = 'other id' THEN new.id := '00000000-0000-4000-8000-0000000000aa'; END IF;
    IF new.name = 'left out' THEN RETURN NULL; END IF;
    IF new.name = 'other hash' THEN new.content_hash := 'changed'; END IF;
    RETURN new; END $$;
CREATE TRIGGER a_meddle BEFORE INSERT ON sources FOR EACH ROW EXECUTE FUNCTION meddle();
SELECT number, id, outcome FROM add_sources(:two, '[{"name": "other id", "source_type": "text"}]');
DELETE FROM sources WHERE name = 'other id';
SELECT number, id, outcome FROM add_sources(:two,
    '[{"name": "other id", "source_type": "text", "extracted_text": "m"}]', on_duplicate => 'error');
SELECT outcome FROM add_sources(:two, '[{"name": "other hash", "source_type": "text", "extracted_text": "changes"}]');
SELECT * FROM add_sources(:two, '[{"name": "left out", "source_type": "text"}, {"name": "b", "source_type": "text"}]');
\echo :SQLSTATE
SELECT * FROM add_sources(:two, '[{"name": "left out", "source_type": "text", "extracted_text": "o"},
    {"name": "other hash", "source_type": "text", "extracted_text": "p"}]');
SELECT count(*) FROM sources WHERE name IN ('b', 'left out');
DROP TRIGGER a_meddle ON sources;
-- Not more than a hundred sentences
DO $$ DECLARE detail text; BEGIN
    PERFORM add_sources('00000000-0000-4000-8000-000000000001', (SELECT jsonb_agg(n)
                                                                  FROM generate_series(1, 1000) AS n));
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE WARNING '% lines, the last: %', array_length(string_to_array(detail, E'\n'), 1),
        split_part(detail, E'\n', -1);
END $$;
SELECT * FROM add_sources(:one, jsonb_build_array(jsonb_build_object(repeat('long', 100), 1)));

-- Rights: those of the caller.
CREATE ROLE discovery_batch_reader;
GRANT USAGE ON SCHEMA discovery_batch TO discovery_batch_reader;
GRANT SELECT ON sources, notebooks TO discovery_batch_reader;
SET ROLE discovery_batch_reader;
SELECT * FROM add_sources(:one, '[{"name": "x", "source_type": "text", "extracted_text": "x"}]');
\echo :SQLSTATE
RESET ROLE;
GRANT INSERT ON sources TO discovery_batch_reader;
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
CREATE POLICY writes ON sources FOR INSERT TO discovery_batch_reader WITH CHECK (true);
CREATE POLICY reads ON sources FOR SELECT TO discovery_batch_reader USING (name ~ '^mine');
SET ROLE discovery_batch_reader;
SELECT number, outcome FROM add_sources(:one, '[{"name": "mine", "source_type": "text", "extracted_text": "mine"},
    {"name": "mine too", "source_type": "text", "extracted_text": "mine too"}]');
-- A duplicate that he may not see
SELECT * FROM add_sources(:one, '[{"name": "mine 3", "source_type": "text", "extracted_text": "mine 3"},
    {"name": "mine 4", "source_type": "text", "extracted_text": "a text"}]');
\echo :SQLSTATE
RESET ROLE;
SELECT name FROM sources WHERE name ~ '^mine' ORDER BY 1;

SET search_path = public;
DROP SCHEMA discovery_batch CASCADE;
DROP ROLE discovery_batch_reader;
