-- The owner of a store may not see all rows of a table that refers to it: then it is not known that none would be lost.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_ext;
SET discovery.create_store = off;
CREATE EXTENSION discovery SCHEMA discovery_ext;
CREATE ROLE regress_discovery_owner;
GRANT USAGE ON SCHEMA discovery_ext TO regress_discovery_owner;
CREATE SCHEMA discovery_owned AUTHORIZATION regress_discovery_owner;
SET search_path = discovery_owned, discovery_ext;
SET ROLE regress_discovery_owner;
SELECT discovery_create_store('discovery_owned') IS NOT NULL AS has_store;
\set a '\'00000000-0000-4000-8000-00000000000a\''
INSERT INTO notebooks (id, name) VALUES (:a, 'a');
RESET ROLE;
CREATE TABLE discovery_ext.favorites (notebook uuid REFERENCES notebooks ON DELETE CASCADE, whose name);
INSERT INTO favorites VALUES (:a, 'ann');
SET ROLE regress_discovery_owner;
SELECT delete_notebook(:a);
RESET ROLE;
GRANT SELECT ON favorites TO regress_discovery_owner;
ALTER TABLE favorites ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON favorites USING (whose = current_user);
SET ROLE regress_discovery_owner;
SELECT delete_notebook(:a);
SELECT * FROM preview_delete_notebook(:a) WHERE table_name ~ 'favorites';
RESET ROLE;
ALTER TABLE favorites DISABLE ROW LEVEL SECURITY;
SET ROLE regress_discovery_owner;
SELECT delete_notebook(:a);
RESET ROLE;
TRUNCATE favorites;
SET ROLE regress_discovery_owner;
SELECT sources, outputs FROM delete_notebook(:a);

-- A superuser restores as the owner, also in a schema in which others may create objects, which the owner's code does
-- not search: the soft-deleted sources, too.
SELECT table_name, outcome FROM restore_deletion((SELECT deletion_id FROM deleted_notebooks));
INSERT INTO sources (notebook_id, name, source_type) VALUES (:a, 's', 'file'), (:a, 't', 'file');
SELECT deletion_id AS soft FROM delete_source((SELECT id FROM sources WHERE name = 's')) \gset
SELECT deletion_id AS moved FROM delete_notebook(:a) \gset
RESET ROLE;
GRANT CREATE ON SCHEMA discovery_owned TO PUBLIC;
SELECT table_name, outcome FROM restore_deletion(:'moved') ORDER BY 1, 2;
SELECT table_name, outcome FROM restore_deletion(:'soft');
SELECT name, source_count FROM notebooks;
DROP SCHEMA discovery_owned CASCADE;
DROP SCHEMA discovery_ext CASCADE;
DROP ROLE regress_discovery_owner;
