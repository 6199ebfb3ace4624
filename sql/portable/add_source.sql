--
-- Add a source
--

CREATE FUNCTION @extschema@.add_source(
        notebook_id uuid,
        name text,
        source_type text,
        content bytea DEFAULT NULL,
        extracted_text text DEFAULT NULL,
        content_hash text DEFAULT NULL,
        file_type text DEFAULT NULL,
        url text DEFAULT NULL,
        file_path text DEFAULT NULL,
        file_size bigint DEFAULT NULL,
        source_metadata json DEFAULT NULL,
        on_duplicate text DEFAULT 'return',
        on_deleted text DEFAULT 'restore',
        columns jsonb DEFAULT NULL)
    RETURNS TABLE (id uuid, outcome text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1
AS $$
DECLARE
    store pg_catalog.text;
    source pg_catalog.record;
    own pg_catalog.record;
    known pg_catalog.record;
    has_duplicate pg_catalog.bool := false;
    rows pg_catalog.int8;
BEGIN
    PERFORM @extschema@.discovery_require_writable('add_source()');
    store := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    source := @extschema@.discovery_read_source(notebook_id, name, source_type, content, extracted_text, content_hash,
                                              file_type, url, file_size, on_duplicate, on_deleted);
    IF pg_catalog.cardinality(source.broken) OPERATOR(pg_catalog.>) 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'invalid source',
            DETAIL = pg_catalog.array_to_string(source.broken, E'\n');
    END IF;
    own := @extschema@.discovery_own_columns(store, columns);
    -- An attempt fails only if another session commits a row with the same content, or removes one, between our SELECT
    -- and our write.
    FOR attempt IN 1 .. 100 LOOP
        IF source.content_hash OPERATOR(pg_catalog.<>) '' THEN
            EXECUTE pg_catalog.format(
                'SELECT source.id, source.name, source.deleted_at IS NULL AS is_live FROM %1$s.sources AS source'
                ' WHERE source.notebook_id OPERATOR(pg_catalog.=) $1 AND source.content_hash OPERATOR(pg_catalog.=) $2'
                ' AND source.deleted_at IS NULL AND source.content_hash OPERATOR(pg_catalog.<>) ''''::pg_catalog.text'
                ' UNION ALL'
                ' (SELECT source.id, source.name, false FROM %1$s.sources AS source'
                ' WHERE source.notebook_id OPERATOR(pg_catalog.=) $1 AND source.content_hash OPERATOR(pg_catalog.=) $2'
                ' AND source.deleted_at IS NOT NULL'
                ' AND source.content_hash OPERATOR(pg_catalog.<>) ''''::pg_catalog.text'
                ' AND $3 OPERATOR(pg_catalog.<>) ''add''::pg_catalog.text'
                ' ORDER BY source.deleted_at USING OPERATOR(pg_catalog.>), source.id LIMIT 1) LIMIT 1', store)
                INTO known USING notebook_id, source.content_hash, on_deleted;
            IF known.is_live THEN
                IF on_duplicate OPERATOR(pg_catalog.=) 'error' THEN
                    PERFORM @extschema@.discovery_refuse_duplicate(store, 0, known.id, known.name::pg_catalog.text);
                END IF;
                id := known.id;
                outcome := 'duplicate';
                RETURN NEXT;
                RETURN;
            ELSIF known.id IS NOT NULL THEN
                outcome := @extschema@.discovery_restore_as(
                    store, known.id, notebook_id, source.name, source_type, extracted_text, file_type, url, file_path,
                    source.file_size, source_metadata, columns);
                IF outcome OPERATOR(pg_catalog.=) 'restored' THEN
                    id := known.id;
                    RETURN NEXT;
                    RETURN;
                END IF;
                has_duplicate := has_duplicate OR outcome IS NOT NULL;
                -- Above READ COMMITTED the duplicate may be outside our snapshot; the INSERT then raises 40001.
                CONTINUE WHEN outcome IS NULL OR pg_catalog.current_setting('transaction_isolation')
                    OPERATOR(pg_catalog.~) '^read';
            END IF;
        END IF;
        EXECUTE pg_catalog.concat(
            'INSERT INTO ', store, '.sources (notebook_id, name, source_type, extracted_text, content_hash, file_type,'
            ' url, file_path, file_size, source_metadata', own.names, ') SELECT $1, $2, $3, coalesce($4, ''''), $5, $6,'
            ' $7, $8, $9, coalesce($10, ''{}''::pg_catalog.json)', own.given,
            CASE WHEN own.definitions IS NOT NULL THEN
                pg_catalog.concat(' FROM pg_catalog.jsonb_to_record($11) AS given (', own.definitions, ')') END,
            ' ON CONFLICT (notebook_id, content_hash)'
            ' WHERE deleted_at IS NULL AND content_hash OPERATOR(pg_catalog.<>) ''''::pg_catalog.text'
            ' DO NOTHING RETURNING id')
            INTO id
            USING notebook_id, source.name, source_type, extracted_text, source.content_hash, file_type, url, file_path,
                source.file_size, source_metadata, columns;
        GET DIAGNOSTICS rows = ROW_COUNT;
        IF rows OPERATOR(pg_catalog.>) 0 THEN
            outcome := 'added';
            RETURN NEXT;
            RETURN;
        END IF;
        has_duplicate := true;
    END LOOP;
    PERFORM @extschema@.discovery_refuse_prevented(store, 0, has_duplicate);
END
$$;
