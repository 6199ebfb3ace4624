--
-- For the scripts that install this edition, and that remove it
--

CREATE FUNCTION @extschema@.discovery_install_store(version text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    functions text := @extschema@.discovery_functions();
    schema name := (parse_ident(functions))[1];
    wanted text := lower(coalesce(nullif(current_setting('discovery.create_store', true), ''), 'auto'));
BEGIN
    IF wanted IN ('off', 'false') THEN RETURN; END IF;
    -- The output of pg_dump sets row_security first, in every format.
    IF wanted = 'auto' AND EXISTS (SELECT FROM pg_settings WHERE name = 'row_security' AND source = 'session') THEN
        RAISE WARNING USING MESSAGE = 'did not create a store because a dump is apparently being restored',
            DETAIL = 'This session has set row_security, as the output of pg_dump does.',
            HINT = format('If no dump is being restored, run: SELECT %s.discovery_create_store(%L);', functions,
                          schema);
        RETURN;
    END IF;
    PERFORM @extschema@.discovery_establish(schema, version, false);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_install_store(text) IS
    'for the scripts of this edition only: create or adopt the store in the schema of the functions';
REVOKE ALL ON FUNCTION @extschema@.discovery_install_store(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.discovery_run_step(from_version text, to_version text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    own_schema constant name := (parse_ident(@extschema@.discovery_functions()))[1];
    store record;
    others text;
    is_adopted_now boolean;
BEGIN
    -- The way down of a later release, and the script of a step alone, run with these functions.
    IF NOT ARRAY[from_version, to_version] <@ @extschema@.discovery_versions() THEN
        RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
            MESSAGE = format('the functions of discovery do not know the step %s -> %s', from_version, to_version),
            HINT = 'Replace them in one transaction: DROP EXTENSION discovery CASCADE; CREATE EXTENSION discovery;'
                   ' the tables of the stores stay.';
    END IF;
    IF @extschema@.discovery_number(to_version) < @extschema@.discovery_number(from_version) THEN
        others := (SELECT string_agg(format('The store in schema "%s" has version %s.', other.schema, other.version),
                                     E'\n' ORDER BY other.schema)
                   FROM @extschema@.discovery_stores(NULL) AS other
                   WHERE other.schema <> own_schema
                     AND @extschema@.discovery_number(other.version) > @extschema@.discovery_number(to_version));
        IF others IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('cannot downgrade the extension to version %s because some stores have a newer'
                                 ' version', to_version),
                DETAIL = others, HINT = 'Downgrade them first with discovery_downgrade().';
        END IF;
    END IF;
    SELECT * INTO store FROM @extschema@.discovery_stores(ARRAY[own_schema]);
    IF store.version = from_version THEN
        -- Tables that this transaction has adopted are left as they are.
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.discovery_migrations'
                       ' WHERE direction = ''adopt'' AND applied_at >= now())', store.schema) INTO is_adopted_now;
        IF is_adopted_now THEN RETURN; END IF;
        PERFORM @extschema@.discovery_run_steps(store.schema, from_version, to_version);
        PERFORM @extschema@.discovery_leave_extension();
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_run_step(text, text) IS
    'for the scripts of this edition only: take the store in the schema of the functions from one version to the next';
REVOKE ALL ON FUNCTION @extschema@.discovery_run_step(text, text) FROM PUBLIC;

-- Before another edition takes over: the triggers and defaults of the stores go with the functions, the tables stay.
-- What else depends on a function, such as a default of a user's column, is an error.
CREATE FUNCTION @extschema@.discovery_remove_functions() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    ours constant oid[] := ARRAY(
        SELECT to_regprocedure(format('%s.%s', @extschema@.discovery_functions(), signature))
        FROM unnest(@extschema@.discovery_signatures()) AS signature);
    command text;
    detail text;
BEGIN
    PERFORM @extschema@.discovery_require_owner();
    IF EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = ANY (ours) AND deptype = 'e') THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'the functions belong to extension "discovery"',
            HINT = 'Use DROP EXTENSION discovery CASCADE; the tables of the stores stay.';
    END IF;
    PERFORM @extschema@.discovery_lock_tables(store.schema)
        FROM @extschema@.discovery_stores(NULL) AS store WHERE store.owner = quote_ident(current_user)::regrole;
    FOR command IN
        SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
            FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
            JOIN @extschema@.discovery_stores(NULL) AS store ON store.namespace = c.relnamespace
                AND c.relowner = store.owner
            WHERE t.tgfoid = ANY (ours) AND NOT t.tgisinternal AND pg_has_role(c.relowner, 'USAGE')
        UNION ALL
        SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', a.attrelid::regclass, a.attname)
            FROM @extschema@.discovery_stores(NULL) AS store
            JOIN @extschema@.discovery_shapes() AS shape ON shape.version = store.version AND shape.kind = 'column'
            JOIN pg_class AS c ON c.relnamespace = store.namespace AND c.relowner = store.owner
            JOIN pg_attribute AS a ON a.attrelid = c.oid AND shape.name = c.relname || '.' || quote_ident(a.attname)
            JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                AND split_part(shape.definition, ' DEFAULT ', 2)
                    = replace(pg_get_expr(d.adbin, d.adrelid), @extschema@.discovery_functions() || '.', '@functions@.')
            JOIN pg_depend AS p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                AND p.refclassid = 'pg_proc'::regclass AND p.refobjid = ANY (ours)
            WHERE pg_has_role(c.relowner, 'USAGE')
    LOOP
        EXECUTE command;
    END LOOP;
    command := (SELECT string_agg(p::regprocedure::text, ', ') FROM unnest(ours) AS p);
    BEGIN
        EXECUTE 'DROP ROUTINE ' || command;
    EXCEPTION WHEN dependent_objects_still_exist THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
            MESSAGE = 'cannot remove the functions because other objects depend on them', DETAIL = detail,
            HINT = 'Drop these objects, or let their owners drop them, and create them again afterwards.';
    END;
    DROP VIEW @extschema@.discovery_own_calls;
    DROP TABLE @extschema@.discovery_calls;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_remove_functions() IS
    'remove the functions of the SQL-only edition, before the native extension takes its stores over; tables stay';
