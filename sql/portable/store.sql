--
-- The store
--

-- Only one session works on a store at a time.
CREATE FUNCTION @extschema@.discovery_lock_store(namespace oid) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    RETURN pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('discovery'),
                                            (namespace::bigint OPERATOR(pg_catalog.-) 2147483648)::integer);
COMMENT ON FUNCTION @extschema@.discovery_lock_store(oid) IS
    'internal: locks the store of a schema until the transaction ends';

-- Where pg_tle makes an extension of the functions, a new store gets its version.
CREATE FUNCTION @extschema@.discovery_extension_version() RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce((SELECT extversion FROM pg_extension WHERE extname = 'discovery'), '@version@');
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_extension_version() IS
    'internal: the version of the extension, or of the functions where there is none';

-- How the tables in the schema differ from those of a version. What is lost is what a DROP of the functions took along:
-- triggers, and defaults that call one.
CREATE FUNCTION @extschema@.discovery_differences(
        schema name, wanted text, OUT kind text, OUT name text, OUT expected text, OUT actual text, OUT is_lost boolean)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp SET quote_all_identifiers TO off SET DateStyle TO ISO
    SET IntervalStyle TO postgres
AS $$
#variable_conflict use_column
DECLARE
    functions text := @extschema@.discovery_functions();
    store text := quote_ident(schema);
BEGIN
    RETURN QUERY
    WITH relation AS (
        SELECT c.oid, c.relname::text AS name, c.relowner
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = schema AND c.relkind = 'r'
    ), object AS (
        SELECT 'table' AS kind, r.name, 'permanent' AS definition
            FROM relation AS r WHERE r.relowner = (SELECT relowner FROM relation WHERE name = 'notebooks')
        UNION ALL
        SELECT 'column', r.name || '.' || quote_ident(a.attname),
               format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
               || coalesce(' DEFAULT ' || replace(pg_get_expr(d.adbin, d.adrelid), functions || '.uuid_v7()',
                                                  '@functions@.uuid_v7()'), '')
            FROM relation AS r JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef AS d ON d.adrelid = r.oid AND d.adnum = a.attnum
        UNION ALL
        SELECT 'constraint', r.name || '.' || quote_ident(c.conname),
               replace(pg_get_constraintdef(c.oid), 'REFERENCES ' || store || '.', 'REFERENCES @store@.')
            FROM relation AS r JOIN pg_constraint AS c ON c.conrelid = r.oid AND c.convalidated
        UNION ALL
        SELECT 'index', r.name || '.' || quote_ident(c.relname),
               replace(pg_get_indexdef(i.indexrelid), ' ON ' || store || '.', ' ON @store@.')
            FROM relation AS r JOIN pg_index AS i ON i.indrelid = r.oid AND i.indisvalid
            JOIN pg_class AS c ON c.oid = i.indexrelid
        UNION ALL
        SELECT 'trigger', r.name || '.' || quote_ident(t.tgname), 'enabled'
            FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid AND t.tgenabled = 'O'
            JOIN pg_proc AS p ON p.oid = t.tgfoid
            WHERE quote_ident(p.pronamespace::regnamespace::text) = functions
               OR p.pronamespace::regnamespace::text = functions
    )
    SELECT e.kind, e.name, e.definition, o.definition,
           e.kind = 'trigger' AND o.kind IS NULL
           OR e.kind = 'column' AND e.definition LIKE '% DEFAULT @functions@.%'
              AND o.definition = split_part(e.definition, ' DEFAULT ', 1)
    FROM @extschema@.discovery_shapes() AS e LEFT JOIN object AS o ON o.kind = e.kind AND o.name = e.name
    WHERE e.version = wanted AND e.definition IS DISTINCT FROM o.definition;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_differences(name, text) IS
    'internal: how a store differs from a version';

