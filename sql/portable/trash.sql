--
-- The trash
--

-- Sets discovery.keep_deleted, on or off, and returns what it was, for the end of the call: an error takes it back. As
-- a setting of a function it would need a superuser.
CREATE FUNCTION @extschema@.discovery_set_keeping(keeping text) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    before text := coalesce(nullif(current_setting('discovery.keep_deleted', true), ''), 'off');
BEGIN
    PERFORM set_config('discovery.keep_deleted', keeping, true);
    RETURN before;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_set_keeping(text) IS
    'internal: sets whether deleted rows move to the trash; returns what it was';

-- Whether the rows that a statement deletes move to the trash.
CREATE FUNCTION @extschema@.discovery_keeps_rows() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT coalesce(nullif(current_setting('discovery.keep_deleted', true), '')::boolean, false)
$$;
COMMENT ON FUNCTION @extschema@.discovery_keeps_rows() IS 'internal: whether deleted rows move to the trash';

-- The deletion of the current transaction and call, as the trigger of sources computes it; above 0, another one.
CREATE FUNCTION @extschema@.discovery_deletion_now(other integer DEFAULT 0) RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM now()) * 1000)::bigint), 12, '0')
            || '7' || lpad(to_hex(number >> 14 & 4095), 3, '0') || to_hex(32768 + (number & 16383))
            || left(encode(sha256(convert_to(
                concat_ws(' ', concat(number, '.' || nullif(other, 0)),
                          nullif(current_setting('discovery_internal.call', true), ''),
                          nullif(current_setting('discovery.reason', true), '')),
                CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)), 'hex'), 12))::uuid
    FROM (SELECT pg_current_xact_id()::text::bigint) AS this (number)
$$;
COMMENT ON FUNCTION @extschema@.discovery_deletion_now(integer) IS 'internal: the id of the deletion that is under way';

CREATE FUNCTION @extschema@.discovery_require_logged(is_logged boolean, deletion uuid) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT is_logged THEN
        RAISE EXCEPTION USING ERRCODE = 'triggered_action_exception',
            MESSAGE = format('cannot log deletion %s', deletion),
            DETAIL = 'A trigger or rule on table "discovery_deletions" prevents it.';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_logged(boolean, uuid) IS
    'internal: raises 09000 if a deletion is not in the log';

-- Logs rows of a table, or adds them to what the deletion has deleted. Version 1.1 has numbers of sources alone.
CREATE FUNCTION @extschema@.discovery_log_deletion(schema name, deletion uuid, relation name, rows bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    written bigint;
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'discovery_deletions');
    EXECUTE format('INSERT INTO %1$I.discovery_deletions AS known (id, login_role, acting_role, reason, sources%2$s)'
                   ' VALUES ($1, session_user, $2, $3, %3$s)'
                   ' ON CONFLICT (id) DO UPDATE SET %4$I = known.%4$I + excluded.%4$I', schema,
                   CASE WHEN relation <> 'sources' THEN format(', %I', relation) END,
                   CASE WHEN relation <> 'sources' THEN '0, $4' ELSE '$4' END, relation)
        USING deletion, @extschema@.discovery_acting_role(), nullif(current_setting('discovery.reason', true), ''),
              rows;
    GET DIAGNOSTICS written = ROW_COUNT;
    PERFORM @extschema@.discovery_require_logged(written > 0, deletion);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_log_deletion(name, uuid, name, bigint) IS
    'internal: writes the deletion log with the rights of the owner';
REVOKE ALL ON FUNCTION @extschema@.discovery_log_deletion(name, uuid, name, bigint) FROM PUBLIC;

-- All columns come along but generated ones, as pg_dump writes their values. The long text stands alone. A row whose id
-- the deletion has already goes to another one: this transaction has given the id to a second row.
CREATE FUNCTION @extschema@.discovery_keep_rows() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
    SET datestyle TO iso SET intervalstyle TO postgres SET extra_float_digits TO 1 SET bytea_output TO hex
    SET xmlbinary TO base64 SET lc_monetary TO 'C'
AS $$
DECLARE
    statement text;
    deletion uuid;
    -- The rows to move, all of them if NULL; and those that another deletion must take
    chosen uuid[];
    left_over uuid[];
    moved bigint;
    kept bigint := 0;
