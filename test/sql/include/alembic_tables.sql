-- The tables of Alembic revision 913390ba554c as its migrations make them, in
-- the schema that is first in search_path, with rows. For tests of adoption.
CREATE TABLE alembic_version (
    version_num varchar(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES ('913390ba554c');
CREATE TABLE notebooks (
    id uuid NOT NULL,
    name varchar(255) NOT NULL,
    description text,
    tags varchar[] NOT NULL DEFAULT '{}',
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    source_count integer NOT NULL DEFAULT 0,
    output_count integer NOT NULL DEFAULT 0,
    PRIMARY KEY (id),
    CONSTRAINT uq_notebooks_name UNIQUE (name)
);
CREATE INDEX ix_notebooks_name ON notebooks (name);
CREATE INDEX ix_notebooks_created_at ON notebooks (created_at);
CREATE TABLE sources (
    id uuid NOT NULL,
    notebook_id uuid NOT NULL,
    name varchar(500) NOT NULL,
    source_type varchar(20) NOT NULL,
    file_type varchar(20),
    url text,
    file_path text,
    file_size bigint,
    content_hash varchar(64) NOT NULL,
    extracted_text text NOT NULL DEFAULT '',
    source_metadata json NOT NULL DEFAULT '{}',
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    deleted_at timestamp,
    PRIMARY KEY (id),
    FOREIGN KEY (notebook_id) REFERENCES notebooks (id) ON DELETE CASCADE
);
CREATE INDEX ix_sources_notebook_id ON sources (notebook_id);
CREATE INDEX ix_sources_content_hash ON sources (content_hash);
CREATE INDEX ix_sources_deleted_at ON sources (deleted_at);
CREATE INDEX ix_sources_created_at ON sources (created_at);
CREATE INDEX ix_sources_notebook_hash ON sources (notebook_id, content_hash);
INSERT INTO notebooks (id, name, tags, source_count)
    SELECT md5('notebook ' || n)::uuid, 'Notebook ' || n, '{one,two}', 7 FROM generate_series(1, 3) AS n;
INSERT INTO sources (id, notebook_id, name, source_type, content_hash, extracted_text, deleted_at)
    SELECT md5('source ' || n)::uuid, md5('notebook ' || (n % 3 + 1))::uuid, 'Source ' || n, 'text',
           'abc' || n % 5 || 'hash',
           'text ' || n, CASE WHEN n % 4 = 0 THEN timestamp '2025-01-01' END
    FROM generate_series(1, 20) AS n;
