-- Tables that SQLAlchemy's create_all() made from the models, not Alembic: no defaults in the
-- database, no constraint on the names of notebooks, and other indexes. They are not adopted as they
-- are. discovery_check() has the statements, and then they are.
SET client_min_messages = warning;
SELECT current_database() AS current \gset
CREATE DATABASE regress_discovery_create_all;
\c regress_discovery_create_all
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE TABLE notebooks (
    id uuid PRIMARY KEY, name varchar(255) NOT NULL, description text, tags varchar[] NOT NULL,
    created_at timestamp NOT NULL, updated_at timestamp NOT NULL, source_count integer NOT NULL,
        output_count integer NOT NULL);
CREATE INDEX ix_notebooks_name ON notebooks (name);
CREATE TABLE sources (
    id uuid PRIMARY KEY, notebook_id uuid NOT NULL REFERENCES notebooks ON DELETE CASCADE, name varchar(500) NOT NULL,
    source_type varchar(20) NOT NULL, file_type varchar(20), url text, file_path text, file_size bigint,
    content_hash varchar(64) NOT NULL, extracted_text text NOT NULL, source_metadata json NOT NULL,
    created_at timestamp NOT NULL, updated_at timestamp NOT NULL, deleted_at timestamp);
CREATE INDEX ix_sources_content_hash ON sources (content_hash);
CREATE INDEX ix_sources_notebook_id ON sources (notebook_id);
INSERT INTO notebooks VALUES ('00000000-0000-4000-8000-000000000001', 'a', NULL, '{}', now(), now(), 1, 0);
INSERT INTO sources VALUES ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', 's', 'text',
    NULL, NULL, NULL, NULL, '', 'words', '{}', now(), now(), NULL);

CREATE EXTENSION discovery;
\echo :SQLSTATE
SET discovery.create_store = off;
CREATE EXTENSION discovery;
SELECT discovery_create_store('public');
SELECT object, kind, actual, expected, fix FROM discovery_check('public');
SELECT fix FROM discovery_check('public') WHERE kind <> 'extra' \gexec
SELECT object, kind FROM discovery_check('public');
SELECT discovery_create_store('public');
SELECT store_version, state FROM discovery_status();
SELECT discovery_upgrade();
SELECT n.name, n.source_count, s.name, s.extracted_text FROM notebooks n JOIN sources s ON s.notebook_id = n.id;
SELECT object, kind FROM discovery_check();

-- Where there are no tables, there is nothing to compare.
CREATE SCHEMA empty;
SELECT * FROM discovery_check('empty');
\echo :SQLSTATE

-- A tool that loads a schema made the tables anew, without triggers and views (Rails: db:schema:load),
-- and an index instead of a constraint. The next step works.
DROP TABLE sources, notebooks CASCADE;
SELECT state, next_step FROM discovery_status();
SELECT discovery_create_store('public');
\echo :SQLSTATE
SELECT discovery_upgrade('head', 'public');
CREATE TABLE notebooks (
    id uuid PRIMARY KEY DEFAULT uuid_v7(), name varchar(255) NOT NULL, description text,
        tags varchar[] NOT NULL DEFAULT '{}',
    created_at timestamp(6) NOT NULL DEFAULT timezone('UTC', now()),
        updated_at timestamp(6) NOT NULL DEFAULT timezone('UTC', now()),
    source_count integer NOT NULL DEFAULT 0, output_count integer NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX uq_notebooks_name ON notebooks (name);
CREATE TABLE sources (
    id uuid PRIMARY KEY DEFAULT uuid_v7(), notebook_id uuid NOT NULL, name varchar(500) NOT NULL,
    source_type varchar(20) NOT NULL, file_type varchar(20), url text, file_path text, file_size bigint,
    content_hash varchar(64) NOT NULL, extracted_text text NOT NULL DEFAULT '',
        source_metadata json NOT NULL DEFAULT '{}',
    created_at timestamp(6) NOT NULL DEFAULT timezone('UTC', now()),
        updated_at timestamp(6) NOT NULL DEFAULT timezone('UTC', now()),
    deleted_at timestamp(6), deletion_id uuid, hold_reason text);
SELECT state, next_step FROM discovery_status();
SELECT fix FROM discovery_check('public') WHERE kind <> 'extra' \gexec
SELECT object, kind FROM discovery_check('public');
SELECT state, next_step FROM discovery_status();

\c :current
DROP DATABASE regress_discovery_create_all;