BEGIN
    PERFORM @extschema@.discovery_require_own(TG_TABLE_SCHEMA, TG_TABLE_NAME, 'discovery_trash');
    IF NOT @extschema@.discovery_keeps_rows() THEN RETURN NULL; END IF;
    statement := (
        SELECT format('INSERT INTO %I.discovery_trash (deletion_id, table_name, row_id, notebook_id, name, created_by,'
                      ' content_hash, file_path, source_deletion_id, hold_reason, column_names, column_values, content)'
                      ' SELECT $1, %L, gone.id, gone.%I, gone.%I, gone.created_by, %s, %L::text[],'
                      ' ARRAY[%s]::text[], %s FROM old_rows AS gone'
                      ' WHERE ($2 IS NULL OR gone.id = ANY ($2)) AND gone.id <> ALL ($3)',
                      TG_TABLE_SCHEMA, TG_TABLE_NAME,
                      CASE TG_TABLE_NAME WHEN 'notebooks' THEN 'id' ELSE 'notebook_id' END,
                      CASE TG_TABLE_NAME WHEN 'outputs' THEN 'title' ELSE 'name' END,
                      CASE TG_TABLE_NAME WHEN 'sources'
                           THEN 'gone.content_hash, gone.file_path, gone.deletion_id, gone.hold_reason'
                           ELSE 'NULL, NULL, NULL, NULL' END,
                      array_agg(attname ORDER BY attnum),
                      string_agg(format('CASE WHEN num_nulls(gone.%1$I) = 0 THEN format(''%%s'', gone.%1$I) END',
                                        attname), ', ' ORDER BY attnum),
                      CASE TG_TABLE_NAME WHEN 'sources' THEN 'gone.extracted_text' WHEN 'outputs' THEN 'gone.content'
                           ELSE 'NULL' END)
        FROM pg_attribute
        WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
          AND (TG_TABLE_NAME, attname) NOT IN (('sources', 'extracted_text'), ('outputs', 'content')));
    FOR other IN 0 .. 2147483646 LOOP
        deletion := @extschema@.discovery_deletion_now(other);
        EXECUTE format('SELECT coalesce(array_agg(gone.id), ''{}'') FROM old_rows AS gone'
                       ' JOIN %I.discovery_trash AS trash ON trash.deletion_id = $1 AND trash.table_name = $3'
                       ' AND trash.row_id = gone.id WHERE $2 IS NULL OR gone.id = ANY ($2)', TG_TABLE_SCHEMA)
            INTO left_over USING deletion, chosen, TG_TABLE_NAME::text;
        EXECUTE statement USING deletion, chosen, left_over;
        GET DIAGNOSTICS moved = ROW_COUNT;
        IF moved > 0 THEN
            PERFORM @extschema@.discovery_log_deletion(TG_TABLE_SCHEMA, deletion, TG_TABLE_NAME, moved);
        END IF;
        kept := kept + moved;
        EXIT WHEN cardinality(left_over) = 0;
        chosen := left_over;
    END LOOP;
    IF kept <> (SELECT count(*) FROM old_rows) THEN
        RAISE EXCEPTION USING ERRCODE = 'triggered_action_exception',
            MESSAGE = format('cannot move a row of table "%s" to the trash', TG_TABLE_NAME),
            DETAIL = 'A trigger or rule on table "discovery_trash" prevents it.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_keep_rows() IS
    'trigger after each statement that deletes: moves the rows to the trash if deleted rows are kept';
REVOKE ALL ON FUNCTION @extschema@.discovery_keep_rows() FROM PUBLIC;