-- Puts back what a DROP of the functions took along, and corrects the counts.
CREATE FUNCTION @extschema@.discovery_attach(schema name, version text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    statement text;
    parts text[];
BEGIN
    PERFORM @extschema@.discovery_require_read_committed('repair counts');
    PERFORM @extschema@.discovery_lock_tables(schema);
    FOR statement IN
        SELECT part
        FROM @extschema@.discovery_steps() AS step, unnest(step.statements) WITH ORDINALITY AS s (part, number)
        WHERE @extschema@.discovery_number(step.from_version) < @extschema@.discovery_number(step.to_version)
          AND @extschema@.discovery_number(step.to_version) <= @extschema@.discovery_number(version)
          AND (part ~ E'^(ALTER TABLE|CREATE TRIGGER)\\y.*@functions@' OR part ~ E'^DROP TRIGGER\\y')
        ORDER BY @extschema@.discovery_number(step.to_version), number
    LOOP
        -- A later step may have another trigger of the same name, or none.
        parts := regexp_match(statement, E'^(?:CREATE|DROP) TRIGGER (\\w+)\\y.*? ON @store@\\.(\\w+)');
        IF parts IS NOT NULL THEN
            IF EXISTS (SELECT FROM pg_trigger WHERE tgname = parts[1]
                       AND tgrelid = format('%I.%I', schema, parts[2])::regclass) THEN
                EXECUTE format('DROP TRIGGER %I ON %I.%I', parts[1], schema, parts[2]);
            END IF;
        END IF;
        CONTINUE WHEN statement ~ '^DROP';
        PERFORM @extschema@.discovery_run_statements(schema, 'attaching the store', ARRAY[statement]);
    END LOOP;
    IF to_regclass(format('%I.discovery_deletions', schema)) IS NOT NULL THEN
        PERFORM @extschema@.discovery_repair(schema, 'sources');
    END IF;
    IF to_regclass(format('%I.discovery_trash', schema)) IS NOT NULL THEN
        PERFORM @extschema@.discovery_repair(schema, 'outputs');
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_attach(name, text) IS
    'internal: puts back what a store has lost with the functions';

CREATE FUNCTION @extschema@.discovery_list_differences(schema name, version text, has_record boolean) RETURNS text
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT string_agg(concat(kind, ' ', name, CASE WHEN actual IS NULL THEN ' is missing'
                                                   ELSE format(': %s, not %s', actual, expected) END),
                      E'\n' ORDER BY kind DESC, name COLLATE "C")
    FROM @extschema@.discovery_differences(schema, version)
    WHERE has_record OR split_part(name, '.', 1) <> 'discovery_migrations'
$$;
COMMENT ON FUNCTION @extschema@.discovery_list_differences(name, text, boolean) IS
    'internal: the differences of a store from a version, as text';

-- Raises an error for a relation that has the name of a table of a store but cannot be one. Returns the owner of the
-- tables; NULL if there are none.
CREATE FUNCTION @extschema@.discovery_owner_of_tables(namespace oid, schema name) RETURNS oid
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    relation text;
    first_one text;
    why text;
    owner oid;
    its_owner oid;
BEGIN
    FOREACH relation IN ARRAY '{notebooks,sources,discovery_migrations}'::text[] LOOP
        its_owner := (SELECT relowner FROM pg_class WHERE relnamespace = namespace AND relname = relation);
        why := CASE WHEN its_owner IS NOT NULL THEN @extschema@.discovery_why_not(namespace, relation, NULL)
                    WHEN EXISTS (SELECT FROM pg_type WHERE typnamespace = namespace AND typname = relation)
                    THEN 'is a type' END;
        IF why IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'wrong_object_type',
                MESSAGE = format('"%s.%s" %s and cannot be part of a store', schema, relation, why),
                HINT = 'Rename it, or choose another schema.';
        END IF;
        CONTINUE WHEN its_owner IS NULL;
        IF owner IS NULL THEN
            owner := its_owner;
            first_one := relation;
        ELSIF owner <> its_owner THEN
            RAISE EXCEPTION USING ERRCODE = 'invalid_object_definition',
                MESSAGE = format('the tables in schema "%s" have different owners', schema),
                DETAIL = format('Table "%s" belongs to "%s", table "%s" to "%s".', first_one, pg_get_userbyid(owner),
                                relation, pg_get_userbyid(its_owner)),
                HINT = 'Use ALTER TABLE ... OWNER TO.';
        END IF;
    END LOOP;
    RETURN owner;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_owner_of_tables(oid, name) IS
    'internal: the owner of the tables of a store, after a check that they can be some';

CREATE FUNCTION @extschema@.discovery_create_store(schema name DEFAULT NULL, distributed boolean DEFAULT false)
    RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_argument(distributed IS NULL, 'distributed');
    IF distributed THEN
        RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
            MESSAGE = 'cannot create a distributed store in the SQL-only edition of discovery',
            HINT = 'Use the native extension.';
    END IF;
    RETURN @extschema@.discovery_establish(
        coalesce(schema, (SELECT path.name FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY
                              AS path (name, number)
                          WHERE path.name OPERATOR(pg_catalog.!~) '^pg_temp_' ORDER BY path.number LIMIT 1)),
        @extschema@.discovery_extension_version(), true);
END
$$;

-- Creates a store of this version, or takes over tables that are there. `is_new`: a complete store is an error.
CREATE FUNCTION @extschema@.discovery_establish(schema name, target text, is_new boolean) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    space oid;
    owner oid;
    why text;
    store record;
    differences text;
    nearest text;
BEGIN
    PERFORM @extschema@.discovery_require_writable('discovery_create_store()');
    IF schema IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_schema_name', MESSAGE = 'no schema has been selected to create in';
    END IF;
    space := quote_ident(schema)::regnamespace;
    why := CASE WHEN schema IN ('pg_catalog', 'information_schema', 'pg_toast') THEN 'It is a system schema.'
                WHEN schema ~ '^pg_(toast_)?temp_' THEN 'It is a schema for temporary objects.'
                WHEN schema LIKE '%$%' THEN 'Its name contains a dollar sign.' END;
    IF why IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_schema_name',
            MESSAGE = format('schema "%s" cannot have a store', schema), DETAIL = why;
    END IF;
    PERFORM @extschema@.discovery_require_owner();
    PERFORM @extschema@.discovery_lock_store(space);
    owner := @extschema@.discovery_owner_of_tables(space, schema);
    IF owner IS NULL THEN
        IF NOT has_schema_privilege(space, 'CREATE') THEN
            RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
                MESSAGE = format('permission denied for schema %s', schema),
                DETAIL = format('Role "%s", the owner of the store, must be able to create tables there.',
                                current_user),
                HINT = format('GRANT CREATE ON SCHEMA %I TO %I;', schema, current_user);
        END IF;
        PERFORM @extschema@.discovery_run_steps(schema, 'base', target);
        PERFORM @extschema@.discovery_leave_extension();
        PERFORM @extschema@.discovery_require_own(schema, 'notebooks', 'sources');
        RETURN target;
    END IF;

    IF owner <> quote_ident(current_user)::regrole THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('must be owner of the tables in schema "%s"', schema),
            DETAIL = format('They belong to "%s".', pg_get_userbyid(owner)),
            HINT = 'Use ALTER TABLE ... OWNER TO, or choose another schema.';
    END IF;
    SELECT * INTO store FROM @extschema@.discovery_stores(ARRAY[schema]);
    IF FOUND THEN
        IF store.version <> ALL (@extschema@.discovery_versions()) THEN
            RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
                MESSAGE = format('the store in schema "%s" has version %s, which this release of discovery does not'
                                 ' know', schema, store.version),
                HINT = format('Install a release of discovery that has version %s on this server.', store.version);
        ELSIF store.notebooks IS NULL OR store.sources IS NULL THEN
            PERFORM @extschema@.discovery_refuse_incomplete(schema, space, owner);
        END IF;
        IF EXISTS (SELECT FROM @extschema@.discovery_differences(schema, store.version) WHERE is_lost) THEN
            PERFORM @extschema@.discovery_attach(schema, store.version);
        ELSIF is_new THEN
            RAISE EXCEPTION USING ERRCODE = 'duplicate_table',
                MESSAGE = format('schema "%s" already has a store', schema),
                DETAIL = format('Its version is %s.', store.version);
        END IF;
        differences := @extschema@.discovery_list_differences(schema, store.version, true);
        IF differences IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'invalid_object_definition',
                MESSAGE = format('the store in schema "%s" does not match version %s', schema, store.version),
                DETAIL = differences, HINT = 'Alter the tables, or choose another schema.';
        END IF;
        RETURN store.version;
    END IF;
    IF to_regclass(format('%I.discovery_migrations', schema)) IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_object_definition',
            MESSAGE = format('table "%s.discovery_migrations" is not the record of a store', schema),
            DETAIL = 'The default of its column "version" is not a version.',
            HINT = 'Rename it, or choose another schema.';
    END IF;

    -- Tables without a record, such as Alembic makes them
    SELECT v INTO nearest FROM unnest((@extschema@.discovery_versions())[2:]) WITH ORDINALITY AS known (v, number)
        ORDER BY (SELECT count(*) FROM @extschema@.discovery_differences(schema, v)
                  WHERE split_part(name, '.', 1) <> 'discovery_migrations'), number DESC LIMIT 1;
    differences := @extschema@.discovery_list_differences(schema, nearest, false);
    IF differences IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_object_definition',
            MESSAGE = format('the tables in schema "%s" do not match any version of discovery', schema),
            DETAIL = format(E'They differ from version %s, the nearest, in:\n%s', nearest, differences),
            HINT = 'Alter the tables, then create the store. Or choose another schema.';
    END IF;
    PERFORM @extschema@.discovery_run_statements(schema, 'adoption',
        (SELECT s.statements FROM @extschema@.discovery_steps() AS s WHERE s.to_version IS NULL));
    PERFORM @extschema@.discovery_note(schema, NULL, nearest, 'adopt',
        coalesce('tables of Alembic revision ' || @extschema@.discovery_alembic_revision(schema, space),
                 'tables that were there'), clock_timestamp(), NULL);
    PERFORM @extschema@.discovery_leave_extension();
    RETURN nearest;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_establish(name, text, boolean) IS
    'internal: creates a store, or takes over tables that are there';

CREATE FUNCTION @extschema@.discovery_alembic_revision(schema name, namespace oid) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    revision text;
BEGIN
    IF @extschema@.discovery_why_not(namespace, 'alembic_version', quote_ident(current_user)::regrole) IS NULL
       AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(format('%I.alembic_version', schema))
                   AND attname = 'version_num' AND NOT attisdropped) THEN
        EXECUTE format('SELECT string_agg(version_num::text, '', '') FROM %I.alembic_version', schema) INTO revision;
    END IF;
    RETURN revision;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_alembic_revision(name, oid) IS
    'internal: the revision of tables that Alembic has made';

