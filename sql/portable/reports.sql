--
-- Reports
--

-- Also works on a store that is still at version 1.0, where one notebook may have duplicates.
CREATE FUNCTION @extschema@.find_duplicate_sources(notebook_id uuid DEFAULT NULL)
    RETURNS TABLE (content_hash text, copies bigint, notebooks bigint, source_ids uuid[], duplicate_bytes bigint)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.record;
    hash pg_catalog.text;
BEGIN
    store := @extschema@.discovery_require_store(NULL, pg_catalog.current_schemas(false));
    -- Version 1.0 leaves capital letters in hashes.
    hash := CASE WHEN store.version OPERATOR(pg_catalog.<>) '1.0' THEN '%1$s.content_hash::pg_catalog.text' ELSE
        'CASE WHEN %1$s.content_hash OPERATOR(pg_catalog.~) ''^[0-9A-Fa-f]{64}$''::pg_catalog.text'
        ' THEN pg_catalog.lower(%1$s.content_hash::pg_catalog.text) ELSE %1$s.content_hash::pg_catalog.text END' END;
    RETURN QUERY EXECUTE pg_catalog.replace(pg_catalog.replace(pg_catalog.replace($sql$
        SELECT twice.hash, pg_catalog.count(*), pg_catalog.count(DISTINCT source.notebook_id),
               pg_catalog.array_agg(source.id ORDER BY source.created_at, source.id),
               (pg_catalog.sum(pg_catalog.octet_length(source.extracted_text)) OPERATOR(pg_catalog.-)
                pg_catalog.max(pg_catalog.octet_length(source.extracted_text)))::pg_catalog.int8
        FROM (SELECT @each_hash@ AS hash FROM @store@.sources AS each
              WHERE each.deleted_at IS NULL AND each.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
                AND ($1 IS NULL OR each.notebook_id OPERATOR(pg_catalog.=) $1)
              GROUP BY hash HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1) AS twice
        JOIN @store@.sources AS source ON @source_hash@ OPERATOR(pg_catalog.=) twice.hash
        WHERE source.deleted_at IS NULL AND source.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
          AND ($1 IS NULL OR source.notebook_id OPERATOR(pg_catalog.=) $1)
        GROUP BY twice.hash
        ORDER BY pg_catalog.count(*) DESC, twice.hash$sql$, '@store@', pg_catalog.quote_ident(store.schema)),
        '@each_hash@', pg_catalog.format(hash, 'each')), '@source_hash@', pg_catalog.format(hash, 'source'))
        USING notebook_id;
END
$$;

CREATE FUNCTION @extschema@.check_source_hashes(after uuid DEFAULT NULL, max_rows integer DEFAULT NULL)
    RETURNS TABLE (id uuid, notebook_id uuid, stored_hash text, actual_hash text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $$
BEGIN
    IF max_rows OPERATOR(pg_catalog.<=) 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'max_rows must be positive';
    END IF;
    RETURN QUERY EXECUTE pg_catalog.replace($sql$
        SELECT looked_at.id, looked_at.notebook_id, looked_at.content_hash::pg_catalog.text, hashed.content_hash
        FROM (SELECT id, notebook_id, content_hash, extracted_text FROM @store@.sources
              WHERE deleted_at IS NULL AND source_type OPERATOR(pg_catalog.=) ANY ('{url,text}'::pg_catalog.text[])
                AND extracted_text OPERATOR(pg_catalog.<>) ''::pg_catalog.text
                AND ($1 IS NULL OR id OPERATOR(pg_catalog.>) $1)
              ORDER BY id OFFSET 0) AS looked_at,
             LATERAL @extschema@.content_hash(looked_at.extracted_text) AS hashed (content_hash)
        WHERE looked_at.content_hash OPERATOR(pg_catalog.<>) hashed.content_hash
        ORDER BY looked_at.id LIMIT $2$sql$,
        '@store@', @extschema@.discovery_current_store(pg_catalog.current_schemas(false))) USING after, max_rows;
END
$$;

CREATE FUNCTION @extschema@.list_source_deletions(
        notebook_id uuid DEFAULT NULL, since timestamp with time zone DEFAULT NULL)
    RETURNS TABLE (deletion_id uuid, deleted_at timestamp with time zone, login_role text, acting_role text,
                   reason text, sources bigint, still_deleted bigint)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $$
BEGIN
    RETURN QUERY EXECUTE pg_catalog.replace($sql$
        SELECT deletion.id, deletion.deleted_at, deletion.login_role,
               deletion.acting_role, deletion.reason, deletion.sources, still.sources
        FROM @store@.discovery_deletions AS deletion,
             LATERAL (SELECT pg_catalog.count(*),
                             pg_catalog.count(*) FILTER (WHERE source.notebook_id OPERATOR(pg_catalog.=) $1)
                      FROM @store@.sources AS source WHERE source.deletion_id OPERATOR(pg_catalog.=) deletion.id)
                 AS still (sources, here)
        WHERE ($1 IS NULL OR still.here OPERATOR(pg_catalog.>) 0)
          AND ($2 IS NULL OR deletion.deleted_at OPERATOR(pg_catalog.>=) $2)
        ORDER BY deletion.deleted_at DESC, deletion.id DESC$sql$,
        '@store@', @extschema@.discovery_current_store(pg_catalog.current_schemas(false))) USING notebook_id, since;
END
$$;