-- A query for rows in the trash that locks them in the one order that all keep to, notebooks first. `condition` is on
-- row.
CREATE FUNCTION @extschema@.discovery_lock_trash(store text, condition text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT format('SELECT * FROM %s.discovery_trash AS row WHERE %s ORDER BY row.deletion_id,'
                  ' row.table_name OPERATOR(pg_catalog.<>) ''notebooks''::pg_catalog.text, row.table_name DESC,'
                  ' row.notebook_id, row.content_hash COLLATE pg_catalog."C", row.row_id FOR UPDATE', store, condition)
$$;
COMMENT ON FUNCTION @extschema@.discovery_lock_trash(text, text) IS
    'internal: a query that locks rows in the trash in one order';

-- What a deletion that moved a row to the trash has deleted.
CREATE FUNCTION @extschema@.discovery_deletion_of(
        call uuid, schema name, relation name, row_id uuid, deletion uuid, OUT sources bigint, OUT outputs bigint)
    RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    is_there boolean;
    is_logged boolean;
    is_left boolean;
    place name;
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'discovery_trash', 'discovery_deletions', 'sources', 'outputs');
    PERFORM @extschema@.discovery_require_right(@extschema@.discovery_caller(call), schema,
                                              relation, 'DELETE');
    EXECUTE replace('SELECT true, deletion.id IS NOT NULL, deletion.sources, deletion.outputs'
                    ' FROM @store@.discovery_trash AS trash'
                    ' LEFT JOIN @store@.discovery_deletions AS deletion ON deletion.id = trash.deletion_id'
                    ' WHERE trash.deletion_id = $3 AND trash.row_id = $1 AND trash.table_name = $2',
                    '@store@', quote_ident(schema))
        INTO is_there, is_logged, sources, outputs USING row_id, relation::text, deletion;
    PERFORM @extschema@.discovery_require_logged(is_logged, deletion);
    FOREACH place IN ARRAY CASE relation WHEN 'notebooks' THEN '{sources,outputs}'::name[] ELSE '{}' END LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I WHERE notebook_id = $1)', schema, place)
            INTO is_left USING row_id;
        IF is_left THEN
            RAISE EXCEPTION USING ERRCODE = 'triggered_action_exception',
                MESSAGE = format('cannot delete notebook %s', row_id),
                DETAIL = format('A trigger or rule on table "%s" prevents it.', place);
        END IF;
    END LOOP;
    IF is_there IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'triggered_action_exception',
            MESSAGE = format('cannot move %s %s to the trash',
                             CASE relation WHEN 'notebooks' THEN 'notebook' ELSE 'output' END, row_id),
            DETAIL = format('The trigger "discovery_trash" of table "%s" did not run.', relation);
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_deletion_of(uuid, name, name, uuid, uuid) IS
    'internal: what the deletion that moved a row to the trash has deleted';

-- Deletes a row, which moves to the trash.
CREATE FUNCTION @extschema@.discovery_delete_row(
        store text, relation name, row_id uuid, reason text,
        OUT deletion_id uuid, OUT sources bigint, OUT outputs bigint)
    RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    outer_reason pg_catalog.text := pg_catalog.current_setting('discovery.reason', true);
    outer_call pg_catalog.text := pg_catalog.current_setting('discovery_internal.call', true);
    outer_keeping pg_catalog.text;
    rows pg_catalog.int8;
    is_there pg_catalog.bool;
    one constant pg_catalog.text :=
        CASE WHEN relation OPERATOR(pg_catalog.=) 'notebooks' THEN 'notebook' ELSE 'output' END;
    schema constant pg_catalog.name := (pg_catalog.parse_ident(store))[1];
