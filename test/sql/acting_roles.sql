-- Plain SQL of two roles in one transaction makes two deletions, each with the role whose rights it used: nobody hides
-- behind a function of somebody else.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_mallory;
CREATE SCHEMA discovery_roles;
CREATE EXTENSION discovery SCHEMA discovery_roles;
SET search_path = discovery_roles;
GRANT USAGE ON SCHEMA discovery_roles TO regress_discovery_mallory;
GRANT SELECT, UPDATE ON sources TO regress_discovery_mallory;
GRANT SELECT ON notebooks TO regress_discovery_mallory;
INSERT INTO notebooks (name) VALUES ('a');
INSERT INTO sources (notebook_id, name, source_type)
    SELECT id, 's' || n, 'file' FROM notebooks, generate_series(1, 4) AS n;
CREATE FUNCTION tidy() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = discovery_roles, pg_temp
    AS $$ UPDATE sources SET deleted_at = now() WHERE name = 's1' $$;
SET ROLE regress_discovery_mallory;
BEGIN;
SAVEPOINT s;
SELECT tidy();
ROLLBACK TO s;
UPDATE sources SET deleted_at = now() WHERE name IN ('s2', 's3');
COMMIT;
BEGIN;
UPDATE sources SET deleted_at = now() WHERE name = 's4';
SELECT tidy();
COMMIT;
RESET ROLE;
SELECT acting_role = session_user AS by_owner, acting_role LIKE '%mallory' AS by_mallory, sources
    FROM discovery_deletions ORDER BY deleted_at, id;
DROP SCHEMA discovery_roles CASCADE;
DROP ROLE regress_discovery_mallory;
