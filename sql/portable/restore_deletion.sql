--
-- Restore from the trash
--

CREATE FUNCTION @extschema@.discovery_read_choice(given text, argument text, usual text, other text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_argument(given IS NULL, argument);
    IF given NOT IN (usual, other) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('invalid value for %s: "%s"', argument, given),
            HINT = format('It must be %s or %s.', usual, other);
    END IF;
    RETURN given = other;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_read_choice(text, text, text, text) IS
    'internal: whether an argument is the second of two words';

-- An array with one element, as text. The quotes suit every delimiter.
CREATE FUNCTION @extschema@.discovery_as_array(element text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$ SELECT format('{"%s"}', replace(replace(element, E'\\', E'\\\\'), '"', E'\\"')) $$;
COMMENT ON FUNCTION @extschema@.discovery_as_array(text) IS 'internal: an array with one element, as text';

-- The columns of trashed rows that the table still has, and the value of each from the array of texts $1. Errors: 42703
-- unless the others are to be left out.
CREATE FUNCTION @extschema@.discovery_values_left(
        relation regclass, names text[], row_name text, leaves_out boolean)
    RETURNS TABLE (number integer, name text, value text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    missing text;
BEGIN
    SELECT string_agg(format('"%s"', given.name), ', ' ORDER BY given.number) INTO missing
        FROM unnest(names) WITH ORDINALITY AS given (name, number)
        WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = relation AND attname = given.name AND attnum > 0
                          AND NOT attisdropped AND attgenerated = '');
    IF missing IS NOT NULL AND NOT leaves_out THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_column',
            MESSAGE = format('cannot restore "%s" because table "%s" no longer has all of its columns', row_name,
                             (SELECT relname FROM pg_class WHERE oid = relation)),
            DETAIL = format('It has values of columns that are gone: %s.', missing),
            HINT = 'Add the columns again, or use on_missing_column => ''leave_out'' to lose these values.';
    END IF;
    -- Of any length: character would be character(1), and the insertion checks the column's own. Where a cast would
    -- call a function, such as one that knows no regclass '-', an array reads its element as the type's input does.
    RETURN QUERY
        WITH RECURSIVE base (type, id) AS (
            SELECT a.atttypid, a.atttypid FROM pg_attribute AS a WHERE a.attrelid = relation
            UNION SELECT base.type, t.typbasetype FROM base JOIN pg_type AS t ON t.oid = base.id AND t.typtype = 'd'
        )
        SELECT given.number::integer, given.name, format(
                   CASE WHEN EXISTS (SELECT FROM base JOIN pg_cast AS c ON c.casttarget = base.id
                                     WHERE base.type = a.atttypid AND c.castsource = 'text'::regtype
                                       AND c.castmethod = 'f')
                        THEN '(@extschema@.discovery_as_array(($1)[%s])::%s[])[1]' ELSE '($1)[%s]::%s' END,
                   given.number, format_type(a.atttypid, -1))
        FROM unnest(names) WITH ORDINALITY AS given (name, number)
        JOIN pg_attribute AS a ON a.attrelid = relation AND a.attname = given.name AND a.attnum > 0
            AND NOT a.attisdropped AND a.attgenerated = '';
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_values_left(regclass, text[], text, boolean) IS
    'internal: the columns of trashed rows that a table still has';

-- Brings back what the deletion has moved to the trash, with the rights of the owner: for a role that may insert into
-- the tables, and from which row security hides none of their rows. Notebooks come first.
CREATE FUNCTION @extschema@.discovery_restore_trash(
        call uuid, schema name, deletion uuid, keeps_duplicates boolean, renames boolean, leaves_out boolean)
    RETURNS TABLE (table_name text, id uuid, outcome text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
    SET datestyle TO iso SET intervalstyle TO postgres SET lc_monetary TO 'C'
    SET array_nulls TO on SET xmloption TO content
AS $$
#variable_conflict use_column
DECLARE
    store constant text := quote_ident(schema);
    caller name;
    -- By it, the trigger of sources knows who has set that a row comes back.
    proof constant uuid := gen_random_uuid();
    outer_restoring text := current_setting('discovery_internal.restoring', true);
    one record;
    statement text;
    known_table text;
    known_columns text[];
    inserted bigint;
    attempt integer;
    other_name text;
    index text;
    detail text;
    back_tables text[] := '{}';
    back_ids uuid[] := '{}';
    back_notebooks uuid[] := '{}';
    notebook uuid;
    trashed uuid;
    is_there boolean;
    relations constant name[] := '{notebooks,sources,outputs}';
    relation name;
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'notebooks', 'sources', 'outputs', 'discovery_trash');
    caller := @extschema@.discovery_caller(call);
    FOR one IN EXECUTE @extschema@.discovery_lock_trash(store, 'row.deletion_id = $1') USING deletion LOOP
        IF statement IS NULL THEN
            INSERT INTO @extschema@.discovery_calls (id, role) VALUES (proof, current_user);
            FOREACH relation IN ARRAY relations LOOP
                PERFORM @extschema@.discovery_refuse_hidden(caller, schema, relation);
            END LOOP;
        END IF;
        IF one.table_name <> ALL (relations) THEN
            RAISE EXCEPTION USING ERRCODE = 'undefined_table',
                MESSAGE = format('cannot restore rows of table "%s", which is not a table of the store',
                                 one.table_name);
        END IF;
        IF (known_table, known_columns) IS DISTINCT FROM (one.table_name, one.column_names) THEN
            PERFORM @extschema@.discovery_require_right(caller, schema, one.table_name::name, 'INSERT');
            known_table := one.table_name;
            known_columns := one.column_names;
            SELECT format('INSERT INTO %1$s.%2$I (%3$s%4$s) OVERRIDING SYSTEM VALUE SELECT %5$s%6$s%7$s', store,
                          one.table_name, string_agg(quote_ident(c.name), ', ' ORDER BY c.number),
                          CASE one.table_name WHEN 'sources' THEN ', extracted_text'
                               WHEN 'outputs' THEN ', content' END,
                          string_agg(CASE WHEN c.name = 'name' AND one.table_name = 'notebooks'
                                          THEN format('coalesce($3, ($1)[%s])', c.number)
                                          ELSE c.value END, ', ' ORDER BY c.number),
                          CASE WHEN one.table_name <> 'notebooks' THEN ', $2' END,
                          CASE WHEN one.table_name = 'notebooks' THEN ' ON CONFLICT (name) DO NOTHING'
                               WHEN one.table_name = 'sources' AND keeps_duplicates
                               THEN ' ON CONFLICT (notebook_id, content_hash) WHERE deleted_at IS NULL'
                                    ' AND content_hash <> '''' DO NOTHING' END) INTO statement
                FROM @extschema@.discovery_values_left(
                    format('%s.%I', store, one.table_name)::regclass, one.column_names, one.name, leaves_out) AS c;
        END IF;
        IF one.table_name <> 'notebooks' AND notebook IS DISTINCT FROM one.notebook_id THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM %s.notebooks WHERE id = $1)', store)
                INTO is_there USING one.notebook_id;
            IF NOT is_there THEN
                EXECUTE format('SELECT deletion_id FROM %s.discovery_trash WHERE row_id = $1 AND notebook_id = $1'
                               ' ORDER BY deletion_id DESC LIMIT 1', store) INTO trashed USING one.notebook_id;
                IF trashed IS NOT NULL THEN
                    RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
                        MESSAGE = format('cannot restore "%s" because its notebook does not exist', one.name),
                        DETAIL = 'The notebook is in the trash.',
                        HINT = format('Restore deletion %s first.', trashed);
                END IF;
                RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
                    MESSAGE = format('cannot restore "%s" because its notebook does not exist', one.name);
            END IF;
        END IF;
        notebook := one.notebook_id;
        attempt := 0;
        other_name := NULL;
        LOOP
            BEGIN
                PERFORM set_config('discovery_internal.restoring', concat(one.row_id, ' ', proof), true);
                EXECUTE statement USING one.column_values, one.content, other_name;
                GET DIAGNOSTICS inserted = ROW_COUNT;
            EXCEPTION WHEN unique_violation THEN
                GET STACKED DIAGNOSTICS index = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
                IF NOT @extschema@.discovery_is_duplicate(index) THEN RAISE; END IF;
                PERFORM @extschema@.discovery_refuse_identical(one.name, detail);
            END;
            EXIT WHEN inserted > 0 OR one.table_name = 'sources' AND keeps_duplicates;
            is_there := false;
            IF one.table_name = 'notebooks' THEN
                EXECUTE format('SELECT EXISTS (SELECT FROM %s.notebooks WHERE name = $1)', store)
                    INTO is_there USING coalesce(other_name, one.name);
            END IF;
            IF NOT is_there THEN
                RAISE EXCEPTION USING ERRCODE = 'triggered_action_exception',
                    MESSAGE = format('cannot restore "%s"', one.name),
                    DETAIL = format('A trigger or rule on table "%s" prevents it.', one.table_name);
            END IF;
            IF NOT renames THEN
                RAISE EXCEPTION USING ERRCODE = 'unique_violation',
                    MESSAGE = format('cannot restore notebook "%s" because another notebook has its name', one.name),
                    HINT = 'Rename that notebook, or use on_name_taken => ''rename''.';
            END IF;
            attempt := attempt + 1;
            other_name := CASE attempt WHEN 1 THEN ' (restored)' ELSE format(' (restored %s)', attempt) END;
            other_name := left(one.name, 255 - length(other_name)) || other_name;
        END LOOP;
        IF inserted > 0 THEN
            back_tables := back_tables || one.table_name;
            back_ids := back_ids || one.row_id;
            -- Not for a source that is still soft-deleted.
            IF one.notebook_id IS DISTINCT FROM back_notebooks[cardinality(back_notebooks)]
               AND (one.column_values)[array_position(one.column_names, 'deleted_at')] IS NULL THEN
                back_notebooks := back_notebooks || one.notebook_id;
            END IF;
        END IF;
        table_name := one.table_name;
        id := one.row_id;
        outcome := CASE WHEN inserted = 0 THEN 'kept_deleted' WHEN attempt > 0 THEN 'renamed' ELSE 'restored' END;
        RETURN NEXT;
    END LOOP;
    IF statement IS NULL THEN RETURN; END IF;
    DELETE FROM @extschema@.discovery_calls AS one WHERE one.id = proof;
    PERFORM set_config('discovery_internal.restoring', coalesce(outer_restoring, ''), true);
    -- What comes back into a notebook counts as a change of it, but what comes back with it does not.
    EXECUTE format(
        'UPDATE %1$s.notebooks AS notebook SET updated_at = trash.updated_at FROM ('
        '  SELECT row_id, (column_values)[array_position(column_names, ''updated_at'')]::timestamp AS updated_at'
        '  FROM %1$s.discovery_trash WHERE deletion_id = $1 AND table_name = ''notebooks'') AS trash'
        ' WHERE notebook.id = trash.row_id AND (notebook.updated_at <> trash.updated_at) IS NOT FALSE',
        store) USING deletion;
    -- Not what a trigger of the user's has moved there meanwhile, in a deletion of this transaction.
    EXECUTE format('DELETE FROM %s.discovery_trash AS trash USING unnest($2, $3) AS back (table_name, row_id)'
                   ' WHERE trash.deletion_id = $1 AND trash.table_name = back.table_name'
                   ' AND trash.row_id = back.row_id', store) USING deletion, back_tables, back_ids;
    FOR notebook IN SELECT DISTINCT given.id FROM unnest(back_notebooks) AS given (id)
                    EXCEPT SELECT back.id FROM unnest(back_tables, back_ids) AS back (relation, id)
                    WHERE back.relation = 'notebooks' ORDER BY 1 LOOP
        PERFORM @extschema@.discovery_add_to_counts(schema, notebook, 0, 0, timezone('UTC', now()));
    END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_restore_trash(uuid, name, uuid, boolean, boolean, boolean) IS
    'internal: brings back what a deletion has moved to the trash';

CREATE FUNCTION @extschema@.restore_deletion(
        deletion_id uuid,
        on_duplicate text DEFAULT 'error',
        on_name_taken text DEFAULT 'error',
        on_missing_column text DEFAULT 'error')
    RETURNS TABLE (table_name text, id uuid, outcome text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.text;
    keeps_duplicates pg_catalog.bool;
    renames pg_catalog.bool;
    leaves_out pg_catalog.bool;
BEGIN
    PERFORM @extschema@.discovery_require_writable('restore_deletion()');
    PERFORM @extschema@.discovery_require_argument(deletion_id IS NULL, 'deletion_id');
    keeps_duplicates := @extschema@.discovery_read_choice(on_duplicate, 'on_duplicate', 'error', 'keep_deleted');
    renames := @extschema@.discovery_read_choice(on_name_taken, 'on_name_taken', 'error', 'rename');
    leaves_out := @extschema@.discovery_read_choice(on_missing_column, 'on_missing_column', 'error', 'leave_out');
    store := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    RETURN QUERY SELECT back.table_name, back.id, back.outcome FROM @extschema@.discovery_restore_trash(
        @extschema@.discovery_call(), (pg_catalog.parse_ident(store))[1], deletion_id, keeps_duplicates, renames,
        leaves_out) AS back;
    -- Another session may have purged it meanwhile.
    PERFORM @extschema@.discovery_require_deletion((pg_catalog.parse_ident(store))[1], deletion_id);
    -- Without soft-deleted sources, the caller needs no right on sources.
    IF @extschema@.discovery_has_sources((pg_catalog.parse_ident(store))[1], deletion_id) THEN
        RETURN QUERY SELECT 'sources'::pg_catalog.text, source.id, source.outcome
            FROM @extschema@.restore_sources(deletion_id, on_duplicate) AS source;
    END IF;
    IF pg_catalog.has_table_privilege(store OPERATOR(pg_catalog.||) '.discovery_trash', 'SELECT') THEN
        RETURN QUERY EXECUTE pg_catalog.format(
            'SELECT table_name, row_id, ''in_trash''::pg_catalog.text FROM %s.discovery_trash'
            ' WHERE source_deletion_id OPERATOR(pg_catalog.=) $1 ORDER BY row_id', store) USING deletion_id;
    END IF;
END
$$;
