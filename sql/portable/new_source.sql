--
-- A source that a client gives: its rules, and how it is written
--

-- Checks all rules at once; `broken` has one sentence for each rule that the source violates. The hash comes from the
-- content, else from the client, else from the text, as in the row trigger.
CREATE FUNCTION @extschema@.discovery_read_source(
        notebook_id uuid, INOUT name text, source_type text, content bytea, extracted_text text,
        INOUT content_hash text, file_type text, url text, INOUT file_size bigint, on_duplicate text, on_deleted text,
        OUT broken text[])
    RETURNS record
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    hash_of_content text := encode(sha256(content), 'hex');
    given_hash constant text := content_hash;
BEGIN
    name := btrim(name, E' \t\n\r\f\v');
    content_hash := CASE WHEN content_hash ~ '^[0-9A-Fa-f]{64}$' THEN lower(content_hash) ELSE content_hash END;
    broken := array_remove(ARRAY[
        CASE WHEN notebook_id IS NULL THEN 'notebook_id must not be null.' END,
        CASE WHEN name IS NULL THEN 'name must not be null.' WHEN name = '' THEN 'name must not be empty.'
             WHEN length(name) > 500
             THEN format('name must have at most 500 characters, not %s.', length(name)) END,
        CASE WHEN source_type IS NULL THEN 'source_type must not be null.'
             WHEN source_type NOT IN ('file', 'url', 'text')
             THEN format('source_type must be file, url or text, not "%s".', source_type) END,
        CASE WHEN file_type NOT IN ('pdf', 'docx', 'doc', 'txt', 'md')
             THEN format('file_type must be pdf, docx, doc, txt or md, not "%s".', file_type) END,
        CASE WHEN file_type IS NOT NULL AND source_type <> 'file'
             THEN 'file_type must be null unless source_type is file.' END,
        CASE WHEN source_type = 'url' AND url IS NULL THEN 'url must not be null for a source of type url.' END,
        CASE WHEN url !~* '^https?://' THEN 'url must begin with http:// or https://.' END,
        CASE WHEN file_size <= 0 THEN format('file_size must be positive, not %s.', file_size) END,
        CASE WHEN length(content) = 0 THEN 'content must not be empty.' END,
        CASE WHEN file_size <> length(content)
             THEN format('file_size does not match the size of content, %s bytes.', length(content)) END,
        CASE WHEN length(given_hash) > 64 THEN 'content_hash must have at most 64 characters.' END,
        CASE WHEN content_hash <> hash_of_content
             THEN format('content_hash does not match the hash of content, %s.', hash_of_content) END,
        CASE WHEN on_duplicate IS NULL OR on_duplicate NOT IN ('return', 'error')
             THEN 'on_duplicate must be return or error.' END,
        CASE WHEN on_deleted IS NULL OR on_deleted NOT IN ('restore', 'add')
             THEN 'on_deleted must be restore or add.' END], NULL);
    file_size := coalesce(length(content), file_size);
    content_hash := coalesce(hash_of_content, nullif(content_hash, ''),
        CASE WHEN source_type <> 'file' AND extracted_text <> ''
             THEN encode(sha256(convert_to(extracted_text,
                      CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)), 'hex') END, '');
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_read_source(uuid, text, text, bytea, text, text, text, text, bigint, text,
        text) IS
    'internal: the values of a source, and the rules that it breaks';

-- The pieces of a statement that writes the columns that a user has added, of those that `columns` names.
CREATE FUNCTION @extschema@.discovery_own_columns(
        store text, columns jsonb, OUT names text, OUT given text, OUT assignments text, OUT definitions text)
    RETURNS record
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    key text;
    is_own boolean;
    found_one record;
BEGIN
    names := ''; given := ''; assignments := '';
    IF columns IS NULL THEN RETURN; END IF;
    IF jsonb_typeof(columns) <> 'object' THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'columns must be a JSON object';
    END IF;
    FOR key IN SELECT jsonb_object_keys(columns) LOOP
        SELECT a.*, t.typname, element.typname AS element,
               coalesce(element.typnamespace, t.typnamespace) AS namespace
            INTO found_one
            FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
            LEFT JOIN pg_type AS element ON element.oid = t.typelem AND t.typcategory = 'A'
            WHERE a.attrelid = (store || '.sources')::regclass AND a.attname::text = key AND a.attnum > 0
              AND NOT a.attisdropped;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'undefined_column',
                MESSAGE = format('column "%s" of relation "sources" does not exist', key),
                SCHEMA = (parse_ident(store))[1], TABLE = 'sources';
        END IF;
        is_own := key <> ALL ('{id,notebook_id,name,source_type,file_type,url,file_path,file_size,content_hash,'
                              'extracted_text,source_metadata,created_at,updated_at,deleted_at,deletion_id,'
                              'hold_reason}'::text[]);
        IF NOT is_own THEN
            RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
                MESSAGE = format('columns must not contain "%s"', key), DETAIL = 'This column belongs to the store.',
                HINT = 'Give only columns that you have added to "sources".',
                SCHEMA = (parse_ident(store))[1], TABLE = 'sources', COLUMN = key;
        ELSIF found_one.attidentity = 'a' OR found_one.attgenerated <> '' THEN
            RAISE EXCEPTION USING ERRCODE = 'generated_always', MESSAGE = format('columns must not contain "%s"', key),
                DETAIL = CASE WHEN found_one.attidentity = 'a'
                              THEN format('Column "%s" is an identity column defined as GENERATED ALWAYS.', key)
                              ELSE format('Column "%s" is a generated column.', key) END,
                SCHEMA = (parse_ident(store))[1], TABLE = 'sources', COLUMN = key;
        END IF;
        names := format('%s, %I', names, key);
        given := format('%s, given.%I', given, key);
        assignments := format('%1$s, %2$I = given.%2$I', assignments, key);
        -- A name that SQL does not reserve is qualified: search_path may have a type of that name.
        definitions := concat(definitions || ', ', quote_ident(key), ' ',
            CASE WHEN found_one.namespace = 'pg_catalog'::regnamespace
                      AND format_type(found_one.atttypid, found_one.atttypmod)
                          IN (found_one.typname, found_one.element || '[]') THEN 'pg_catalog.' END,
            format_type(found_one.atttypid, found_one.atttypmod));
    END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_own_columns(text, jsonb) IS
    'internal: the columns of the user that a source has values for';

