-- Whose rights code of others has: nothing of a store's owner runs as a superuser who looks at the store or works on
-- it, nothing of a role that may only insert runs as the owner, and nothing that the owner's code sets stays in the
-- session of others. The store belongs to a role without privileges; a sequence counts how often its code runs as
-- somebody else.
SET client_min_messages = warning;
CREATE EXTENSION discovery;
CREATE ROLE regress_discovery_mallory;
CREATE ROLE regress_discovery_inserter;
CREATE SCHEMA discovery_mallory AUTHORIZATION regress_discovery_mallory;
CREATE SEQUENCE public.runs_as_other MINVALUE 0;
GRANT ALL ON SEQUENCE public.runs_as_other TO PUBLIC;
SELECT nextval('public.runs_as_other');

SET ROLE regress_discovery_mallory;
SELECT discovery_create_store('discovery_mallory');
CREATE FUNCTION discovery_mallory.evil() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user <> 'regress_discovery_mallory' THEN PERFORM nextval('public.runs_as_other'); END IF;
    RETURN 1;
END $$;
-- The planner folds it when it plans a query over the table.
CREATE INDEX evil ON discovery_mallory.discovery_migrations ((discovery_mallory.evil()));
CREATE INDEX evil_notebooks ON discovery_mallory.notebooks ((discovery_mallory.evil()));
CREATE INDEX evil_sources ON discovery_mallory.sources ((discovery_mallory.evil()));
CREATE INDEX evil_deletions ON discovery_mallory.discovery_deletions ((discovery_mallory.evil()));
-- His triggers, at once and at commit; one changes the settings of the session.
CREATE FUNCTION discovery_mallory.evil_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM discovery_mallory.evil();
    PERFORM set_config('search_path', 'discovery_mallory', false), set_config('discovery.reason', 'his', false);
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER evil BEFORE INSERT OR UPDATE OR DELETE ON discovery_mallory.sources
    FOR EACH ROW EXECUTE FUNCTION discovery_mallory.evil_row();
CREATE TRIGGER evil BEFORE UPDATE ON discovery_mallory.notebooks
    FOR EACH ROW EXECUTE FUNCTION discovery_mallory.evil_row();
INSERT INTO discovery_mallory.notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'Hers');
INSERT INTO discovery_mallory.sources (id, notebook_id, name, source_type, extracted_text)
    SELECT format('00000000-0000-4000-9000-00000000000%s', n)::uuid, '00000000-0000-4000-8000-000000000001',
           'Source ' || n, 'text', 'Text ' || n
    FROM generate_series(1, 4) AS n;
RESET ROLE;
RESET search_path;
RESET discovery.reason;

-- A superuser looks.
SELECT count(*) > 0 AS checked FROM discovery_check('discovery_mallory');
SELECT count(*) > 0 AS history FROM discovery_history('discovery_mallory');
SELECT count(*) > 0 AS plan FROM discovery_plan('1.0', 'discovery_mallory');
SELECT count(*) > 0 AS shape FROM discovery_shape('discovery_mallory');
SELECT count(*) > 0 AS status FROM discovery_status();
SELECT count(*) > 0 AS generated FROM discovery_autogenerate('discovery_mallory');
SELECT discovery_version('discovery_mallory');
SET search_path = discovery_mallory, public;
SELECT count(*) FROM find_duplicate_sources();
SELECT count(*) FROM check_source_hashes();
SELECT count(*) FROM check_source_counts();
SELECT count(*) FROM list_source_deletions();
-- A superuser works on it.
SELECT outcome FROM add_source('00000000-0000-4000-8000-000000000001', 'Added', 'text', extracted_text => 'Added');
SELECT deletion_id, deleted FROM delete_sources(ARRAY(SELECT format('00000000-0000-4000-9000-00000000000%s', n)::uuid
                                                      FROM generate_series(1, 3) AS n), 'mine') \gset
SELECT :deleted AS deleted;
SELECT count(*) FROM preview_restore(:'deletion_id');
SELECT outcome FROM restore_source('00000000-0000-4000-9000-000000000001');
SELECT outcome FROM restore_sources(:'deletion_id');
SELECT deleted FROM delete_source('00000000-0000-4000-9000-000000000002');
SELECT hold_source('00000000-0000-4000-9000-000000000002', 'held');
SELECT release_source('00000000-0000-4000-9000-000000000002');
-- The clock of ids goes by milliseconds.
SELECT pg_sleep(0.01);
SELECT count(*) FROM purge_deleted_sources('0');
SET session_replication_role = replica;
UPDATE discovery_mallory.notebooks SET source_count = 9;
RESET session_replication_role;
SELECT repair_source_counts();
SELECT count(*) FROM check_source_counts();
SELECT last_value AS ran_as_other FROM public.runs_as_other;
-- What the triggers set, they did not set here; and the log knows who had connected.
SHOW search_path;
SELECT current_setting('discovery.reason') AS reason;
SELECT login_role = session_user AS by_me, acting_role, reason FROM discovery_mallory.discovery_deletions ORDER BY id;

