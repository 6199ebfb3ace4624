-- discovery_plan(): what an upgrade or a downgrade would run, with the locks, the
-- scans and rewrites, and whether data can be lost. It runs nothing. (That what
-- it says is so: test/t/plan_locks.pl.)
SET client_min_messages = warning;
CREATE SCHEMA discovery_plan;
SET search_path = discovery_plan;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_plan;
-- Of each statement, only the first line that is no comment is shown.
CREATE FUNCTION pg_temp.first_line(statement text) RETURNS text LANGUAGE sql RETURN
    (SELECT left(line, 70) FROM regexp_split_to_table(statement, '\n') AS line WHERE line !~ '^ *--' LIMIT 1);
\pset null '-'

SELECT step, number, pg_temp.first_line(statement) AS statement, locks, effect, can_lose_data
    FROM discovery_plan('1.1');
SELECT step, number, pg_temp.first_line(statement) AS statement, locks, effect, can_lose_data
    FROM discovery_plan('base');
SELECT count(*) AS steps FROM discovery_plan('1.0');
-- The statements are complete, and name the schemas of this store.
SELECT statement FROM discovery_plan('1.1') WHERE number = 2;
SELECT bool_and(statement !~ '@(store|extschema|compression)@') AS all_placed FROM discovery_plan('1.1');
SELECT md5(string_agg(statement, ';')) = (SELECT md5(string_agg(statement, ';')) FROM discovery_plan('+1')) AS same
    FROM discovery_plan('1.1');
-- head is the default.
SELECT (SELECT count(*) FROM discovery_plan()) = (SELECT count(*) FROM discovery_plan('head')) AS same;

SELECT discovery_upgrade('1.1');
SELECT step, number, pg_temp.first_line(statement) AS statement, locks, effect, can_lose_data
    FROM discovery_plan('-1');
SELECT step, count(*) AS statements, bool_or(can_lose_data) AS can_lose_data
    FROM discovery_plan('base') GROUP BY step ORDER BY min(number), step DESC;
SELECT discovery_version() AS still_at;
-- a store in another schema, whose name needs quotes
CREATE SCHEMA "Another Store";
SELECT discovery_create_store('Another Store');
SELECT statement, locks FROM discovery_plan('1.0', 'Another Store') WHERE number IN (2, 3);

-- Targets that cannot be reached. (The HINT names the newest version.)
\set VERBOSITY terse
SELECT * FROM discovery_plan('+9');
\echo :SQLSTATE
SELECT * FROM discovery_plan('-3');
SELECT * FROM discovery_plan('1.7');
SELECT * FROM discovery_plan('nonsense');
\echo :SQLSTATE

DROP SCHEMA discovery_plan, "Another Store" CASCADE;