-- In a script of an extension, new tables become its members. Those of a store are none: they are dumped, and stay when
-- the extension is dropped.
CREATE FUNCTION @extschema@.discovery_leave_extension() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    member record;
BEGIN
    FOR member IN
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, c.oid::regclass AS name
        FROM pg_extension AS e JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
        JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        WHERE e.extname = 'discovery' AND d.deptype = 'e' AND c.relkind IN ('r', 'v')
          AND c.oid NOT IN ('@extschema@.discovery_calls'::regclass, '@extschema@.discovery_own_calls'::regclass)
    LOOP
        EXECUTE format('ALTER EXTENSION discovery DROP %s %s', member.kind, member.name);
    END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_leave_extension() IS
    'internal: makes the tables of stores no members of the extension';

CREATE FUNCTION @extschema@.discovery_drop_store(schema name DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.record;
BEGIN
    SELECT * INTO store FROM @extschema@.discovery_begin_migration(
        'discovery_drop_store()', schema, pg_catalog.current_schemas(false))
        AS (schema pg_catalog.name, namespace pg_catalog.oid, owner pg_catalog.oid, version pg_catalog.text,
            notebooks pg_catalog.oid, sources pg_catalog.oid);
    IF store.notebooks IS NULL OR store.sources IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_object_definition',
            MESSAGE = pg_catalog.format('the store in schema "%s" is not complete', store.schema),
            DETAIL = 'A store needs plain tables "notebooks" and "sources" that belong to the owner of its record.',
            HINT = 'Use DROP TABLE to drop the tables that are left, the record discovery_migrations too.';
    END IF;
    PERFORM @extschema@.discovery_drop(store.schema, store.version);
END
$$;

CREATE FUNCTION @extschema@.discovery_version(schema name DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
    RETURN (@extschema@.discovery_require_store(schema, pg_catalog.current_schemas(false))).version;
END
$$;

CREATE FUNCTION @extschema@.discovery_status(
        OUT schema name,
        OUT owner name,
        OUT store_version text,
        OUT extension_version text,
        OUT newest_version text,
        OUT state text,
        OUT notebooks bigint,
        OUT sources bigint,
        OUT next_step text,
        OUT edition text,
        OUT node text)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    functions text := @extschema@.discovery_functions();
    store record;
BEGIN
    edition := 'SQL-only';
    extension_version := @extschema@.discovery_extension_version();
    newest_version := '@version@';
    schema := (parse_ident(functions))[1];
    IF NOT EXISTS (SELECT FROM @extschema@.discovery_stores(ARRAY[schema])) THEN
        state := 'missing';
        next_step := format('create a store: SELECT %s.discovery_create_store(%L)', functions, schema);
        RETURN NEXT;
    END IF;
    FOR store IN SELECT * FROM @extschema@.discovery_stores(NULL) LOOP
        schema := store.schema;
        owner := pg_get_userbyid(store.owner);
        store_version := store.version;
        notebooks := @extschema@.discovery_estimate_rows(store.notebooks);
        sources := @extschema@.discovery_estimate_rows(store.sources);
        IF store.notebooks IS NULL OR store.sources IS NULL THEN
            state := 'missing';
            next_step := 'restore its tables from a backup';
        ELSIF store.version <> ALL (@extschema@.discovery_versions()) THEN
            state := 'ahead';
            next_step := format('install a release of discovery that has version %s on this server', store.version);
        ELSIF @extschema@.discovery_number(store.version) < @extschema@.discovery_number(extension_version) THEN
            state := 'behind';
            next_step := format('upgrade the store: SELECT %s.discovery_upgrade(''head'', %L)', functions, schema);
        ELSE
            SELECT CASE WHEN NOT bool_and(is_lost) THEN 'damaged' WHEN count(*) > 0 THEN 'detached' ELSE 'current' END
                INTO state FROM @extschema@.discovery_differences(store.schema, store.version);
            next_step := CASE state
                WHEN 'current' THEN CASE WHEN extension_version = newest_version THEN 'nothing'
                    ELSE format('version %s is available: ALTER EXTENSION discovery UPDATE', newest_version) END
                WHEN 'detached' THEN format('reattach it: SELECT %s.discovery_create_store(%L)', functions, schema)
                ELSE 'repair its tables; discovery_create_store() lists the differences' END;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

-- The number of live rows in the statistics; NULL if it is not known.
CREATE FUNCTION @extschema@.discovery_estimate_rows(relation oid) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN live > 0 THEN live WHEN reltuples >= 0 THEN reltuples::bigint
                WHEN pg_relation_size(oid) = 0 THEN 0 END
    FROM pg_class, pg_stat_get_live_tuples(oid) AS live WHERE oid = relation
$$;
COMMENT ON FUNCTION @extschema@.discovery_estimate_rows(oid) IS 'internal: the estimated number of rows of a table';
