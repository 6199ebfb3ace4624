--
-- Erase for good
--

CREATE FUNCTION @extschema@.erase_data(notebook_id uuid DEFAULT NULL, created_by text DEFAULT NULL)
    RETURNS TABLE (table_name text, rows bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_writable('erase_data()');
    IF pg_catalog.num_nonnulls(notebook_id, created_by) OPERATOR(pg_catalog.<>) 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'either notebook_id or created_by must be given';
    END IF;
    PERFORM @extschema@.discovery_require_read_committed('erase data');
    RETURN QUERY SELECT erased.relation, erased.rows FROM @extschema@.discovery_erase(
        @extschema@.discovery_current_store(pg_catalog.current_schemas(false)), notebook_id, created_by) AS erased;
END
$$;

-- A notebook of the creator goes with all that others have put into it. Notebooks go last, so that what is in them is
-- counted as what it is.
CREATE FUNCTION @extschema@.discovery_erase(store text, notebook uuid, creator text)
    RETURNS TABLE (relation text, rows bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    inside constant text := CASE WHEN creator IS NULL THEN 'row.notebook_id = $1'
        ELSE replace('row.created_by = $2 OR row.notebook_id IN ('
                     'SELECT id FROM @store@.notebooks WHERE created_by = $2)', '@store@', store) END;
    trashed constant text := CASE WHEN creator IS NULL THEN 'row.notebook_id = $1'
        ELSE replace('row.created_by = $2 OR row.notebook_id IN (SELECT id FROM @store@.notebooks WHERE created_by = $2'
                     ' UNION SELECT row_id FROM @store@.discovery_trash WHERE table_name = ''notebooks'''
                     ' AND created_by = $2)', '@store@', store) END;
    going constant text := CASE WHEN creator IS NULL THEN 'row.id = $1' ELSE 'row.created_by = $2' END;
    touched constant text := CASE WHEN creator IS NULL THEN going
        ELSE replace('row.created_by = $2 OR row.id IN (SELECT notebook_id FROM @store@.sources WHERE created_by = $2'
                     ' UNION SELECT notebook_id FROM @store@.outputs WHERE created_by = $2)', '@store@', store) END;
    part record;
    is_left boolean;
    outer_keeping text := @extschema@.discovery_set_keeping('off');
BEGIN
    PERFORM @extschema@.discovery_require_owner();
    PERFORM @extschema@.discovery_require_own((parse_ident(store))[1], 'notebooks', 'sources', 'outputs',
                                              'discovery_trash', 'discovery_deletions');
    -- Whoever is moving a row to the trash, or back, has done so before the erasing begins. The trash comes first, as
    -- in restore_deletion(), and notebooks come before what is in them, as in DELETE of a notebook.
    EXECUTE format('SELECT count(*) FROM (%s) AS locked', @extschema@.discovery_lock_trash(store, trashed))
        USING notebook, creator;
    FOR part IN VALUES ('notebooks', touched), ('sources', inside), ('outputs', inside) LOOP
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %s.%I AS row WHERE %s ORDER BY row.id FOR UPDATE) AS locked',
                       store, part.column1, part.column2) USING notebook, creator;
    END LOOP;
    relation := 'discovery_deletions';
    EXECUTE format('UPDATE %1$s.discovery_deletions SET reason = NULL WHERE reason IS NOT NULL AND id IN ('
                   'SELECT row.deletion_id FROM %1$s.sources AS row WHERE %2$s'
                   ' UNION SELECT unnest(ARRAY[row.deletion_id, row.source_deletion_id])'
                   ' FROM %1$s.discovery_trash AS row WHERE %3$s)', store, inside, trashed) USING notebook, creator;
    GET DIAGNOSTICS rows = ROW_COUNT;
    RETURN NEXT;
    EXECUTE format('INSERT INTO %1$s.discovery_lost_files (id, file_path)'
                   ' SELECT @extschema@.uuid_v7(), row.file_path FROM %1$s.discovery_trash AS row'
                   ' WHERE row.file_path IS NOT NULL AND (%2$s)', store, trashed) USING notebook, creator;
    FOR part IN VALUES ('sources', inside), ('outputs', inside), ('discovery_trash', trashed), ('notebooks', going) LOOP
        relation := part.column1;
        EXECUTE format('DELETE FROM %s.%I AS row WHERE %s', store, relation, part.column2) USING notebook, creator;
        GET DIAGNOSTICS rows = ROW_COUNT;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s.%I AS row WHERE %s)', store, relation, part.column2)
            INTO is_left USING notebook, creator;
        IF is_left THEN
            RAISE EXCEPTION USING ERRCODE = 'triggered_action_exception',
                MESSAGE = format('cannot erase all rows of table "%s"', relation),
                DETAIL = 'A trigger or rule of the table keeps some, or another session has added some meanwhile.';
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM @extschema@.discovery_set_keeping(outer_keeping);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_erase(text, uuid, text) IS
    'internal: removes a notebook, or what a person created, for good';
