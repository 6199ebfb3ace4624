-- A store of version 1.0 with real data is upgraded to 1.1 and loses nothing: of duplicates the oldest stays and the
-- others become soft-deleted; hashes are spelled alike; counts are right. A downgrade to 1.0 and another upgrade keep
-- every row; the deletion log is data that a downgrade destroys only if that is allowed.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_up;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_up;
SET search_path = discovery_up;
\set one '\'00000000-0000-4000-8000-000000000001\''
\set two '\'00000000-0000-4000-8000-000000000002\''
\set three '\'00000000-0000-4000-8000-000000000003\''
CREATE FUNCTION n(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(n::text, 32, '0')::uuid $$;
-- The counts are wrong, as after a race in the application.
INSERT INTO notebooks (id, name, source_count, output_count, updated_at) VALUES
    (:one, 'one', 7, 3, '2024-02-01'), (:two, 'two', -1, 0, '2024-02-01'), (:three, 'empty', 5, 0, '2024-02-01');
INSERT INTO sources (id, notebook_id, name, source_type, content_hash, extracted_text, created_at, updated_at,
                     deleted_at) VALUES
    -- Duplicates: the oldest is neither the first by id nor by its place in the table.
    (n(1), :one, 'copy, younger', 'text', 'hash a', 'a', '2024-01-03', '2024-01-03', NULL),
    (n(2), :one, 'copy, oldest', 'text', 'hash a', 'a', '2024-01-01', '2024-01-09', NULL),
    (n(3), :one, 'copy, between', 'text', 'hash a', 'a', '2024-01-02', '2024-01-02', NULL),
    -- The same created_at: ordered by id.
    (n(5), :one, 'same time, second', 'file', 'hash b', '', '2024-01-01', '2024-01-01', NULL),
    (n(4), :one, 'same time, first', 'file', 'hash b', '', '2024-01-01', '2024-01-01', NULL),
    -- A soft-deleted source does not count, however old it is, and stays unchanged.
    (n(6), :one, 'deleted', 'text', 'hash a', 'a', '2023-01-01', '2023-01-01', '2023-01-02'),
    (n(7), :one, 'deleted twice', 'text', 'hash c', 'c', '2023-01-01', '2023-01-01', '2023-01-02'),
    (n(8), :one, 'deleted twice', 'text', 'hash c', 'c', '2023-01-01', '2023-01-01', '2023-01-03'),
    -- The same content in another notebook is no duplicate.
    (n(9), :two, 'elsewhere', 'text', 'hash a', 'a', '2022-01-01', '2022-01-01', NULL),
    -- Two spellings of a hexadecimal hash mean the same content; for other hashes each spelling is another hash.
    (n(10), :two, 'upper case, oldest', 'file', repeat('ABCDEF09', 8), '', '2024-01-01', '2024-01-01', NULL),
    (n(11), :two, 'lower case', 'file', repeat('abcdef09', 8), '', '2024-01-02', '2024-01-02', NULL),
    (n(12), :two, 'upper case, deleted', 'file', repeat('ABCDEF09', 8), '', '2024-01-01', '2024-01-01', '2024-01-02'),
    (n(13), :two, 'not hex, upper', 'text', 'ABC123HASH', '', '2024-01-01', '2024-01-01', NULL),
    (n(14), :two, 'not hex, lower', 'text', 'abc123hash', '', '2024-01-01', '2024-01-01', NULL),
    -- Sources without a hash are no duplicates, with a text or without.
    (n(15), :two, 'empty', 'text', '', '', '2024-01-01', '2024-01-01', NULL),
    (n(16), :two, 'empty', 'text', '', '', '2024-01-01', '2024-01-01', NULL),
    (n(17), :two, 'empty, with a text', 'text', '', 'same', '2024-01-01', '2024-01-01', NULL),
    (n(18), :two, 'empty, with a text', 'text', '', 'same', '2024-01-01', '2024-01-01', NULL);
-- A column that the user added stays.
ALTER TABLE sources ADD users_own text DEFAULT 'mine';
CREATE TABLE before AS SELECT * FROM sources;

\set VERBOSITY terse
ALTER EXTENSION discovery UPDATE TO '1.1';
\set VERBOSITY default
SELECT name, content_hash = lower(content_hash) AS lower, deleted_at IS NOT NULL AS deleted,
       deletion_id IS NOT NULL AS by_upgrade,
       hold_reason
    FROM sources ORDER BY id;
SELECT count(*) AS rows, count(*) FILTER (WHERE deleted_at IS NULL) AS live FROM sources;
-- Of the rows from before, only these changed, and only in these columns.
SELECT before.name, before.content_hash <> after.content_hash AS hash,
       before.deleted_at IS DISTINCT FROM after.deleted_at AS deleted_at,
       before.updated_at <> after.updated_at AS updated_at
    FROM before FULL JOIN sources AS after USING (id)
    WHERE to_jsonb(before) IS DISTINCT FROM to_jsonb(after) - 'deletion_id' - 'hold_reason' ORDER BY id;
SELECT count(*) AS changed_otherwise FROM before FULL JOIN sources AS after USING (id)
    WHERE to_jsonb(before) - 'content_hash' - 'deleted_at' - 'updated_at' IS DISTINCT FROM
          to_jsonb(after) - 'content_hash' - 'deleted_at' - 'updated_at' - 'deletion_id' - 'hold_reason';
SELECT name, source_count, output_count, updated_at FROM notebooks ORDER BY name;
SELECT count(*) AS wrong_counts FROM check_source_counts();
-- The log has one deletion, which can be looked at and undone.
SELECT login_role = session_user AS by_us, reason, sources FROM discovery_deletions;
SELECT DISTINCT deletion_id AS deletion FROM sources WHERE deletion_id IS NOT NULL \gset
SELECT name, outcome, duplicate_name FROM preview_restore(:'deletion') ORDER BY id;
-- Texts without a hash, which may be equal, stay without one until the text or the hash is changed: no other change
-- of them is refused as a duplicate.
UPDATE sources SET name = 'renamed' WHERE content_hash = '';
UPDATE sources SET extracted_text = extracted_text || '', content_hash = '' WHERE content_hash = '';
SELECT name, extracted_text FROM sources WHERE content_hash = '' ORDER BY id;
UPDATE sources SET extracted_text = 'other' WHERE id = n(17);
SELECT content_hash = content_hash('other') AS has_hash FROM sources WHERE id = n(17);

-- From now on duplicates are refused.
INSERT INTO sources (notebook_id, name, source_type, content_hash) VALUES (:two, 'x', 'file', repeat('ABCDEF09', 8));
\echo :SQLSTATE
SELECT id = n(10) AS oldest, outcome FROM add_source(:two, 'x', 'file', content_hash => repeat('ABCDEF09', 8));
SELECT * FROM find_duplicate_sources(:one) UNION ALL SELECT * FROM find_duplicate_sources(:two);

-- The log is data: the downgrade is refused, and changes nothing.
ALTER EXTENSION discovery UPDATE TO '1.0';
\echo :SQLSTATE
SELECT extversion, discovery_version() FROM pg_extension WHERE extname = 'discovery';
SELECT count(*) AS log FROM discovery_deletions;
-- If data loss is allowed, the downgrade runs. Live and soft-deleted rows stay.
CREATE TABLE at_1_1 AS SELECT * FROM sources;
SET discovery.allow_data_loss = on;
ALTER EXTENSION discovery UPDATE TO '1.0';
RESET discovery.allow_data_loss;
SELECT extversion, discovery_version() FROM pg_extension WHERE extname = 'discovery';
SELECT count(*) AS changed FROM at_1_1 AS before FULL JOIN sources AS after USING (id)
    WHERE to_jsonb(before) - 'deletion_id' - 'hold_reason' IS DISTINCT FROM to_jsonb(after);
-- The store is at 1.0 again, which accepts duplicates and writes no count.
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    VALUES (n(20), :two, 'duplicate', 'file', repeat('abcdef09', 8));
SELECT name, source_count FROM notebooks ORDER BY name;
SELECT proname FROM pg_proc
WHERE pronamespace = 'discovery_up'::regnamespace AND proname IN ('add_source', 'uuid_v7');

-- Upgraded again: there is one duplicate, so the WARNING is about one.
\set VERBOSITY terse
ALTER EXTENSION discovery UPDATE TO '1.1';
\set VERBOSITY default
SELECT name, deletion_id IS NOT NULL AS by_this_upgrade FROM sources WHERE deleted_at IS NOT NULL ORDER BY id;
SELECT name, source_count FROM notebooks ORDER BY name;
SELECT count(*) AS wrong_counts FROM check_source_counts();
SELECT reason, sources FROM discovery_deletions;
SELECT version, previous_version, direction FROM discovery_migrations ORDER BY applied_at;

-- Without duplicates: no WARNING, no line in the log, and the downgrade is not refused.
DELETE FROM sources WHERE name = 'duplicate';
SET discovery.allow_data_loss = on;
ALTER EXTENSION discovery UPDATE TO '1.0';
RESET discovery.allow_data_loss;
ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT count(*) AS log FROM discovery_deletions;
ALTER EXTENSION discovery UPDATE TO '1.0';
-- An empty store can be upgraded and downgraded as well.
TRUNCATE sources, notebooks;
ALTER EXTENSION discovery UPDATE TO '1.1';
ALTER EXTENSION discovery UPDATE TO '1.0';
-- A dry run: an upgrade that is rolled back.
BEGIN;
ALTER EXTENSION discovery UPDATE TO '1.1';
ROLLBACK;
SELECT extversion, discovery_version() FROM pg_extension WHERE extname = 'discovery';
-- A hold is data, too: its reason would be lost.
ALTER EXTENSION discovery UPDATE TO '1.1';
INSERT INTO notebooks (id, name) VALUES (:one, 'one');
INSERT INTO sources (id, notebook_id, name, source_type, content_hash) VALUES (n(1), :one, 'held', 'file', 'hash');
SELECT hold_source(n(1), 'evidence');
ALTER EXTENSION discovery UPDATE TO '1.0';
\echo :SQLSTATE
SELECT release_source(n(1));
ALTER EXTENSION discovery UPDATE TO '1.0';
SELECT name FROM sources;

RESET search_path;
DROP SCHEMA discovery_up CASCADE;
