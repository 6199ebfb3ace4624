-- An upgrade is prepared by statements that run ahead of it, one at a time, while clients of the old version work: they
-- are listed as long as they are left, the step leaves out what they did, and whatever makes them void is noticed.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_ahead;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_ahead;
SET search_path = discovery_ahead;
CREATE ROLE discovery_ahead_stranger;
GRANT USAGE ON SCHEMA discovery_ahead TO discovery_ahead_stranger;
CREATE FUNCTION n(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(n::text, 32, '0')::uuid $$;
CREATE FUNCTION hash(n integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(n::text::bytea), 'hex') $$;
-- What is left, without the schema; and what the step would scan, were it run now.
CREATE VIEW left_over AS
    SELECT number, regexp_replace(split_part(statement, E'\n', 1), 'discovery_ahead\.', '') AS statement
    FROM discovery_prepare_upgrade();
CREATE VIEW scans AS
    SELECT substring(statement FROM '(?n)^([A-Z]+)') AS statement, effect FROM discovery_plan('1.1')
    WHERE effect ~ 'scans|updates';
CREATE VIEW live AS
    SELECT name, source_count, (SELECT count(*) FROM sources WHERE notebook_id = notebooks.id AND deleted_at IS NULL)
    FROM notebooks ORDER BY name;
INSERT INTO notebooks (id, name, source_count) VALUES (n(1), 'one', 7), (n(2), 'two', -1), (n(3), 'empty', 5);
INSERT INTO sources (id, notebook_id, name, source_type, content_hash, created_at)
    SELECT n(100 + i), n(1 + i % 2), 'source ' || i, 'text', CASE WHEN i <= 4 THEN upper(hash(1)) ELSE hash(i) END,
           timestamp '2024-01-01' + make_interval(days => i)
    FROM generate_series(1, 20) AS i;

SELECT number, statement, effect FROM discovery_prepare_upgrade();
SELECT store_version, state, next_step, edition, node FROM discovery_status();
SELECT * FROM scans;

-- Only the owner prepares, outside a transaction, and only what can be.
SET ROLE discovery_ahead_stranger;
SELECT statement FROM discovery_prepare_upgrade();
SELECT statement FROM discovery_cancel_upgrade();
CALL discovery_run_ahead('1.1', 0, 'discovery_ahead');
RESET ROLE;
BEGIN;
CALL discovery_run_ahead('1.1', 0, 'discovery_ahead');
\echo :SQLSTATE
ROLLBACK;
CALL discovery_run_ahead('1.1', 10, 'discovery_ahead');
\echo :SQLSTATE
CALL discovery_run_ahead('1.1', 1, 'discovery_ahead');
CALL discovery_run_ahead('1.1', 1000, 'discovery_ahead');
CALL discovery_run_ahead('1.1', -2, 'discovery_ahead');
CALL discovery_run_ahead('1.1', -1, 'discovery_ahead');
CALL discovery_run_ahead(NULL, 0, 'discovery_ahead');
CALL discovery_run_ahead('1.1', NULL, 'discovery_ahead');
CALL discovery_run_ahead('1.1', 0, NULL);
CALL discovery_run_ahead('1.1', 0, 'nowhere');
CALL discovery_run_ahead('3.0', 0, 'discovery_ahead');
SELECT statement FROM discovery_prepare_upgrade(NULL);
SELECT statement FROM discovery_prepare_upgrade('0.9');
SELECT statement FROM discovery_prepare_upgrade('+0');
SET default_transaction_read_only = on;
CALL discovery_run_ahead('1.1', 0, 'discovery_ahead');
RESET default_transaction_read_only;
-- Nothing is left of the failures, and nothing is to be undone.
SELECT count(*) FROM pg_class WHERE relnamespace = 'discovery_ahead'::regnamespace AND relname ~ 'preparation|__';
SELECT statement FROM discovery_cancel_upgrade();

-- A store that somebody altered is not prepared: the step would fail.
ALTER TABLE sources ALTER COLUMN name DROP NOT NULL;
SELECT statement FROM discovery_prepare_upgrade();
ALTER TABLE sources ALTER COLUMN name SET NOT NULL;

-- The first statement installs what keeps new rows as the step needs them.
SELECT statement FROM discovery_prepare_upgrade() LIMIT 1 \gexec
SELECT state, next_step FROM discovery_status();
SELECT * FROM left_over LIMIT 1;
SELECT object, kind FROM discovery_check();
-- A second content is refused as the unique index will refuse it. What was there twice can be changed.
INSERT INTO sources (id, notebook_id, name, source_type, content_hash) VALUES (n(50), n(1), 'again', 'text', hash(20));
INSERT INTO sources (id, notebook_id, name, source_type, content_hash) VALUES (n(50), n(1), 'again', 'text', hash(10));
\echo :SQLSTATE
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    VALUES (n(50), n(1), 'upper', 'text', upper(hash(50))), (n(51), n(2), 'deleted', 'text', hash(51));
SELECT name, content_hash = hash(50) AS is_folded FROM sources WHERE id = n(50);
UPDATE sources SET deleted_at = '2024-05-01' WHERE id = n(51);
INSERT INTO sources (id, notebook_id, name, source_type, content_hash) VALUES (n(52), n(2), 'anew', 'text', hash(51));
UPDATE sources SET deleted_at = NULL WHERE id = n(51);
UPDATE sources SET notebook_id = n(2), content_hash = hash(51) WHERE id = n(50);
UPDATE sources SET name = 'a duplicate, renamed' WHERE id = n(101);
-- Two of one statement.
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    VALUES (n(60), n(1), 'x', 'text', hash(60)), (n(61), n(1), 'y', 'text', hash(60));
SELECT sources, reason FROM discovery_deletions;
-- A trigger of the user's that writes the new row again makes no twin of it.
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN UPDATE sources SET url = ''touched'' WHERE id = new.id; RETURN NULL; END';
CREATE TRIGGER a_touch AFTER INSERT ON sources FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    VALUES (n(70), n(1), 'touched', 'text', hash(70));
INSERT INTO sources (id, notebook_id, name, source_type, content_hash) VALUES (n(71), n(1), 'twin', 'text', hash(70));
DROP TRIGGER a_touch ON sources;
DELETE FROM sources WHERE id = n(70);
-- The counts that clients write are ignored from here on.
UPDATE notebooks SET source_count = 1000 WHERE name = 'one';
SELECT name, source_count FROM notebooks ORDER BY name;

-- Each relies on the one before.
CALL discovery_run_ahead('1.1', 10, 'discovery_ahead');
\echo :SQLSTATE
-- In batches: hashes, duplicates, counts.
SELECT statement FROM discovery_prepare_upgrade() LIMIT 1 \gexec
SELECT name, content_hash = hash(1) AS is_folded FROM sources WHERE id BETWEEN n(101) AND n(104);
\set VERBOSITY terse
SELECT statement FROM discovery_prepare_upgrade() LIMIT 1 \gexec
\set VERBOSITY default
SELECT name, deleted_at IS NOT NULL AS is_deleted, deletion_id IS NOT NULL AS is_logged
FROM sources WHERE id BETWEEN n(101) AND n(104) ORDER BY id;
SELECT sources, reason FROM discovery_deletions ORDER BY 1;
SELECT statement FROM discovery_prepare_upgrade() LIMIT 1 \gexec
SELECT * FROM live;
SELECT * FROM scans;

-- A build that failed is built again.
CREATE UNIQUE INDEX CONCURRENTLY ix_sources_notebook_id__1_1 ON sources (source_type);
SELECT * FROM left_over;
CREATE INDEX ix_sources_deleted_hash__1_1 ON sources (name);
-- An operator of somebody else's is not taken into the index, whatever search_path the session has.
CREATE SCHEMA discovery_trap;
CREATE FUNCTION discovery_trap.trap(character varying, character varying) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RAISE ''trapped''; END';
CREATE OPERATOR discovery_trap.<> (FUNCTION = discovery_trap.trap,
    LEFTARG = character varying, RIGHTARG = character varying);
SET search_path = discovery_trap, pg_catalog, discovery_ahead;
SELECT statement FROM discovery_prepare_upgrade() \gexec
SET search_path = discovery_ahead;
DROP SCHEMA discovery_trap CASCADE;
SELECT * FROM left_over;
SELECT state, next_step FROM discovery_status();
SELECT object, kind FROM discovery_check();
SELECT * FROM scans;

-- What would break it is refused.
SELECT discovery_downgrade('base');
\echo :SQLSTATE
SELECT discovery_drop_store();
SELECT discovery_stamp('1.0');
SELECT discovery_autogenerate();

-- What makes it void is noticed: the step does the work again, and so does another preparation.
BEGIN;
ALTER TABLE sources DISABLE TRIGGER discovery_insert;
ALTER TABLE sources ENABLE TRIGGER discovery_insert;
SELECT * FROM scans;
ROLLBACK;
BEGIN;
DROP VIEW live;
ALTER TABLE sources ALTER COLUMN deleted_at TYPE timestamp USING deleted_at + interval '1 day';
SELECT * FROM scans WHERE statement IN ('UPDATE', 'WITH');
ROLLBACK;
BEGIN;
CREATE TABLE parent (LIKE sources);
ALTER TABLE sources INHERIT parent;
ALTER TABLE sources NO INHERIT parent;
SELECT * FROM scans WHERE statement IN ('UPDATE', 'WITH');
ROLLBACK;
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO sources (id, notebook_id, name, source_type, content_hash) VALUES (n(70), n(1), 'past it', 'text', 'x');
SELECT * FROM scans WHERE statement IN ('UPDATE', 'WITH');
SELECT * FROM left_over;
ROLLBACK;
BEGIN;
DROP INDEX ix_sources_notebook_hash__1_1;
CREATE INDEX ix_sources_notebook_hash__1_1 ON sources (notebook_id, content_hash)
    WHERE deleted_at IS NULL AND content_hash <> '';
SELECT * FROM scans;
ROLLBACK;
SELECT * FROM scans;

-- What somebody drops of it is made again; without its table and owner it is still one.
BEGIN;
ALTER TABLE sources DROP COLUMN hold_reason;
SELECT left(regexp_replace(statement, '\s+', ' ', 'g'), 100) AS statement FROM discovery_plan('1.1')
    WHERE statement ~ 'ADD COLUMN';
ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT object, kind FROM discovery_check();
ROLLBACK;
BEGIN;
DROP TABLE discovery_preparation;
SELECT state FROM discovery_status();
SELECT * FROM left_over;
ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT object, kind FROM discovery_check();
ROLLBACK;
BEGIN;
ALTER TABLE discovery_preparation OWNER TO discovery_ahead_stranger;
SELECT state FROM discovery_status();
ALTER EXTENSION discovery UPDATE TO '1.1';
ROLLBACK;
-- Undone, the old version goes on. What was logged since is data.
SELECT statement FROM discovery_cancel_upgrade();
\echo :SQLSTATE
CALL discovery_run_ahead('1.1', -1, 'discovery_ahead');
SET discovery.allow_data_loss = on;
SELECT number, statement, effect FROM discovery_cancel_upgrade();
SELECT statement FROM discovery_cancel_upgrade() \gexec
RESET discovery.allow_data_loss;
SELECT statement FROM discovery_cancel_upgrade();
SELECT state FROM discovery_status();
SELECT object, kind FROM discovery_check();
SELECT count(*) FROM pg_class
WHERE relnamespace = 'discovery_ahead'::regnamespace AND relname ~ 'preparation|__|deletions';
SELECT count(*), count(deleted_at) FROM sources;

-- Prepared again and upgraded.
SELECT statement FROM discovery_prepare_upgrade('+1', 'discovery_ahead') \gexec
SELECT state FROM discovery_status();
TRUNCATE sources;
INSERT INTO sources (id, notebook_id, name, source_type, content_hash) VALUES (n(80), n(2), 'after', 'text', hash(80));
SELECT * FROM scans;
ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT store_version, state FROM discovery_status();
SELECT object, kind FROM discovery_check();
SELECT * FROM live;
SELECT * FROM check_source_counts();
SELECT tgname FROM pg_trigger WHERE tgrelid IN ('sources'::regclass, 'notebooks'::regclass) AND tgname ~ 'twin|spoilt';
SELECT count(*) FROM pg_class WHERE relnamespace = 'discovery_ahead'::regnamespace AND relname ~ 'preparation|__';
SELECT statement FROM discovery_prepare_upgrade();
SELECT statement FROM discovery_cancel_upgrade();

-- The trigger function on a table of one's own.
CREATE TABLE own (id integer);
CREATE TRIGGER own BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION discovery_prepared('discovery_twin');
INSERT INTO own VALUES (1);
DROP TRIGGER own ON own;
CREATE TRIGGER own AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION discovery_prepared('discovery_twin');
INSERT INTO own VALUES (1);
DROP TRIGGER own ON own;
CREATE TRIGGER own BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION discovery_prepared('discovery_spoilt');
INSERT INTO own VALUES (1);
DROP TRIGGER own ON own;
CREATE TRIGGER own AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION discovery_prepared('discovery_spoilt');
INSERT INTO own VALUES (1);
DROP TRIGGER own ON own;
CREATE TRIGGER own AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION discovery_prepared('something else');
INSERT INTO own VALUES (1);
DROP TRIGGER own ON own;
CREATE TRIGGER own AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION discovery_prepared();
INSERT INTO own VALUES (1);
CREATE TABLE keyless (id uuid, notebook_id uuid, content_hash text, deleted_at timestamp);
CREATE TRIGGER own AFTER INSERT ON keyless FOR EACH ROW EXECUTE FUNCTION discovery_prepared('discovery_twin');
INSERT INTO keyless VALUES (n(1), n(1), 'x', NULL);
SELECT discovery_prepared();

-- An extension of the new version and a store of the old one, as after a restore: the same statements, the same step.
CREATE SCHEMA discovery_ahead_two;
SET search_path = discovery_ahead_two, discovery_ahead;
SELECT discovery_create_store('discovery_ahead_two');
SELECT discovery_downgrade('1.0', 'discovery_ahead_two');
SELECT state FROM discovery_status() WHERE schema = 'discovery_ahead_two';
SELECT statement FROM discovery_prepare_upgrade('1.1', 'discovery_ahead_two') \gexec
SELECT state, next_step FROM discovery_status() WHERE schema = 'discovery_ahead_two';
SELECT discovery_upgrade('head', 'discovery_ahead_two');
SELECT object, kind FROM discovery_check('discovery_ahead_two');

-- The owner of the schema, who is not that of the store, puts a view in the place of a table: no code of his runs.
CREATE ROLE discovery_ahead_mallory;
CREATE SCHEMA discovery_ahead_shop AUTHORIZATION discovery_ahead_mallory;
SET search_path = discovery_ahead_shop, discovery_ahead;
SELECT discovery_create_store('discovery_ahead_shop');
SELECT discovery_downgrade('1.0', 'discovery_ahead_shop');
SELECT statement FROM discovery_prepare_upgrade('1.1', 'discovery_ahead_shop') LIMIT 2 \gexec
SET ROLE discovery_ahead_mallory;
CREATE FUNCTION stolen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''stolen by %'', current_user; END';
DROP TABLE discovery_deletions;
CREATE VIEW discovery_deletions AS SELECT NULL::uuid AS id, ''::text AS login_role, ''::text AS acting_role,
    ''::text AS reason, 0::bigint AS sources;
CREATE TRIGGER stolen INSTEAD OF INSERT ON discovery_deletions FOR EACH ROW EXECUTE FUNCTION stolen();
GRANT ALL ON discovery_deletions TO PUBLIC;
RESET ROLE;
INSERT INTO notebooks (id, name) VALUES (n(1), 'one');
ALTER TABLE sources DISABLE TRIGGER ALL;
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    VALUES (n(1), n(1), 'a', 'text', 'a'), (n(2), n(1), 'b', 'text', 'a');
ALTER TABLE sources ENABLE TRIGGER ALL;
SELECT statement FROM discovery_prepare_upgrade('1.1', 'discovery_ahead_shop') LIMIT 1 \gexec
SELECT discovery_upgrade('1.1', 'discovery_ahead_shop');

SET search_path = public;
DROP SCHEMA discovery_ahead_shop CASCADE;
DROP ROLE discovery_ahead_mallory;
DROP EXTENSION discovery CASCADE;
DROP SCHEMA discovery_ahead CASCADE;
DROP SCHEMA discovery_ahead_two CASCADE;
DROP ROLE discovery_ahead_stranger;