-- `id` is of the existing source, NULL if the caller may not see it; `number` is that of a source in a batch, or 0.
CREATE FUNCTION @extschema@.discovery_refuse_duplicate(store text, number integer, id uuid, name text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'unique_violation',
        MESSAGE = CASE WHEN number > 0 THEN format('source %s: ', number) ELSE '' END
                  || 'an identical source already exists in the notebook',
        DETAIL = CASE WHEN id IS NULL THEN 'You do not have permission to see that source.'
                      ELSE format('The existing source is %s, "%s".', id, name) END,
        SCHEMA = (parse_ident(store))[1], TABLE = 'sources', CONSTRAINT = 'ix_sources_notebook_hash';
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_duplicate(text, integer, uuid, text) IS
    'internal: raises 23505, an identical source exists';

-- For a source that cannot be added after many attempts: row security or a trigger prevents it every time.
CREATE FUNCTION @extschema@.discovery_refuse_prevented(store text, number integer, has_duplicate boolean) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF has_duplicate THEN PERFORM @extschema@.discovery_refuse_duplicate(store, number, NULL, NULL); END IF;
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
        MESSAGE = CASE WHEN number > 0 THEN format('source %s: ', number) ELSE '' END
                  || 'cannot restore the soft-deleted source with this content',
        DETAIL = 'Row-level security or a trigger prevents the update.',
        HINT = 'Use on_deleted => ''add'' to leave it deleted and add a new source.';
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_prevented(text, integer, boolean) IS
    'internal: raises 42501 for a source that cannot be added';

-- Restores a soft-deleted source with these values. If another session has added a duplicate meanwhile, the update is
-- rolled back. The outcome is restored; NULL if the source is live by now, or may not be updated; or duplicate.
CREATE FUNCTION @extschema@.discovery_restore_as(
        store text, id uuid, notebook_id uuid, name text, source_type text, extracted_text text, file_type text,
        url text, file_path text, file_size bigint, source_metadata json, columns jsonb)
    RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    own pg_catalog.record;
    outer_restoring pg_catalog.text := pg_catalog.current_setting('discovery_internal.restoring', true);
    restored pg_catalog.bool;
    index pg_catalog.text;
    hint pg_catalog.text;
    message pg_catalog.text;
    detail pg_catalog.text;
BEGIN
    own := @extschema@.discovery_own_columns(store, columns);
    PERFORM @extschema@.discovery_lock_notebooks((pg_catalog.parse_ident(store))[1], ARRAY[notebook_id]);
    BEGIN
        PERFORM pg_catalog.set_config('discovery_internal.restoring', id::pg_catalog.text, true);
        EXECUTE pg_catalog.concat('WITH restored AS (UPDATE ', store, '.sources AS source'
            ' SET deleted_at = NULL, name = $2, source_type = $3,'
            ' extracted_text = coalesce($4, source.extracted_text),'
            ' file_type = CASE WHEN $3 OPERATOR(pg_catalog.=) ''file''::pg_catalog.text'
            ' THEN coalesce($5, source.file_type) END,'
            ' url = coalesce($6, source.url), file_path = coalesce($7, source.file_path),'
            ' file_size = coalesce($8, source.file_size),'
            ' source_metadata = coalesce($9, source.source_metadata)', own.assignments,
            CASE WHEN own.definitions IS NOT NULL THEN
                pg_catalog.concat(' FROM pg_catalog.jsonb_to_record($10) AS given (', own.definitions, ')') END,
            ' WHERE source.id OPERATOR(pg_catalog.=) $1'
            ' AND pg_catalog.num_nonnulls(source.deleted_at) OPERATOR(pg_catalog.=) 1 RETURNING source.id)'
            ' SELECT EXISTS (SELECT FROM restored)')
            INTO restored
            USING id, name, source_type, extracted_text, file_type, url, file_path, file_size, source_metadata, columns;
        PERFORM pg_catalog.set_config('discovery_internal.restoring', coalesce(outer_restoring, ''), true);
        RETURN CASE WHEN restored THEN 'restored' END;
    EXCEPTION
        WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS index = CONSTRAINT_NAME;
            IF NOT @extschema@.discovery_is_duplicate(index) THEN RAISE; END IF;
            RETURN 'duplicate';
        WHEN insufficient_privilege THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            IF pg_catalog.concat(detail, hint) OPERATOR(pg_catalog.<>) '' THEN RAISE; END IF;
            RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = message,
                HINT = 'The notebook has a soft-deleted source with this content, and restoring it requires the UPDATE'
                       ' privilege. Use on_deleted => ''add'' to add a new source instead.';
    END;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_restore_as(text, uuid, uuid, text, text, text, text, text, text, bigint,
        json, jsonb) IS
    'internal: restores a source with the values of one that is added';
