--
-- Content hash
--

CREATE FUNCTION @extschema@.content_hash(content bytea) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.encode(pg_catalog.sha256(content), 'hex');

-- The bytes of a text depend on the encoding of the database alone, which never changes.
CREATE FUNCTION @extschema@.content_hash(content text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RETURN pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
        content, CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII'
                      ELSE 'UTF8' END)), 'hex');
END
$$;

-- The pieces are kept until the end: PostgreSQL has no SHA-256 in steps for SQL.
CREATE FUNCTION @extschema@.content_hash_final(pieces bytea[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.string_agg(piece, ''::pg_catalog.bytea
                                                                             ORDER BY number)), 'hex')
            FROM pg_catalog.unnest(pieces) WITH ORDINALITY AS given (piece, number) WHERE piece IS NOT NULL);
COMMENT ON FUNCTION @extschema@.content_hash_final(bytea[]) IS 'final function of content_hash_agg';

CREATE AGGREGATE @extschema@.content_hash_agg(piece bytea) (
    SFUNC = pg_catalog.array_append,
    STYPE = bytea[],
    FINALFUNC = @extschema@.content_hash_final,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = SAFE
);
