-- check_source_counts() lists the notebooks whose count is wrong after triggers were off; repair_source_counts()
-- corrects the counts, and says how many it repaired.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_discovery_owner;
CREATE ROLE regress_discovery_reader;
CREATE SCHEMA discovery_ext;
CREATE EXTENSION discovery SCHEMA discovery_ext;
GRANT USAGE ON SCHEMA discovery_ext TO PUBLIC;
CREATE SCHEMA discovery_repair AUTHORIZATION regress_discovery_owner;
SET ROLE regress_discovery_owner;
SELECT discovery_ext.discovery_create_store('discovery_repair');
RESET ROLE;
SET search_path = discovery_repair, discovery_ext;
INSERT INTO notebooks (id, name)
    SELECT ('00000000-0000-4000-8000-00000000000' || name)::uuid, name FROM unnest(ARRAY['a', 'b', 'c']) AS name;
INSERT INTO sources (notebook_id, name, source_type)
    SELECT id, name || number, 'text' FROM notebooks, generate_series(1, 3) AS number WHERE name <> 'c';
UPDATE sources SET deleted_at = '2020-01-01' WHERE name = 'a3';
SELECT count(*) AS wrong FROM check_source_counts();
SELECT repair_source_counts();

-- The table's triggers are disabled: one count is too high, one too low.
ALTER TABLE sources DISABLE TRIGGER USER;
DELETE FROM sources WHERE name = 'a1';
INSERT INTO sources (notebook_id, name, source_type, content_hash)
    SELECT id, name || 'new', 'text', '' FROM notebooks WHERE name = 'c';
ALTER TABLE sources ENABLE TRIGGER USER;
SELECT name, source_count, actual_count FROM check_source_counts();
-- Counting continues from the wrong number.
INSERT INTO sources (notebook_id, name, source_type) SELECT id, 'more', 'text' FROM notebooks WHERE name = 'a';
SELECT name, source_count, actual_count FROM check_source_counts();
SELECT repair_source_counts();
SELECT count(*) AS wrong FROM check_source_counts();
SELECT name, source_count FROM notebooks ORDER BY name;

-- A session that applies changes as a replica does, such as a subscriber
SET session_replication_role = replica;
DELETE FROM sources WHERE name LIKE 'b%';
UPDATE notebooks SET source_count = 42 WHERE name = 'c';
RESET session_replication_role;
SELECT name, source_count, actual_count FROM check_source_counts();
-- ROLLBACK undoes a repair.
BEGIN;
SELECT repair_source_counts();
ROLLBACK;
SELECT count(*) AS wrong FROM check_source_counts();
-- In the replica's session itself, and with the trigger of notebooks disabled, too.
SET session_replication_role = replica;
SELECT repair_source_counts();
RESET session_replication_role;
SELECT count(*) AS wrong FROM check_source_counts();
ALTER TABLE notebooks DISABLE TRIGGER discovery_row;
UPDATE notebooks SET source_count = -5;
SELECT repair_source_counts();
ALTER TABLE notebooks ENABLE TRIGGER discovery_row;
SELECT count(*) AS wrong FROM check_source_counts();
-- After a repair a client still cannot write a count.
UPDATE notebooks SET source_count = 9;
SELECT count(*) AS wrong FROM check_source_counts();

-- Rights: the check needs the right to read, the repair the right to write.
SET ROLE regress_discovery_reader;
SELECT count(*) AS wrong FROM check_source_counts();
\echo :SQLSTATE
RESET ROLE;
GRANT USAGE ON SCHEMA discovery_repair TO regress_discovery_reader;
SET ROLE regress_discovery_reader;
SELECT count(*) AS wrong FROM check_source_counts();
\echo :SQLSTATE
SELECT repair_source_counts();
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON notebooks, sources TO regress_discovery_reader;
SET session_replication_role = replica;
UPDATE notebooks SET source_count = 42 WHERE name = 'c';
RESET session_replication_role;
SET ROLE regress_discovery_reader;
SELECT name, source_count, actual_count FROM check_source_counts();
SELECT repair_source_counts();
\echo :SQLSTATE
RESET ROLE;
GRANT UPDATE ON notebooks TO regress_discovery_reader;
-- If row-level security hides rows, counting only the visible rows would be wrong: the check raises an error, the
-- repair counts all rows.
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE sources FORCE ROW LEVEL SECURITY;
ALTER TABLE notebooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE notebooks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sources TO regress_discovery_reader USING (name = 'more');
SET ROLE regress_discovery_reader;
SELECT count(*) AS wrong FROM check_source_counts();
\echo :SQLSTATE
SHOW row_security;
SELECT repair_source_counts();
RESET ROLE;
SELECT count(*) AS wrong FROM check_source_counts();
SELECT name, source_count FROM notebooks ORDER BY name;
-- A read-only transaction
BEGIN READ ONLY;
SELECT count(*) AS wrong FROM check_source_counts();
SELECT repair_source_counts();
\echo :SQLSTATE
ROLLBACK;

DROP SCHEMA discovery_repair, discovery_ext CASCADE;
DROP ROLE regress_discovery_owner, regress_discovery_reader;
