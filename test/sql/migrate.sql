-- What Alembic's commands do, by functions and by ALTER EXTENSION: upgrade to
-- head, by steps and to a version; downgrade likewise, and to base; current,
-- history, stamp. Rows stay, the record says who did what.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_keeper;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_discovery_keeper', current_database()); END $$;
CREATE SCHEMA discovery_migrate AUTHORIZATION regress_discovery_keeper;
SET search_path = discovery_migrate;
SET ROLE regress_discovery_keeper;
RESET client_min_messages;

-- alembic upgrade REV, on an empty database
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_migrate;
SELECT discovery_version();
INSERT INTO notebooks (id, name, source_count) VALUES ('00000000-0000-0000-0000-00000000000a', 'Notebook', 3);
INSERT INTO sources (id, notebook_id, name, source_type, content_hash, deleted_at)
    SELECT md5('source ' || n)::uuid, '00000000-0000-0000-0000-00000000000a', 'Source ' || n, 'text', 'hash ' || n,
           CASE WHEN n = 3 THEN timestamp '2025-01-01' END
    FROM generate_series(1, 3) AS n;

-- alembic current
SELECT store_version, extension_version, state FROM discovery_status();

-- alembic upgrade +1
SELECT discovery_upgrade('+1');
SELECT store_version, extension_version, state FROM discovery_status();
SELECT name, source_count FROM notebooks;
SELECT object, kind FROM discovery_check();

-- again: nothing to do, and it says so
SELECT discovery_upgrade('1.1');

-- alembic downgrade -1
SELECT discovery_downgrade();
SELECT store_version, extension_version FROM discovery_status();
SELECT name, deleted_at IS NOT NULL AS is_deleted FROM sources ORDER BY name;
SELECT object, kind FROM discovery_check();

-- alembic upgrade REV, downgrade REV
SELECT discovery_upgrade('1.1');
SELECT discovery_downgrade('1.0');

-- PostgreSQL's own commands do the same.
ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT discovery_version();
ALTER EXTENSION discovery UPDATE TO '1.1';
ALTER EXTENSION discovery UPDATE TO '1.0';
SELECT discovery_version();
SELECT object, kind FROM discovery_check();

-- An upgrade can be tried in a transaction, and is undone by its ROLLBACK.
BEGIN;
SELECT discovery_upgrade('1.1');
SELECT count(*) AS live FROM live_sources;
ROLLBACK;
SELECT discovery_version();

-- alembic history --verbose: the record, in the order of time
SELECT discovery_upgrade('1.1');
SELECT version, direction, from_version, description, applied_by = session_user AS by_login,
       applied_at <= clock_timestamp() AND duration >= interval '0' AS has_time,
       checksum ~ '^[0-9a-f]{64}$' AS has_checksum
    FROM discovery_history() WHERE direction IS NOT NULL;
SELECT DISTINCT version, mark LIKE 'current%' AS is_current FROM discovery_history() WHERE version < '1.2' ORDER BY 1;
-- each direction of a step has a checksum of its own, always the same one
SELECT version, direction, count(*), count(DISTINCT checksum) AS checksums FROM discovery_history()
    WHERE direction IN ('upgrade', 'downgrade') GROUP BY 1, 2 ORDER BY 1, 2;

-- A version that was never applied is in the history, too.
CREATE SCHEMA discovery_second;
SELECT discovery_create_store('discovery_second') = discovery_version() AS same_version;
SELECT discovery_downgrade('1.0', 'discovery_second');
SELECT version, direction, from_version, description FROM discovery_history('discovery_second') WHERE version < '1.2';
-- the other store of the database stays unchanged
SELECT discovery_version(), discovery_version('discovery_second');

-- alembic stamp REV: for a user who ran a step by hand; no step runs
ALTER TABLE discovery_second.discovery_migrations ALTER COLUMN version SET DEFAULT '1.1';
SELECT discovery_version('discovery_second'), count(*) > 0 AS differs
    FROM discovery_check('discovery_second') WHERE kind <> 'extra';
SELECT discovery_stamp('1.0', 'discovery_second');
SELECT discovery_stamp('1.0', 'discovery_second');
SELECT object, kind FROM discovery_check('discovery_second');
SELECT version, direction, from_version, description, checksum
    FROM discovery_history('discovery_second') WHERE direction = 'stamp';

-- alembic downgrade base: drops the tables; if they have rows, only if data loss is allowed
SELECT discovery_downgrade('base', 'discovery_second');
SELECT discovery_downgrade('base');
SET discovery.allow_data_loss = on;
SELECT discovery_downgrade('base');
SELECT relname FROM pg_class
    WHERE relnamespace IN ('discovery_migrate'::regnamespace, 'discovery_second'::regnamespace)
      AND relname !~ '^discovery_(own_)?calls' ORDER BY relname COLLATE "C";
SELECT schema, store_version, state, next_step FROM discovery_status();
-- and up again from there
SELECT discovery_create_store('discovery_migrate') = extversion AS is_the_extensions
    FROM pg_extension WHERE extname = 'discovery';

-- Every update path that PostgreSQL finds between two versions goes in one direction.
SELECT count(*) > 0 AS there_are,
       bool_and(CASE WHEN source::numeric < target::numeric THEN up ELSE down END) AS all_monotonic
FROM (SELECT source, target, bool_and(is_up) AS up, bool_and(NOT is_up) AS down
      FROM pg_extension_update_paths('discovery') AS p,
           LATERAL (SELECT string_to_array(path, '--') AS way) AS a,
           LATERAL (SELECT way[n]::numeric < way[n + 1]::numeric AS is_up
                    FROM generate_series(1, cardinality(way) - 1) AS n) AS b
      GROUP BY source, target) AS ways;

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA discovery_migrate, discovery_second CASCADE;
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_discovery_keeper', current_database()); END $$;
DROP ROLE regress_discovery_keeper;