-- A deferred trigger would run at commit, as the superuser: it is refused.
SET ROLE regress_discovery_mallory;
CREATE CONSTRAINT TRIGGER evil_deferred AFTER UPDATE ON discovery_mallory.notebooks DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION discovery_mallory.evil_row();
RESET ROLE;
SET session_replication_role = replica;
UPDATE discovery_mallory.notebooks SET source_count = 9;
RESET session_replication_role;
SELECT repair_source_counts();
-- Its owner repairs it himself.
SET ROLE regress_discovery_mallory;
SELECT public.repair_source_counts();
RESET ROLE;
RESET search_path;
RESET discovery.reason;
SELECT last_value AS ran_as_other FROM public.runs_as_other;
DROP SCHEMA discovery_mallory CASCADE;

-- A role that may only insert: the counts are written as the owner, whose triggers then run. A name without a schema
-- in them means an object of the store's schema, never a temporary one of the role's.
CREATE TABLE audit_log (name text, path text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log VALUES (NEW.name, current_setting('search_path'));
    RETURN NEW;
END $$;
CREATE TRIGGER audit AFTER UPDATE ON notebooks FOR EACH ROW EXECUTE FUNCTION audit();
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'Audited');
GRANT INSERT ON sources TO regress_discovery_inserter;
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$;
SET ROLE regress_discovery_inserter;
CREATE FUNCTION pg_temp.evil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'regress_discovery_inserter' THEN PERFORM nextval('public.runs_as_other'); END IF;
    RETURN NEW;
END $$;
CREATE TEMPORARY TABLE audit_log (name text, path text);
CREATE TRIGGER evil BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION pg_temp.evil();
GRANT ALL ON pg_temp.audit_log TO PUBLIC;
INSERT INTO public.sources (notebook_id, name, source_type)
    VALUES ('00000000-0000-4000-8000-000000000001', 'Inserted', 'file');
RESET ROLE;
DROP TABLE pg_temp.audit_log;
SELECT * FROM public.audit_log;
-- Where others can create objects in the schema, it is not in the path.
GRANT CREATE ON SCHEMA public TO regress_discovery_inserter;
ALTER FUNCTION audit() SET search_path FROM CURRENT;
CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.audit_log VALUES (NEW.name, current_setting('search_path'));
    RETURN NEW;
END $$;
SET ROLE regress_discovery_inserter;
INSERT INTO public.sources (notebook_id, name, source_type)
    VALUES ('00000000-0000-4000-8000-000000000001', 'Inserted again', 'file');
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM regress_discovery_inserter;
SELECT * FROM public.audit_log;
SELECT last_value AS ran_as_other FROM public.runs_as_other;

-- The opposite: where a function works with the caller's rights, his policies see his search_path.
DROP TRIGGER audit ON notebooks;
CREATE SCHEMA discovery_policies;
GRANT USAGE ON SCHEMA discovery_policies TO regress_discovery_inserter;
CREATE TABLE discovery_policies.tenants (role name, notebook uuid);
GRANT SELECT ON discovery_policies.tenants TO regress_discovery_inserter;
INSERT INTO discovery_policies.tenants VALUES ('regress_discovery_inserter', '00000000-0000-4000-8000-000000000001');
CREATE FUNCTION may_see(uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM tenants WHERE role = current_user AND notebook = $1);
END $$;
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON sources TO regress_discovery_inserter USING (may_see(notebook_id));
GRANT SELECT, UPDATE, DELETE ON sources TO regress_discovery_inserter;
GRANT SELECT ON notebooks, discovery_deletions TO regress_discovery_inserter;
SET search_path = public, discovery_policies;
SET ROLE regress_discovery_inserter;
SELECT id FROM sources ORDER BY id LIMIT 1 \gset
SELECT outcome FROM add_source('00000000-0000-4000-8000-000000000001', 'Mine', 'text', extracted_text => 'Mine');
SELECT deletion_id, deleted FROM delete_source(:'id') \gset
SELECT count(*) FROM preview_restore(:'deletion_id');
SELECT outcome FROM restore_sources(:'deletion_id');
SELECT deleted FROM delete_sources(ARRAY[:'id']::uuid[]);
SELECT outcome FROM restore_source(:'id');
SELECT hold_source(:'id', 'held');
SELECT release_source(:'id');
SELECT count(*) FROM find_duplicate_sources();
SELECT count(*) FROM check_source_hashes();
SELECT count(*) FROM list_source_deletions();
SELECT count(*) FROM purge_deleted_sources('0');
RESET ROLE;
RESET search_path;

-- delete_sources() without a reason takes the one in discovery.reason, as plain SQL does.
SET discovery.reason = 'from the setting';
SELECT deletion_id FROM delete_sources(ARRAY[:'id']::uuid[]) \gset
SELECT reason FROM discovery_deletions WHERE id = :'deletion_id';
RESET discovery.reason;

ALTER TABLE sources DISABLE ROW LEVEL SECURITY;
DROP POLICY tenants ON sources;
DROP SCHEMA discovery_policies CASCADE;
DROP FUNCTION may_see(uuid), audit();
DROP TABLE audit_log;
DROP SEQUENCE public.runs_as_other;
SET discovery.allow_data_loss = on;
SELECT discovery_drop_store();
DROP EXTENSION discovery;
DROP OWNED BY regress_discovery_inserter;
DROP ROLE regress_discovery_mallory, regress_discovery_inserter;
