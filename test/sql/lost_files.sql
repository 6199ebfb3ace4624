-- discovery_lost_files lists each path that a source loses, whichever way: a restore
-- with another path, an UPDATE, a DELETE, a cascade, a purge. An entry comes and goes
-- with its transaction, and is written for roles that may not write the list.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_lost;
CREATE EXTENSION discovery SCHEMA discovery_lost;
SET search_path = discovery_lost;
INSERT INTO notebooks (name) VALUES ('A') RETURNING id AS book \gset
CREATE VIEW lost AS
    SELECT file_path, lost_at BETWEEN now() - interval '1 hour' AND clock_timestamp() AS just_now
    FROM discovery_lost_files ORDER BY file_path COLLATE "C";

-- A restore with another path; with the same one, or without, nothing is lost.
SELECT id FROM add_source(:'book', 'r.pdf', 'file', content => '%PDF', file_path => '/files/1') \gset
SELECT deleted FROM delete_source(:'id');
SELECT outcome FROM add_source(:'book', 'r.pdf', 'file', content => '%PDF', file_path => '/files/1');
SELECT deleted FROM delete_source(:'id');
SELECT outcome FROM add_source(:'book', 'r.pdf', 'file', content => '%PDF');
SELECT deleted FROM delete_source(:'id');
TABLE lost;
SELECT outcome FROM add_source(:'book', 'r.pdf', 'file', content => '%PDF', file_path => '/files/2');
TABLE lost;
-- A purge
SELECT deleted FROM delete_source(:'id');
SELECT pg_sleep(0.02) \g /dev/null
SELECT file_path FROM purge_deleted_sources('0');
TABLE lost;
DELETE FROM discovery_lost_files;

-- Plain SQL
INSERT INTO sources (notebook_id, name, source_type, content_hash, file_path)
    SELECT :'book', n, 'file', 'hash ' || n, '/files/' || n FROM generate_series(1, 7) AS n;
INSERT INTO sources (notebook_id, name, source_type, content_hash) VALUES (:'book', 'none', 'file', 'none');
UPDATE sources SET name = name || '!', file_path = file_path;
UPDATE sources SET file_path = '/files/none' WHERE name = 'none!';
TABLE lost;
UPDATE sources SET file_path = '/files/1 moved' WHERE name = '1!';
UPDATE sources SET file_path = NULL WHERE name = '2!';
UPDATE sources SET deleted_at = now() WHERE name = '3!';
DELETE FROM sources WHERE name IN ('3!', '4!');
BEGIN;
DELETE FROM sources WHERE name = '5!';
SAVEPOINT s;
DELETE FROM sources WHERE name = '6!';
ROLLBACK TO s;
COMMIT;
BEGIN;
DELETE FROM sources;
ROLLBACK;
TABLE lost;
-- A path longer than an index could hold
UPDATE sources SET file_path = repeat(md5('1') || md5('2'), 200) WHERE name = '7!';
UPDATE sources SET file_path = NULL WHERE name = '7!';
SELECT length(file_path) FROM discovery_lost_files ORDER BY id DESC LIMIT 1;
DELETE FROM discovery_lost_files;

-- By a role that has no rights on the list: a cascade
CREATE ROLE regress_discovery_lost;
GRANT USAGE ON SCHEMA discovery_lost TO regress_discovery_lost;
GRANT SELECT, DELETE ON notebooks TO regress_discovery_lost;
SET ROLE regress_discovery_lost;
SELECT * FROM discovery_lost_files;
DELETE FROM notebooks;
RESET ROLE;
TABLE lost;

-- What has been lost is data.
DROP VIEW lost;
SELECT discovery_downgrade('1.0');
\echo :SQLSTATE
DELETE FROM discovery_lost_files;
DELETE FROM discovery_deletions;
SELECT discovery_downgrade('1.0');
SELECT discovery_upgrade('1.1');

-- Another object in the place of the list
INSERT INTO notebooks (name) VALUES ('B') RETURNING id AS book \gset
INSERT INTO sources (notebook_id, name, source_type, file_path) VALUES (:'book', 'x', 'file', '/x');
ALTER TABLE discovery_lost_files RENAME TO aside;
DELETE FROM sources;
\echo :SQLSTATE
CREATE VIEW discovery_lost_files AS SELECT * FROM aside;
DELETE FROM sources;
DROP VIEW discovery_lost_files;
ALTER TABLE aside RENAME TO discovery_lost_files;
ALTER TABLE discovery_lost_files OWNER TO regress_discovery_lost;
DELETE FROM sources;
ALTER TABLE discovery_lost_files OWNER TO CURRENT_USER;
DELETE FROM sources;

DROP OWNED BY regress_discovery_lost;
DROP ROLE regress_discovery_lost;
DROP SCHEMA discovery_lost CASCADE;