BEGIN
    PERFORM pg_catalog.set_config('discovery_internal.call', pg_catalog.gen_random_uuid()::pg_catalog.text, true);
    outer_keeping := @extschema@.discovery_set_keeping('on');
    IF reason OPERATOR(pg_catalog.<>) '' THEN PERFORM pg_catalog.set_config('discovery.reason', reason, true); END IF;
    -- While it waits for the row, others may delete it and add another with its id: so a row that is there after ten
    -- attempts is kept by something.
    FOR attempt IN 1 .. 10 LOOP
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s.%I WHERE id OPERATOR(pg_catalog.=) $1)', store,
                                  relation) INTO is_there USING row_id;
        -- Whoever does not see the row learns nothing of others' rows here.
        IF is_there AND pg_catalog.has_table_privilege(pg_catalog.format('%s.%I', store, relation), 'DELETE') THEN
            IF EXISTS (SELECT FROM @extschema@.discovery_references(schema, relation) AS one
                       WHERE one.action OPERATOR(pg_catalog.=) ANY ('{c,n,d}'::pg_catalog.text[])) THEN
                PERFORM @extschema@.discovery_refuse_losing_references(
                    @extschema@.discovery_call(), schema, relation, row_id);
            END IF;
        END IF;
        EXECUTE pg_catalog.format('DELETE FROM %s.%I WHERE id OPERATOR(pg_catalog.=) $1 AND $2', store, relation)
            USING row_id, is_there;
        GET DIAGNOSTICS rows = ROW_COUNT;
        EXIT WHEN rows OPERATOR(pg_catalog.>) 0 OR NOT is_there;
    END LOOP;
    deletion_id := @extschema@.discovery_deletion_now();
    PERFORM pg_catalog.set_config('discovery.reason', coalesce(outer_reason, ''), true);
    PERFORM pg_catalog.set_config('discovery_internal.call', coalesce(outer_call, ''), true);
    PERFORM @extschema@.discovery_set_keeping(outer_keeping);
    IF rows OPERATOR(pg_catalog.=) 0 THEN
        IF is_there THEN
            RAISE EXCEPTION USING ERRCODE = 'triggered_action_exception',
                MESSAGE = pg_catalog.format('cannot delete %s %s', one, row_id),
                DETAIL = pg_catalog.format('A trigger, rule or policy on table "%s" prevents it.', relation);
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('%s %s does not exist', one, row_id);
    END IF;
    SELECT d.sources, d.outputs INTO sources, outputs
        FROM @extschema@.discovery_deletion_of(
            @extschema@.discovery_call(), schema, relation, row_id, deletion_id) AS d;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_delete_row(text, name, uuid, text) IS
    'internal: moves a notebook or an output to the trash';

CREATE FUNCTION @extschema@.delete_notebook(id uuid, reason text DEFAULT NULL,
        OUT deletion_id uuid, OUT sources bigint, OUT outputs bigint)
    RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.text;
BEGIN
    PERFORM @extschema@.discovery_require_writable('delete_notebook()');
    PERFORM @extschema@.discovery_require_argument(id IS NULL, 'id');
    store := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    SELECT d.deletion_id, d.sources, d.outputs INTO deletion_id, sources, outputs
        FROM @extschema@.discovery_delete_row(store, 'notebooks', id, reason) AS d;
END
$$;

