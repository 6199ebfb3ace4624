-- add_source(): every argument by its name, every outcome, and what a restored
-- row takes over. Its errors are in add_source_errors.
SET client_min_messages = warning;
CREATE SCHEMA discovery_add;
CREATE EXTENSION discovery SCHEMA discovery_add;
SET search_path = discovery_add;
\set one '\'00000000-0000-4000-8000-000000000001\''
\set two '\'00000000-0000-4000-8000-000000000002\''
INSERT INTO notebooks (id, name) VALUES (:one, 'one'), (:two, 'two');
CREATE VIEW shown AS
    SELECT notebook.name AS notebook, source.name, left(content_hash, 8) AS hash, extracted_text AS text,
           source.deleted_at IS NOT NULL AS deleted
    FROM sources AS source JOIN notebooks AS notebook ON notebook.id = notebook_id ORDER BY 1, 2, 3, 5;

-- All arguments by name. Of the content, only the hash and the size are stored.
SELECT id AS added, outcome FROM add_source(
    notebook_id => :one, name => 'paper.pdf', source_type => 'file', content => '\x00ff68656c6c6f'::bytea,
    extracted_text => 'hello', content_hash => NULL, file_type => 'pdf', url => 'https://example.org/paper.pdf',
    file_path => '/files/paper.pdf', file_size => 7, source_metadata => '{"pages":  3}', on_duplicate => 'error',
    on_deleted => 'add') \gset
SELECT :'outcome' AS outcome, name, source_type,
       content_hash = encode(sha256('\x00ff68656c6c6f'), 'hex') AS hash_is_of_content,
       extracted_text, file_type, url, file_path, file_size, source_metadata, deleted_at,
       created_at = updated_at AS is_new
    FROM sources WHERE id = :'added';
-- The fewest arguments, by position. The name is trimmed; a source without content has no hash.
SELECT outcome FROM add_source(:one, E' \t nothing\n ', 'text');
SELECT outcome FROM add_source(:one, 'nothing', 'text', extracted_text => '');
SELECT name, file_type, url, file_path, file_size, content_hash, extracted_text, source_metadata
    FROM sources WHERE name = 'nothing';

-- The same content returns the same source, whether it is given as bytes, as a hash in either case, or as text. The
-- source keeps its name, metadata and text.
SELECT id = :'added' AS same, outcome
    FROM add_source(:one, 'other', 'file', content => '\x00ff68656c6c6f', source_metadata => '{}',
                    extracted_text => 'other');
SELECT id = :'added' AS same, outcome
    FROM add_source(:one, 'other', 'file', content_hash => upper(encode(sha256('\x00ff68656c6c6f'), 'hex')));
SELECT id = :'added' AS same, outcome
    FROM add_source(:one, 'other', 'url', url => 'http://x', content_hash => encode(sha256('\x00ff68656c6c6f'), 'hex'));
SELECT outcome FROM add_source(:one, 'text', 'text', extracted_text => 'hello');
SELECT outcome FROM add_source(:one, 'text again', 'url', url => 'http://x', extracted_text => 'hello');
SELECT outcome FROM add_source(:one, 'hello.txt', 'file', content => 'hello');
-- In another notebook it is another source.
SELECT outcome FROM add_source(:two, 'text', 'text', extracted_text => 'hello');
-- The text of a file is not its content: a file without bytes or a hash has no duplicate.
SELECT outcome FROM add_source(:one, 'file', 'file', extracted_text => 'hello');
SELECT outcome FROM add_source(:one, 'file', 'file', extracted_text => 'hello');
-- A hash given by the client is kept, also together with a text.
SELECT outcome FROM add_source(:one, 'given', 'text', extracted_text => 'hello', content_hash => 'ABC123hash');
SELECT outcome FROM add_source(:one, 'given', 'text', extracted_text => 'more', content_hash => 'ABC123hash');
SELECT outcome FROM add_source(:one, 'given empty', 'text', extracted_text => 'more', content_hash => '');
SELECT * FROM shown;
SELECT name, source_count FROM notebooks ORDER BY name;

-- on_duplicate => 'error' raises an error instead of returning the outcome.
DO $$
DECLARE
    state text; message text; detail text; hint text; at_schema text; at_table text; at_constraint text;
BEGIN
    PERFORM add_source('00000000-0000-4000-8000-000000000001', 'x', 'text', extracted_text => 'hello',
                       on_duplicate => 'error');
EXCEPTION WHEN unique_violation THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT, at_schema = SCHEMA_NAME, at_table = TABLE_NAME, at_constraint = CONSTRAINT_NAME;
    RAISE WARNING '% % [%] [%] % % %', state, message,
        replace(detail, (SELECT id::text FROM sources WHERE name = 'text' AND notebook_id::text LIKE '%1'), 'ID'), hint,
        at_schema, at_table, at_constraint;
END $$;

