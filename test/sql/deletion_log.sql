-- The log of soft deletes: who, when, why and how many. Plain SQL's deletions in one transaction with one reason are
-- one batch. A writer needs no right on the log, and can forge neither its entries nor the entry to which a source
-- belongs.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_discovery_writer;
CREATE SCHEMA discovery_log;
CREATE EXTENSION discovery SCHEMA discovery_log;
SET search_path = discovery_log;
INSERT INTO notebooks (name) VALUES ('a'), ('b');
INSERT INTO sources (notebook_id, name, source_type)
    SELECT id, notebooks.name || number, 'text' FROM notebooks, generate_series(1, 9) AS number;
-- The batches since the last call: the reason, the logged number, and the sources that are soft-deleted by them now.
CREATE TABLE looked_at (id uuid);
CREATE FUNCTION new_batches() RETURNS TABLE (reason text, logged bigint, deleted text) LANGUAGE sql AS $$
    WITH new AS (INSERT INTO discovery_log.looked_at
                 SELECT id FROM discovery_log.discovery_deletions
                 EXCEPT SELECT id FROM discovery_log.looked_at RETURNING id)
    SELECT deletion.reason, deletion.sources,
           (SELECT string_agg(name, ' ' ORDER BY name) FROM discovery_log.sources WHERE deletion_id = deletion.id)
    FROM discovery_log.discovery_deletions AS deletion JOIN new USING (id) ORDER BY 1 NULLS FIRST, 3 $$;

-- One statement, without a reason. The log has the time when it happened; deleted_at has what the client wrote.
BEGIN;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name IN ('a1', 'b1');
SELECT deleted_at BETWEEN now() AND clock_timestamp() AS at_its_time, login_role = session_user AS login,
       acting_role = current_user AS acting FROM discovery_deletions;
COMMIT;
SELECT * FROM new_batches();

-- Row by row in one transaction, as an ORM does; alternating reasons, also across savepoints: one batch for each
-- reason. What ROLLBACK TO a savepoint undoes is not counted.
BEGIN;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a2';
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'b2';
SET LOCAL discovery.reason = 'first';
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a3';
SAVEPOINT one;
SET LOCAL discovery.reason = 'second';
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'b3';
RELEASE one;
SET LOCAL discovery.reason = 'first';
SAVEPOINT two;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name IN ('a4', 'b4');
ROLLBACK TO two;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a4';
SET LOCAL discovery.reason = '';
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'b4';
COMMIT;
SELECT * FROM new_batches();
-- A batch that begins after a ROLLBACK TO a savepoint is complete.
BEGIN;
SAVEPOINT one;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name IN ('a5', 'b5');
ROLLBACK TO one;
SELECT * FROM new_batches();
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a5';
COMMIT;
SELECT * FROM new_batches();
-- The next transaction makes another batch, with the same reason or not; a transaction that is rolled back leaves none.
SET discovery.reason = 'of the session';
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'b5';
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a6';
BEGIN;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'b6';
ROLLBACK;
RESET discovery.reason;
SELECT * FROM new_batches();

-- All ways of plain SQL: ON CONFLICT, MERGE, CTEs. Other changes of soft-deleted or live sources are no deletion, nor
-- is an INSERT with deleted_at.
INSERT INTO sources (id, notebook_id, name, source_type)
    SELECT id, notebook_id, name, source_type FROM sources WHERE name = 'b6'
    ON CONFLICT (id) DO UPDATE SET deleted_at = '2020-01-01';
MERGE INTO sources USING (VALUES ('a7')) AS given (name) ON sources.name = given.name
    WHEN MATCHED THEN UPDATE SET deleted_at = '2020-01-01';
WITH gone AS (DELETE FROM sources WHERE name = 'b9')
    UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'b7';
SELECT * FROM new_batches();
UPDATE sources SET deleted_at = '2021-01-01' WHERE name = 'b7';
UPDATE sources SET name = name WHERE name = 'a8';
UPDATE sources SET deleted_at = NULL WHERE name = 'a7';
INSERT INTO sources (notebook_id, name, source_type, deleted_at)
    SELECT id, 'dead', 'text', '2020-01-01' FROM notebooks WHERE name = 'a';
SELECT name, deletion_id FROM sources WHERE name IN ('dead', 'a7');
SELECT * FROM new_batches();

-- Deleted, restored, deleted again: the source belongs to the last batch, and the first batch keeps its number.
UPDATE sources SET deleted_at = '2020-01-01' WHERE name IN ('a8', 'b8');
SELECT * FROM new_batches();
UPDATE sources SET deleted_at = NULL WHERE name = 'a8';
BEGIN;
SET LOCAL discovery.reason = 'again';
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a8';
COMMIT;
SELECT * FROM new_batches();
SELECT reason, sources, still_deleted FROM list_source_deletions()
    WHERE sources = 2 AND reason IS NULL ORDER BY still_deleted;