CREATE FUNCTION @extschema@.delete_output(id uuid, reason text DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable('delete_output()');
    PERFORM @extschema@.discovery_require_argument(id IS NULL, 'id');
    RETURN (SELECT d.deletion_id FROM @extschema@.discovery_delete_row(
        @extschema@.discovery_current_store(pg_catalog.current_schemas(false)), 'outputs', id, reason) AS d);
END
$$;

CREATE FUNCTION @extschema@.preview_delete_notebook(id uuid)
    RETURNS TABLE (table_name text, rows bigint, effect text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.text;
    is_there pg_catalog.bool;
    other pg_catalog.record;
BEGIN
    PERFORM @extschema@.discovery_require_argument(id IS NULL, 'id');
    store := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s.notebooks WHERE id OPERATOR(pg_catalog.=) $1)', store)
        INTO is_there USING id;
    IF NOT is_there THEN
        RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = pg_catalog.format('notebook %s does not exist', id);
    END IF;
    RETURN QUERY EXECUTE pg_catalog.replace($sql$
        SELECT 'notebooks'::pg_catalog.text, 1::pg_catalog.int8, 'moved to the trash'::pg_catalog.text
        UNION ALL SELECT 'sources', pg_catalog.count(*), 'moved to the trash, live'
        FROM @store@.sources WHERE notebook_id OPERATOR(pg_catalog.=) $1 AND deleted_at IS NULL
        UNION ALL SELECT 'sources', pg_catalog.count(*), 'moved to the trash, soft-deleted before'
        FROM @store@.sources WHERE notebook_id OPERATOR(pg_catalog.=) $1 AND deleted_at IS NOT NULL
        UNION ALL SELECT 'outputs', pg_catalog.count(*), 'moved to the trash'
        FROM @store@.outputs WHERE notebook_id OPERATOR(pg_catalog.=) $1$sql$, '@store@', store) USING id;
    -- On a standby nothing proves who calls, so these are counted as the caller.
    FOR other IN SELECT * FROM @extschema@.discovery_references((pg_catalog.parse_ident(store))[1], 'notebooks') LOOP
        rows := @extschema@.discovery_count_references(other.relation, other.referring, id);
        CONTINUE WHEN rows OPERATOR(pg_catalog.=) 0;
        table_name := other.name;
        effect := CASE WHEN other.action OPERATOR(pg_catalog.=) 'c' THEN 'deleted for good, by a foreign key'
            WHEN other.action OPERATOR(pg_catalog.=) ANY ('{n,d}'::pg_catalog.text[]) THEN 'changed, by a foreign key'
            ELSE 'in the way, by a foreign key' END;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Lists the files of rows that have left the trash, for who may purge it.
CREATE FUNCTION @extschema@.discovery_lose_files(call uuid, schema name, paths text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    caller name;
    privilege text;
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'discovery_trash', 'discovery_lost_files');
    caller := @extschema@.discovery_caller(call);
    FOREACH privilege IN ARRAY ARRAY['SELECT', 'UPDATE', 'DELETE'] LOOP
        PERFORM @extschema@.discovery_require_right(caller, schema, 'discovery_trash', privilege);
    END LOOP;
    EXECUTE format('INSERT INTO %I.discovery_lost_files (id, file_path)'
                   ' SELECT @extschema@.uuid_v7(), path FROM unnest($1) AS path WHERE path IS NOT NULL', schema)
        USING paths;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_lose_files(uuid, name, text[]) IS
    'internal: lists the paths of files of rows that have left the trash';

-- Whole deletions, so that what is left of the trash can be restored. It locks the rows, as restore_deletion() does,
-- and then looks again whether they are held.
CREATE FUNCTION @extschema@.purge_trash(older_than interval DEFAULT '30 days', max_deletions integer DEFAULT NULL)
    RETURNS TABLE (table_name text, id uuid, notebook_id uuid, content_hash text, file_path text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    cutoff pg_catalog.timestamptz :=
        @extschema@.discovery_check_purge('purge_trash()', older_than, max_deletions, 'max_deletions');
    store pg_catalog.text := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    paths pg_catalog.text[];
BEGIN
    FOR table_name, id, notebook_id, content_hash, file_path IN EXECUTE pg_catalog.replace($sql$
        WITH old AS (
            SELECT DISTINCT trash.deletion_id FROM @store@.discovery_trash AS trash
            JOIN @store@.discovery_deletions AS deletion ON deletion.id OPERATOR(pg_catalog.=) trash.deletion_id
            WHERE deletion.deleted_at OPERATOR(pg_catalog.<) $1
              AND NOT EXISTS (SELECT FROM @store@.discovery_trash AS held
                              WHERE held.deletion_id OPERATOR(pg_catalog.=) trash.deletion_id
                                AND held.hold_reason IS NOT NULL)
            ORDER BY trash.deletion_id LIMIT $2
        ), locked AS MATERIALIZED (
            SELECT deletion_id, table_name, row_id FROM @store@.discovery_trash
            WHERE deletion_id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT deletion_id FROM old))
              AND hold_reason IS NULL
            FOR UPDATE SKIP LOCKED
        ), whole AS MATERIALIZED (
            SELECT deletion_id FROM locked GROUP BY deletion_id
            HAVING pg_catalog.count(*) OPERATOR(pg_catalog.=)
                (SELECT pg_catalog.count(*) FROM @store@.discovery_trash AS counted
                 WHERE counted.deletion_id OPERATOR(pg_catalog.=) locked.deletion_id)
        )
        DELETE FROM @store@.discovery_trash
        WHERE deletion_id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT deletion_id FROM whole))
        RETURNING table_name, row_id, notebook_id, content_hash, file_path$sql$, '@store@', store)
        USING cutoff, max_deletions
    LOOP
        paths := pg_catalog.array_append(paths, file_path);
        RETURN NEXT;
    END LOOP;
    PERFORM @extschema@.discovery_lose_files(
        @extschema@.discovery_call(), (pg_catalog.parse_ident(store))[1], paths);
    PERFORM @extschema@.discovery_end_purge(store, 'discovery_trash', cutoff);
END
$$;
