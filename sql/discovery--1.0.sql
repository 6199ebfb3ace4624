\echo Use "CREATE EXTENSION discovery" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;

--
-- Content hash
--

CREATE FUNCTION @extschema@.content_hash(content bytea) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'discovery_content_hash_bytea';
COMMENT ON FUNCTION @extschema@.content_hash(bytea) IS
    'SHA-256 of the bytes, as 64 lower-case hex digits';

CREATE FUNCTION @extschema@.content_hash(content text) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'discovery_content_hash_text';
COMMENT ON FUNCTION @extschema@.content_hash(text) IS
    'SHA-256 of the text in UTF-8 (SQL_ASCII: of its bytes as they are), as 64 lower-case hex digits';

CREATE FUNCTION @extschema@.content_hash_step(state internal, piece bytea) RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'discovery_content_hash_step';
COMMENT ON FUNCTION @extschema@.content_hash_step(internal, bytea) IS
    'transition function of content_hash_agg';

CREATE FUNCTION @extschema@.content_hash_final(state internal) RETURNS text
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'discovery_content_hash_final';
COMMENT ON FUNCTION @extschema@.content_hash_final(internal) IS
    'final function of content_hash_agg';

-- The final function finishes the digest, which cannot continue afterwards. With READ_WRITE, the
-- aggregate cannot be used as a window function.
CREATE AGGREGATE @extschema@.content_hash_agg(piece bytea) (
    SFUNC = @extschema@.content_hash_step,
    STYPE = internal,
    FINALFUNC = @extschema@.content_hash_final,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.content_hash_agg(bytea) IS
    'SHA-256 of content that comes in pieces; state their order: content_hash_agg(piece ORDER BY n)';

--
-- Identifiers
--

CREATE FUNCTION @extschema@.discovery_new_id() RETURNS uuid
    LANGUAGE C VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'discovery_uuid_v7';
COMMENT ON FUNCTION @extschema@.discovery_new_id() IS
    'a new UUID of version 7, for the statements of a step that run ahead of it; others use uuid_v7(), '
    'from version 1.1 on';

--
-- The store
--

CREATE FUNCTION @extschema@.discovery_create_store(schema name DEFAULT NULL, distributed boolean DEFAULT false)
    RETURNS text
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_create_store';
COMMENT ON FUNCTION @extschema@.discovery_create_store(name, boolean) IS
    'create a store in the schema (NULL: the current schema), or adopt tables of a known shape there; '
    'distributed: create the schema if it is missing, and have Citus keep it on one of its servers; '
    'returns the version of the store';

CREATE FUNCTION @extschema@.discovery_drop_store(schema name DEFAULT NULL) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_drop_store';
COMMENT ON FUNCTION @extschema@.discovery_drop_store(name) IS
    'drop the tables of a store; refused while they have rows, unless discovery.allow_data_loss is on';

CREATE FUNCTION @extschema@.discovery_version(schema name DEFAULT NULL) RETURNS text
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'discovery_version';
COMMENT ON FUNCTION @extschema@.discovery_version(name) IS
    'version of the store in the schema (NULL: of the first store in search_path)';

CREATE FUNCTION @extschema@.discovery_status(
        OUT schema name,
        OUT owner name,
        OUT store_version text,
        OUT extension_version text,
        OUT newest_version text,
        OUT state text,
        OUT notebooks bigint,
        OUT sources bigint,
        OUT next_step text,
        OUT edition text,
        OUT node text)
    RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_status';
COMMENT ON FUNCTION @extschema@.discovery_status() IS
    'one row per store: version, state (current, behind, preparing, prepared, ahead, missing, detached, '
    'damaged), estimated numbers of rows, the next step, the edition, and the node of a distributed '
    'store';

CREATE FUNCTION @extschema@.discovery_shape(schema name DEFAULT NULL) RETURNS SETOF text
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_shape';
COMMENT ON FUNCTION @extschema@.discovery_shape(name) IS
    'the canonical description of a store, one line per object, without the name of the schema';

--
-- Migrations
--

CREATE FUNCTION @extschema@.discovery_upgrade(target text DEFAULT 'head', schema name DEFAULT NULL) RETURNS text
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_upgrade';
COMMENT ON FUNCTION @extschema@.discovery_upgrade(text, name) IS
    'upgrade a store to head (the newest version), by +N versions, or to a version, and update the '
    'extension where needed; returns the version of the store';

CREATE FUNCTION @extschema@.discovery_downgrade(target text DEFAULT '-1', schema name DEFAULT NULL) RETURNS text
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_downgrade';
COMMENT ON FUNCTION @extschema@.discovery_downgrade(text, name) IS
    'downgrade a store by -N versions, to a version, or to base (no tables), and the extension with '
    'it; refused where data would be lost, unless discovery.allow_data_loss is on';

CREATE FUNCTION @extschema@.discovery_prepare_upgrade(target text DEFAULT 'head', schema name DEFAULT NULL)
    RETURNS TABLE (number integer, statement text, effect text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_prepare_upgrade';
COMMENT ON FUNCTION @extschema@.discovery_prepare_upgrade(text, name) IS
    'the statements that are left to run before an upgrade, in order, one at a time and outside a '
    'transaction, while clients work; the upgrade then locks the store for a moment only';

CREATE FUNCTION @extschema@.discovery_cancel_upgrade(schema name DEFAULT NULL)
    RETURNS TABLE (number integer, statement text, effect text)
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_cancel_upgrade';
COMMENT ON FUNCTION @extschema@.discovery_cancel_upgrade(name) IS
    'the statements that undo what discovery_prepare_upgrade() has prepared, in order, one at a time '
    'and outside a transaction';

CREATE PROCEDURE @extschema@.discovery_run_ahead(target text, number integer, schema name)
    LANGUAGE C
    AS 'MODULE_PATHNAME', 'discovery_run_ahead';
COMMENT ON PROCEDURE @extschema@.discovery_run_ahead(text, integer, name) IS
    'for the statements of discovery_prepare_upgrade() and discovery_cancel_upgrade() alone: run a part '
    'of the step to a version ahead of it';

CREATE FUNCTION @extschema@.discovery_prepared() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_prepared';
COMMENT ON FUNCTION @extschema@.discovery_prepared() IS
    'trigger of a store that is prepared for an upgrade: calls the trigger function of the next version that '
    'its argument names';

-- For the triggers of the next version, which run before it where an upgrade is prepared.
-- It is not immutable, but Citus takes no other function of a column to the server that writes the row.
CREATE FUNCTION @extschema@.discovery_write(
        id uuid, purpose text, call uuid DEFAULT NULL, reason text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE C IMMUTABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_write';
COMMENT ON FUNCTION @extschema@.discovery_write(uuid, text, uuid, text) IS
    'for the statements of the other functions alone: tells the triggers, in the session that writes the row, why '
    'the statement writes it; returns true';

CREATE FUNCTION @extschema@.discovery_stamp(version text, schema name DEFAULT NULL) RETURNS text
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_stamp';
COMMENT ON FUNCTION @extschema@.discovery_stamp(text, name) IS
    'record that a store has a version, without running steps, after checking that it has the shape of that version';

CREATE FUNCTION @extschema@.discovery_history(schema name DEFAULT NULL)
    RETURNS TABLE (version text, mark text, description text, direction text, from_version text,
                   applied_by text, applied_at timestamp with time zone, duration interval, checksum text)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_history';
COMMENT ON FUNCTION @extschema@.discovery_history(name) IS
    'every version, and each time it was applied to the store: direction, by whom, when, and how long '
    'it took; mark shows the current and the newest version';

CREATE FUNCTION @extschema@.discovery_check(schema name DEFAULT NULL)
    RETURNS TABLE (object text, kind text, actual text, expected text, fix text)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_check';
COMMENT ON FUNCTION @extschema@.discovery_check(name) IS
    'how a store differs from its version: objects that are missing, different, or extra (the user''s '
    'own), with a statement that repairs each; changes nothing';

CREATE FUNCTION @extschema@.discovery_autogenerate(schema name DEFAULT NULL)
    RETURNS TABLE (direction text, statement text, comment text)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_autogenerate';
COMMENT ON FUNCTION @extschema@.discovery_autogenerate(name) IS
    'the statements, up and down, of a migration that turns manual changes of a store into the next '
    'version; @store@ stands for the schema';

CREATE FUNCTION @extschema@.discovery_plan(target text DEFAULT 'head', schema name DEFAULT NULL)
    RETURNS TABLE (step text, number integer, statement text, locks text, effect text, can_lose_data boolean)
    LANGUAGE C STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_plan';
COMMENT ON FUNCTION @extschema@.discovery_plan(text, name) IS
    'what an upgrade or a downgrade would run: each statement, the locks it takes, whether it scans or '
    'rewrites a table, and whether it can lose data; runs nothing';

--
-- For the scripts of this extension
--

CREATE FUNCTION @extschema@.discovery_install_store() RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_install_store';
COMMENT ON FUNCTION @extschema@.discovery_install_store() IS
    'for CREATE EXTENSION only: create or adopt the store in the schema of the extension';
REVOKE ALL ON FUNCTION @extschema@.discovery_install_store() FROM PUBLIC;

CREATE FUNCTION @extschema@.discovery_run_step(from_version text, to_version text) RETURNS void
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'discovery_run_step';
COMMENT ON FUNCTION @extschema@.discovery_run_step(text, text) IS
    'for ALTER EXTENSION UPDATE only: take the store in the schema of the extension from one version to the next';
REVOKE ALL ON FUNCTION @extschema@.discovery_run_step(text, text) FROM PUBLIC;

--
-- The steps. A step runs for each store of the database, as the owner of the store, not as the
-- role that runs this script. Therefore the steps are comments here, and `make` compiles them into
-- the library with the shapes (src/store/scripts.cpp). @store@ is the quoted schema of the store.
-- The version `base` means that there is no store.
--

/* record: the version of a store is the DEFAULT of discovery_migrations.version,
   which every dump has, also a schema-only one; the rows are the history.

CREATE TABLE @store@.discovery_migrations (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    version text NOT NULL DEFAULT '1.0',
    previous_version text,
    direction text NOT NULL,
    description text NOT NULL,
    applied_by text NOT NULL DEFAULT SESSION_USER,
    applied_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    duration interval NOT NULL,
    checksum text,
    CONSTRAINT discovery_migrations_pkey PRIMARY KEY (id),
    CONSTRAINT discovery_migrations_direction_check
        CHECK (direction IN ('install', 'adopt', 'upgrade', 'downgrade', 'stamp'))
);
COMMENT ON TABLE @store@.discovery_migrations IS
    'record of the discovery store: the default of version is the version of the store, the rows are its history';
COMMENT ON COLUMN @store@.discovery_migrations.id IS 'primary key';
COMMENT ON COLUMN @store@.discovery_migrations.version IS
    'version after the migration; the default is the version of the store';
COMMENT ON COLUMN @store@.discovery_migrations.previous_version IS 'version before the migration';
COMMENT ON COLUMN @store@.discovery_migrations.direction IS 'install, adopt, upgrade, downgrade or stamp';
COMMENT ON COLUMN @store@.discovery_migrations.description IS 'what the migration did';
COMMENT ON COLUMN @store@.discovery_migrations.applied_by IS 'role that logged in';
COMMENT ON COLUMN @store@.discovery_migrations.applied_at IS 'time of the migration';
COMMENT ON COLUMN @store@.discovery_migrations.duration IS 'time that the migration took';
COMMENT ON COLUMN @store@.discovery_migrations.checksum IS 'SHA-256 of the step that was run';
*/

/* step base -> 1.0: notebooks and sources, exactly as Alembic revision 913390ba554c builds them

CREATE TABLE @store@.notebooks (
    id uuid NOT NULL,
    name character varying(255) NOT NULL,
    description text,
    tags character varying[] NOT NULL DEFAULT '{}',
    created_at timestamp without time zone NOT NULL DEFAULT now(),
    updated_at timestamp without time zone NOT NULL DEFAULT now(),
    source_count integer NOT NULL DEFAULT 0,
    output_count integer NOT NULL DEFAULT 0,
    CONSTRAINT notebooks_pkey PRIMARY KEY (id),
    CONSTRAINT uq_notebooks_name UNIQUE (name)
);
CREATE INDEX ix_notebooks_created_at ON @store@.notebooks (created_at);
CREATE INDEX ix_notebooks_name ON @store@.notebooks (name);

CREATE TABLE @store@.sources (
    id uuid NOT NULL,
    notebook_id uuid NOT NULL,
    name character varying(500) NOT NULL,
    source_type character varying(20) NOT NULL,
    file_type character varying(20),
    url text,
    file_path text,
    file_size bigint,
    content_hash character varying(64) NOT NULL,
    extracted_text text NOT NULL DEFAULT '',
    source_metadata json NOT NULL DEFAULT '{}',
    created_at timestamp without time zone NOT NULL DEFAULT now(),
    updated_at timestamp without time zone NOT NULL DEFAULT now(),
    deleted_at timestamp without time zone,
    CONSTRAINT sources_pkey PRIMARY KEY (id),
    CONSTRAINT sources_notebook_id_fkey FOREIGN KEY (notebook_id)
        REFERENCES @store@.notebooks (id) ON DELETE CASCADE
);
CREATE INDEX ix_sources_content_hash ON @store@.sources (content_hash);
CREATE INDEX ix_sources_created_at ON @store@.sources (created_at);
CREATE INDEX ix_sources_deleted_at ON @store@.sources (deleted_at);
CREATE INDEX ix_sources_notebook_hash ON @store@.sources (notebook_id, content_hash);
CREATE INDEX ix_sources_notebook_id ON @store@.sources (notebook_id);
*/

/* step 1.0 -> base: without CASCADE, so that what the user built on the tables stops it

DROP TABLE @store@.sources;
DROP TABLE @store@.notebooks;
DROP TABLE @store@.discovery_migrations;
*/

SELECT @extschema@.discovery_install_store();
