-- discovery_status() estimates the rows of a store: 0 only if there are none, and
-- NULL if nobody has counted them.
SET client_min_messages = warning;
CREATE SCHEMA discovery_status_rows;
SET search_path = discovery_status_rows;
CREATE EXTENSION discovery SCHEMA discovery_status_rows;
CREATE VIEW rows AS SELECT notebooks, sources FROM discovery_status() WHERE schema = 'discovery_status_rows';
\pset null unknown
TABLE rows;
ALTER TABLE notebooks SET (autovacuum_enabled = off);
INSERT INTO notebooks (name) VALUES ('A'), ('B');
-- What a restored backup, a standby or a crash forgets:
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT pg_stat_reset_single_table_counters('notebooks'::regclass) \g /dev/null
TABLE rows;
ANALYZE notebooks;
TABLE rows;
DELETE FROM notebooks;
VACUUM notebooks;
TABLE rows;
DROP SCHEMA discovery_status_rows CASCADE;
