-- What add_source() refuses: broken rules, all of them in one error's DETAIL; a missing notebook; an older store or
-- none; a read-only transaction; missing rights; and a duplicate that row-level security hides, of which nothing is
-- shown.
SET client_min_messages = warning;
-- The CONTEXT has statements of our own code, which may change.
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_errors;
CREATE EXTENSION discovery SCHEMA discovery_errors;
SET search_path = discovery_errors;
\set one '\'00000000-0000-4000-8000-000000000001\''
\set hash_of_hello '\'2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\''
INSERT INTO notebooks (id, name) VALUES (:one, 'one');

-- Each rule by itself.
SELECT * FROM add_source(:one, E' \n', 'text');
\echo :SQLSTATE
SELECT * FROM add_source(:one, 'x', 'web');
SELECT * FROM add_source(:one, 'x', 'file', file_type => 'PDF');
SELECT * FROM add_source(:one, 'x', 'text', file_type => 'txt');
SELECT * FROM add_source(:one, 'x', 'url');
SELECT * FROM add_source(:one, 'x', 'url', url => 'ftp://example.org');
SELECT * FROM add_source(:one, 'x', 'file', file_size => 0);
SELECT * FROM add_source(:one, 'x', 'file', content => '');
SELECT * FROM add_source(:one, 'x', 'file', content => 'hello', file_size => 6);
SELECT * FROM add_source(:one, 'x', 'file', content => 'hello', content_hash => 'abc');
SELECT * FROM add_source(:one, 'x', 'file', content_hash => repeat('a', 65));
SELECT * FROM add_source(:one, 'x', 'file', on_duplicate => 'ignore');
SELECT * FROM add_source(:one, 'x', 'file', on_deleted => 'purge');
\echo :SQLSTATE
-- All rules at once.
SELECT * FROM add_source(NULL, repeat('x', 501), 'web', content => 'hello', content_hash => repeat('ä', 65),
                         file_type => 'exe',
                         url => '', file_size => -1, on_duplicate => '', on_deleted => 'RESTORE');
\echo :SQLSTATE
-- NULL for each argument: three are required, two are option words, the others then count as not given.
SELECT * FROM add_source(NULL, 'x', 'text');
SELECT * FROM add_source(:one, NULL, 'text');
SELECT * FROM add_source(:one, 'x', NULL);
SELECT * FROM add_source(:one, 'x', 'text', on_duplicate => NULL);
SELECT * FROM add_source(:one, 'x', 'text', on_deleted => NULL);
SELECT * FROM add_source(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT outcome FROM add_source(:one, 'x', 'text', content => NULL, extracted_text => NULL, content_hash => NULL,
    file_type => NULL, url => NULL, file_path => NULL, file_size => NULL, source_metadata => NULL);
-- Malformed values, which PostgreSQL refuses before the call.
SELECT * FROM add_source('one', 'x', 'text');
\echo :SQLSTATE
SELECT * FROM add_source(:one, 'x', 'text', source_metadata => '{pages: 3}');
\echo :SQLSTATE

-- The limits count characters, not bytes, and apply to the trimmed name.
SELECT outcome FROM add_source(:one, repeat('ä', 500), 'text', extracted_text => 'a');
SELECT outcome FROM add_source(:one, repeat(' ', 1000) || repeat('😀', 500) || E'\n', 'text', extracted_text => 'b');
SELECT * FROM add_source(:one, repeat('ä', 501), 'text', extracted_text => 'c');
SELECT outcome FROM add_source(:one, 'x', 'file', content_hash => repeat('ä', 64));
SELECT * FROM add_source(:one, 'x', 'file', content_hash => repeat('ä', 65));
SELECT max(length(name)) AS longest_name, max(length(content_hash)) AS longest_hash FROM sources;
SELECT name, source_count FROM notebooks;

-- A notebook that does not exist.
SELECT * FROM add_source('00000000-0000-4000-8000-00000000000f', 'x', 'text');
\echo :SQLSTATE
SELECT * FROM add_source('00000000-0000-4000-8000-00000000000f', 'x', 'text', extracted_text => 'x');
\echo :SQLSTATE

-- A read-only transaction, also if the call would write nothing.
BEGIN READ ONLY;
SELECT * FROM add_source(:one, 'x', 'text', extracted_text => 'a');
\echo :SQLSTATE
ROLLBACK;

-- After each error the session goes on, also inside the transaction.
BEGIN;
SAVEPOINT before;
SELECT * FROM add_source(:one, '', 'text');
ROLLBACK TO before;
SELECT outcome FROM add_source(:one, 'x', 'text', extracted_text => 'after an error');
COMMIT;

-- Rights: adding needs INSERT and SELECT; only restoring needs UPDATE.
CREATE ROLE regress_discovery_adder;
GRANT USAGE ON SCHEMA discovery_errors TO regress_discovery_adder;
SET ROLE regress_discovery_adder;
SELECT * FROM add_source(:one, 'x', 'text', extracted_text => 'adder');
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON sources TO regress_discovery_adder;
SET ROLE regress_discovery_adder;
SELECT * FROM add_source(:one, 'x', 'text', extracted_text => 'adder');
\echo :SQLSTATE
RESET ROLE;
GRANT INSERT ON sources TO regress_discovery_adder;
SET ROLE regress_discovery_adder;
SELECT outcome FROM add_source(:one, 'x', 'text', extracted_text => 'adder');
SELECT outcome FROM add_source(:one, 'x', 'text', extracted_text => 'adder');
RESET ROLE;
UPDATE sources SET deleted_at = now() WHERE extracted_text = 'adder';
SET ROLE regress_discovery_adder;
SELECT * FROM add_source(:one, 'x', 'text', extracted_text => 'adder');
\echo :SQLSTATE
-- Like any error, it leaves the session usable, and also a transaction with a savepoint.
SELECT 1 AS alive;
BEGIN;
SAVEPOINT before;
SELECT * FROM add_source(:one, 'x', 'text', extracted_text => 'adder');
ROLLBACK TO before;
SELECT outcome FROM add_source(:one, 'x', 'text', extracted_text => 'adder', on_deleted => 'add');
ROLLBACK;
DO $$
BEGIN
    PERFORM add_source('00000000-0000-4000-8000-000000000001', 'x', 'text', extracted_text => 'adder');
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'caught: %', SQLERRM;
END $$;
RESET ROLE;
GRANT UPDATE ON sources TO regress_discovery_adder;
SET ROLE regress_discovery_adder;
SELECT outcome FROM add_source(:one, 'x', 'text', extracted_text => 'adder');
RESET ROLE;

-- Row-level security hides the duplicate: the error says only that there is one.
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON sources USING (name NOT LIKE 'secret%') WITH CHECK (true);
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text) VALUES
    ('00000000-0000-4000-8000-00000000000a', :one, 'secret', 'text', 'hidden'),
    ('00000000-0000-4000-8000-00000000000b', :one, 'secret, deleted', 'text', 'hidden and deleted');
