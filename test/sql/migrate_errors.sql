-- What upgrade, downgrade, stamp, check and plan refuse, each with its SQLSTATE: bad targets, missing rights, a
-- session whose state does not allow it. After each error the store is unchanged. (What a store itself refuses:
-- migrate_refused.)
SET client_min_messages = warning;
CREATE ROLE regress_discovery_keeper;
CREATE ROLE regress_discovery_other;
CREATE SCHEMA discovery_bad AUTHORIZATION regress_discovery_keeper;
GRANT USAGE ON SCHEMA discovery_bad TO regress_discovery_other;
SET search_path = discovery_bad;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_bad;
SELECT discovery_drop_store();
SET ROLE regress_discovery_keeper;
SELECT discovery_create_store();
RESET ROLE;

--
-- Targets
--

-- Each word is given to all three functions; a word that is right for one of them is wrong for the others.
CREATE FUNCTION pg_temp.said(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    hint text;
BEGIN
    EXECUTE command INTO answer;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN format('%s %s %s', SQLSTATE, SQLERRM,
                  '/ ' || nullif(replace(hint, (SELECT max(newest_version) FROM discovery_status()), 'NEWEST'), ''));
END $$;
SELECT word, format('discovery_%s', name) AS function,
       pg_temp.said(format('SELECT discovery_%s(%L)', name, word)) AS said
FROM unnest(ARRAY['', ' ', '+0', '+9', '+', '+-1', '+1.0', '+99999999999', '-5', '-0', '-', '--1', '1', '1.', '.1',
                  '1.00', '01.0', '1.0 ', ' 1.0', '1.0.0', '9.9', '0.0', '1.9999999', 'HEAD', 'Base', 'heads',
                  '913390ba554c', '1.0''; SELECT 1; --', 'é'])
     WITH ORDINALITY AS words (word, number), unnest(ARRAY['upgrade', 'downgrade', 'stamp']) AS name
ORDER BY number, name DESC;

-- Valid targets in the wrong direction.
SELECT discovery_upgrade('base');
SELECT discovery_upgrade('-1');
SELECT discovery_downgrade('head');
SELECT discovery_downgrade('+1');
SELECT discovery_downgrade('1.1');
\echo :SQLSTATE
SELECT discovery_downgrade('1.0');
SELECT discovery_downgrade('-2');
SELECT discovery_version() AS still_at;
SELECT discovery_upgrade('1.1');
SELECT discovery_upgrade('1.0');
\echo :SQLSTATE
SELECT discovery_downgrade('1.1');
SELECT discovery_downgrade('-3');
\echo :SQLSTATE
SELECT discovery_downgrade('1.0');

-- NULL, and a schema that does not exist or has no store
SELECT discovery_upgrade(NULL);
\echo :SQLSTATE
SELECT discovery_downgrade(NULL);
SELECT discovery_stamp(NULL);
SELECT * FROM discovery_plan(NULL);
\echo :SQLSTATE
SELECT discovery_upgrade('head', 'discovery_nowhere');
\echo :SQLSTATE
SELECT discovery_downgrade('base', 'public');
\echo :SQLSTATE
SELECT discovery_stamp('1.0', 'public');
SELECT * FROM discovery_check('public');
SELECT * FROM discovery_plan('head', 'public');
SELECT * FROM discovery_history('public');
SELECT * FROM discovery_autogenerate('public');
\echo :SQLSTATE
SET search_path = public;
SELECT discovery_bad.discovery_upgrade();
\echo :SQLSTATE
SET search_path = discovery_bad;
ALTER EXTENSION discovery UPDATE TO '9.9';
\echo :SQLSTATE

-- A version with another shape than the store's cannot be stamped: the error lists the differences.
BEGIN;
ALTER TABLE notebooks DROP COLUMN description, ALTER COLUMN name TYPE varchar(300), ADD COLUMN own integer;
SELECT discovery_stamp('1.0');
\echo :SQLSTATE
ROLLBACK;
SELECT pg_temp.said($$SELECT discovery_stamp('1.1')$$);
SELECT pg_temp.said($$SELECT discovery_stamp('base')$$);
\echo :SQLSTATE

--
-- Rights
--

-- A role that does not own the store.
GRANT ALL ON ALL TABLES IN SCHEMA discovery_bad TO regress_discovery_other;
SET ROLE regress_discovery_other;
SELECT discovery_upgrade('1.1');
\echo :SQLSTATE
SELECT discovery_downgrade('base');
SELECT discovery_stamp('1.0');
\echo :SQLSTATE
RESET ROLE;
-- The store's owner, who does not own the extension: the store cannot be upgraded above the extension's version.
SET ROLE regress_discovery_keeper;
SELECT discovery_upgrade('1.1');
\echo :SQLSTATE
ALTER EXTENSION discovery UPDATE TO '1.1';
\echo :SQLSTATE
SELECT discovery_version() AS still_at;
-- Only the scripts may call their function.
SELECT discovery_run_step('1.0', '1.1');
\echo :SQLSTATE
RESET ROLE;
SELECT discovery_run_step('1.0', '1.1');
\echo :SQLSTATE

--
-- The state of the session
--

BEGIN READ ONLY;
SELECT discovery_upgrade('1.1');
\echo :SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT discovery_downgrade('base');
\echo :SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT discovery_stamp('1.0');
\echo :SQLSTATE
ROLLBACK;
-- Functions that only read work in a read-only transaction.
BEGIN READ ONLY;
SELECT count(*) AS differences FROM discovery_check();
SELECT count(*) > 10 AS statements FROM discovery_plan('1.1');
SELECT count(*) FILTER (WHERE direction = 'install') AS installed FROM discovery_history();
SELECT count(*) AS changes FROM discovery_autogenerate();
ROLLBACK;

-- A cursor of this session is open on a table.
INSERT INTO notebooks (id, name) VALUES (gen_random_uuid(), 'Notebook');
BEGIN;
DECLARE reading CURSOR FOR SELECT name FROM notebooks;
FETCH reading;
-- PostgreSQL 18 and newer print the script in CONTEXT, too.
\set SHOW_CONTEXT never
SELECT discovery_upgrade('1.1');
\echo :SQLSTATE
\set SHOW_CONTEXT errors
ROLLBACK;
SELECT discovery_version() AS still_at;

-- Two rows make two calls, of which the second finds nothing to do.
SELECT discovery_upgrade('1.1') FROM generate_series(1, 2);
SELECT discovery_downgrade('1.0');

DROP SCHEMA discovery_bad CASCADE;
DROP ROLE regress_discovery_keeper, regress_discovery_other;