-- A soft-deleted source with the same content is restored with the values given now; the other columns keep theirs. The
-- source keeps its id, its content and created_at.
UPDATE sources SET deleted_at = now(), created_at = '2020-01-01', updated_at = '2020-01-02' WHERE id = :'added';
SELECT id = :'added' AS same, outcome
    FROM add_source(:one, '  renamed.pdf ', 'file', content => '\x00ff68656c6c6f', source_metadata => '{"pages": 4}',
                    file_path => '/files/new.pdf', extracted_text => 'hello again', on_duplicate => 'error');
SELECT name, source_type, content_hash = encode(sha256('\x00ff68656c6c6f'), 'hex') AS hash_is_of_content,
       extracted_text,
       file_type, url, file_path, file_size, source_metadata, deleted_at, deletion_id, created_at,
       updated_at > '2020-01-02' AS updated
    FROM sources WHERE id = :'added';
SELECT id = :'added' AS same, outcome FROM add_source(:one, 'x', 'file', content => '\x00ff68656c6c6f');
-- A soft-deleted text is restored as the file with the same bytes. Its hash stays that of the given content, whatever
-- text is given with it.
UPDATE sources SET deleted_at = now() WHERE name = 'text' AND notebook_id = :one;
SELECT outcome FROM add_source(:one, 'hello.txt', 'file', content => 'hello', extracted_text => 'HELLO',
                               file_type => 'txt');
SELECT outcome FROM add_source(:one, 'hello.txt', 'file', content => 'hello');
SELECT name, source_type, content_hash = encode(sha256('hello'), 'hex') AS hash_is_of_content, extracted_text, file_size
    FROM sources WHERE name = 'hello.txt';
-- The same where a hash is given together with another text.
UPDATE sources SET deleted_at = now() WHERE name = 'text' AND notebook_id = :two;
SELECT outcome FROM add_source(:two, 'text', 'text', content_hash => encode(sha256('hello'), 'hex'),
                               extracted_text => 'hallo');
SELECT outcome FROM add_source(:two, 'text', 'text', extracted_text => 'hello');
SELECT * FROM shown WHERE notebook = 'two';

-- A soft-deleted file is restored as a text, which has no file type.
UPDATE sources SET deleted_at = now() WHERE name = 'hello.txt';
SELECT outcome FROM add_source(:one, 'hello', 'text', extracted_text => 'hello');
SELECT name, source_type, file_type, extracted_text FROM sources WHERE name = 'hello';

-- Of several soft-deleted sources, the one deleted last is restored; 'add' leaves all of them soft-deleted.
UPDATE sources SET deleted_at = '2024-01-01' WHERE id = :'added';
SELECT id AS second, outcome
    FROM add_source(:one, 'second.pdf', 'file', content => '\x00ff68656c6c6f', on_deleted => 'add') \gset
SELECT :'outcome' AS outcome, :'second' <> :'added' AS is_new;
SELECT id = :'second' AS same, outcome
    FROM add_source(:one, 'x', 'file', content => '\x00ff68656c6c6f', on_deleted => 'add');
UPDATE sources SET deleted_at = '2024-01-02' WHERE id = :'second';
SELECT id = :'second' AS same, outcome FROM add_source(:one, 'third.pdf', 'file', content => '\x00ff68656c6c6f');
SELECT id = :'added' AS first, name, deleted_at IS NOT NULL AS deleted FROM sources WHERE content_hash
    = encode(sha256('\x00ff68656c6c6f'), 'hex') ORDER BY name;
-- A soft-deleted source in another notebook is not restored, nor is one without content.
UPDATE sources SET deleted_at = now() WHERE notebook_id = :two OR name = 'nothing';
SELECT outcome FROM add_source(:one, 'nothing', 'text');
SELECT outcome FROM add_source(:two, 'x', 'file', content => '\x00ff68656c6c6f');
SELECT name, source_count,
       (SELECT count(*) FROM sources WHERE notebook_id = notebooks.id AND deleted_at IS NULL) AS live
    FROM notebooks ORDER BY name;

-- Many calls in one statement, with duplicates among them; and a call in the select list.
SELECT string_agg(added.outcome, ' ' ORDER BY n)
    FROM generate_series(1, 6) AS n,
        LATERAL add_source(:two, 'n ' || n, 'text', extracted_text => 'n ' || n % 3) AS added;
SELECT (add_source(:two, 'n', 'text', extracted_text => 'n 0')).outcome;
-- As a prepared statement, also with a generic plan, and after DDL.
SET plan_cache_mode = force_generic_plan;
PREPARE adding (text) AS SELECT outcome FROM add_source(:two, 'prepared', 'text', extracted_text => $1);
EXECUTE adding('prepared');
EXECUTE adding('prepared');
ALTER TABLE sources ADD COLUMN users_own text DEFAULT 'here';
EXECUTE adding('prepared');
EXECUTE adding('prepared 2');
SELECT extracted_text, users_own FROM sources WHERE extracted_text LIKE 'prepared%' ORDER BY 1;
RESET plan_cache_mode;

RESET search_path;
DROP SCHEMA discovery_add CASCADE;