UPDATE sources SET deleted_at = now() WHERE name = 'secret, deleted';
SET ROLE regress_discovery_adder;
SELECT * FROM add_source(:one, 'x', 'text', extracted_text => 'hidden');
\echo :SQLSTATE
SELECT * FROM add_source(:one, 'x', 'text', extracted_text => 'hidden', on_duplicate => 'error', on_deleted => 'add');
\echo :SQLSTATE
-- A hidden soft-deleted source is not restored.
SELECT outcome FROM add_source(:one, 'x', 'text', extracted_text => 'hidden and deleted');
-- A duplicate that is hidden is in the way of restoring too.
RESET ROLE;
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text, deleted_at) VALUES
    ('00000000-0000-4000-8000-00000000000c', :one, 'copy', 'text', 'hidden', now());
SET ROLE regress_discovery_adder;
SELECT * FROM restore_source('00000000-0000-4000-8000-00000000000c', 'keep_deleted');
\echo :SQLSTATE
RESET ROLE;
-- A row that the role can see but not change, and one that it may not add.
UPDATE sources SET deleted_at = now() WHERE extracted_text = 'adder';
CREATE POLICY no_update ON sources AS RESTRICTIVE FOR UPDATE USING (false);
CREATE POLICY no_insert ON sources AS RESTRICTIVE FOR INSERT WITH CHECK (name <> 'forbidden');
SET ROLE regress_discovery_adder;
SELECT * FROM add_source(:one, 'x', 'text', extracted_text => 'adder');
\echo :SQLSTATE
SELECT * FROM add_source(:one, 'forbidden', 'text', extracted_text => 'new');
\echo :SQLSTATE
RESET ROLE;
SELECT name, left(extracted_text, 20) AS text, deleted_at IS NOT NULL AS deleted FROM sources
    WHERE length(name) < 50 ORDER BY id::text LIKE '%-4000-%', 1, 2;
RESET search_path;
DROP SCHEMA discovery_errors CASCADE;
DROP ROLE regress_discovery_adder;

-- No store; and a store of version 1.0 under the newest extension.
SET discovery.create_store = off;
CREATE SCHEMA discovery_ext;
CREATE SCHEMA discovery_old;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_ext;
SELECT discovery_ext.discovery_create_store('discovery_old') AS version;
ALTER EXTENSION discovery UPDATE;
SET search_path = discovery_ext;
SELECT * FROM add_source(:one, 'x', 'text');
\echo :SQLSTATE
SET search_path = discovery_old, discovery_ext;
SELECT * FROM add_source(:one, 'x', 'text');
\echo :SQLSTATE
SELECT * FROM check_source_hashes();
\echo :SQLSTATE
-- The store is checked before the arguments, so wrong arguments give the same error.
SELECT * FROM add_source(NULL, NULL, NULL);
\echo :SQLSTATE
RESET search_path;
DROP SCHEMA discovery_old, discovery_ext CASCADE;