-- Another role, by SET ROLE: the log has both roles. The other role has no right on the log.
GRANT USAGE ON SCHEMA discovery_log TO regress_discovery_writer;
GRANT SELECT, INSERT, UPDATE ON sources TO regress_discovery_writer;
UPDATE sources SET deleted_at = NULL;
SET ROLE regress_discovery_writer;
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a1';
SELECT deleted FROM delete_source((SELECT id FROM sources WHERE name = 'a2'), 'by the function');
SELECT count(*) FROM discovery_deletions;
\echo :SQLSTATE
INSERT INTO discovery_deletions (id, login_role, acting_role, sources) VALUES (uuid_v7(), 'somebody', 'else', 1);
\echo :SQLSTATE
SELECT count(*) FROM list_source_deletions();
\echo :SQLSTATE
RESET ROLE;
SELECT login_role = session_user AS login, acting_role, reason, sources FROM discovery_deletions
    WHERE acting_role <> session_user ORDER BY reason NULLS FIRST;
SELECT * FROM new_batches();

-- A writer cannot forge deletion_id: not by UPDATE of a live or soft-deleted source, not together with the deletion,
-- and not by INSERT or ON CONFLICT.
SELECT deletion_id AS theirs FROM sources WHERE name = 'a2' \gset
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a3';
SET ROLE regress_discovery_writer;
UPDATE sources SET deletion_id = :'theirs' WHERE name IN ('a3', 'a4');
UPDATE sources SET deletion_id = NULL WHERE name = 'a2';
UPDATE sources SET deleted_at = '2020-01-01', deletion_id = :'theirs' WHERE name = 'a5';
UPDATE sources SET deleted_at = NULL, deletion_id = :'theirs' WHERE name = 'a1';
INSERT INTO sources (notebook_id, name, source_type, deleted_at, deletion_id)
    SELECT notebook_id, 'forged', 'text', '2020-01-01', :'theirs' FROM sources WHERE name = 'a1';
INSERT INTO sources (notebook_id, name, source_type, deletion_id)
    SELECT notebook_id, 'forged live', 'text', :'theirs' FROM sources WHERE name = 'a1';
INSERT INTO sources (id, notebook_id, name, source_type, deleted_at, deletion_id)
    SELECT id, notebook_id, name, 'text', '2020-01-01', :'theirs' FROM sources WHERE name = 'a6'
    ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at, deletion_id = excluded.deletion_id;
RESET ROLE;
SELECT sources.name, deleted_at IS NULL AS lives, deletion_id = :'theirs' AS theirs FROM sources
    WHERE name IN ('a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'forged', 'forged live') ORDER BY name;
SELECT sources FROM discovery_deletions WHERE id = :'theirs';
-- The owner inserts the soft-deleted rows of a dump, each with its deletion.
INSERT INTO sources (notebook_id, name, source_type, deleted_at, deletion_id)
    SELECT notebook_id, 'of a dump', 'text', '2020-01-01', :'theirs' FROM sources WHERE name = 'a1';
SELECT deletion_id = :'theirs' AS theirs FROM sources WHERE name = 'of a dump';
DELETE FROM sources WHERE name = 'of a dump';
SELECT * FROM new_batches();

-- list_source_deletions(): newest first; of one notebook; since a time
DELETE FROM discovery_deletions;
UPDATE sources SET deleted_at = NULL;
SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources WHERE name IN ('a1', 'a2', 'b1')), 'older');
SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources WHERE name IN ('b2', 'b3')), 'newer');
SELECT outcome FROM restore_source((SELECT id FROM sources WHERE name = 'a1'));
SELECT login_role = session_user AS login, acting_role = current_user AS acting, reason, sources, still_deleted,
       deleted_at <= clock_timestamp() AS past FROM list_source_deletions();
SELECT reason FROM list_source_deletions((SELECT id FROM notebooks WHERE name = 'a'));
SELECT reason FROM list_source_deletions(notebook_id => (SELECT id FROM notebooks WHERE name = 'b'));
SELECT reason FROM list_source_deletions(gen_random_uuid());
SELECT reason FROM list_source_deletions(since => (SELECT deleted_at FROM discovery_deletions WHERE reason = 'newer'));
SELECT reason FROM list_source_deletions(since => 'infinity');

DROP SCHEMA discovery_log CASCADE;
DROP ROLE regress_discovery_writer;
