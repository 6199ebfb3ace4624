-- The entrypoint of the postgres image runs this once, when it makes the data, in the database POSTGRES_DB as its owner
-- POSTGRES_USER, and stops at an error.
CREATE EXTENSION IF NOT EXISTS discovery;
