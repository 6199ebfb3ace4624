-- discovery_status() says 'damaged' when something that the guarantees of a store rest on is missing, switched off or
-- invalid, or belongs to another role; the statements of discovery_check() repair it.
SET client_min_messages = warning;
CREATE SCHEMA discovery_damaged;
CREATE EXTENSION discovery SCHEMA discovery_damaged;
SET search_path = discovery_damaged;
INSERT INTO notebooks (name) VALUES ('a');
SELECT outcome FROM notebooks, add_source(notebooks.id, 's', 'text', extracted_text => 't');
CREATE VIEW judged AS SELECT state, next_step FROM discovery_status();
SELECT * FROM judged;

-- What an interrupted load with --disable-triggers leaves: foreign keys that check nothing.
ALTER TABLE sources DISABLE TRIGGER ALL;
ALTER TABLE notebooks DISABLE TRIGGER ALL;
SELECT * FROM judged;
SELECT object, fix FROM discovery_check() WHERE kind <> 'extra';
SELECT fix FROM discovery_check() WHERE kind <> 'extra' \gexec
SELECT * FROM judged;
INSERT INTO sources (notebook_id, name, source_type) VALUES ('00000000-0000-4000-8000-000000000001', 'orphan', 'text');

-- The deletion log of another owner, which the triggers do not write to.
CREATE ROLE regress_discovery_other;
ALTER TABLE discovery_deletions OWNER TO regress_discovery_other;
SELECT * FROM judged;
SELECT object, kind, replace(fix, quote_ident(current_user), 'OWNER') AS fix
    FROM discovery_check() WHERE kind <> 'extra';
DO $$ BEGIN EXECUTE (SELECT fix FROM discovery_check() WHERE kind <> 'extra'); END $$;
SELECT * FROM judged;
DROP ROLE regress_discovery_other;

-- A trigger, a unique index, a constraint.
ALTER TABLE sources DISABLE TRIGGER discovery_insert;
ALTER TABLE notebooks ENABLE ALWAYS TRIGGER discovery_row;
DROP INDEX ix_sources_notebook_hash;
ALTER TABLE sources DROP CONSTRAINT sources_notebook_id_fkey;
SELECT state FROM judged;
SELECT object, kind, fix FROM discovery_check() WHERE kind <> 'extra';
SELECT fix FROM discovery_check() WHERE kind <> 'extra' \gexec
SELECT state FROM judged;
ALTER TABLE sources DROP CONSTRAINT sources_notebook_id_fkey;
ALTER TABLE sources ADD CONSTRAINT sources_notebook_id_fkey
    FOREIGN KEY (notebook_id) REFERENCES notebooks ON DELETE CASCADE NOT VALID;
SELECT state FROM judged;
SELECT fix FROM discovery_check() WHERE kind <> 'extra' \gexec
SELECT state FROM judged;

-- What is the user's own is no damage: an own trigger that is off, an index for speed that is gone.
DROP INDEX ix_sources_created_at;
CREATE TRIGGER own BEFORE UPDATE ON sources FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER TABLE sources DISABLE TRIGGER own;
SELECT * FROM judged;

SET client_min_messages = error;
DROP EXTENSION discovery CASCADE;
DROP SCHEMA discovery_damaged CASCADE;
