--
-- The store that a function works on
--
-- A function that clients call runs with their rights and their search_path, as their own triggers, policies and
-- defaults do in plain SQL. So it takes no name from search_path: it asks the functions of this file, which have a
-- search_path of their own, for the quoted schema of the store, and runs statements that qualify everything.
--

CREATE FUNCTION @extschema@.discovery_require_writable(function text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN
        RAISE EXCEPTION USING ERRCODE = 'read_only_sql_transaction',
            MESSAGE = format('cannot execute %s in a read-only transaction', function);
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_writable(text) IS
    'internal: raises 25006 in a read-only transaction';

CREATE FUNCTION @extschema@.discovery_require_argument(is_null boolean, argument text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF is_null THEN
        RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = format('%s must not be null', argument);
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_argument(boolean, text) IS
    'internal: raises 22004 if a required argument is null';

-- "is missing", "is a view", and so on; NULL if the relation is a plain table of that owner, or of any if that is NULL.
CREATE FUNCTION @extschema@.discovery_why_not(schema oid, relation name, owner oid) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN c.oid IS NULL THEN 'is missing'
        WHEN c.relkind = 'p' THEN 'is a partitioned table'
        WHEN c.relkind = 'v' THEN 'is a view'
        WHEN c.relkind = 'm' THEN 'is a materialized view'
        WHEN c.relkind = 'f' THEN 'is a foreign table'
        WHEN c.relkind = 'S' THEN 'is a sequence'
        WHEN c.relkind IN ('i', 'I') THEN 'is an index'
        WHEN c.relkind <> 'r' THEN 'is a composite type'
        WHEN c.relispartition THEN 'is a partition'
        WHEN c.relpersistence = 'u' THEN 'is an unlogged table'
        WHEN EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid) THEN 'is an inheritance child'
        WHEN c.relhassubclass AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid)
            THEN 'is an inheritance parent'
        WHEN c.relowner <> owner THEN 'does not belong to the owner of the store'
    END
    FROM (SELECT 1) AS one LEFT JOIN pg_class AS c ON c.relnamespace = schema AND c.relname = relation
$$;
COMMENT ON FUNCTION @extschema@.discovery_why_not(oid, name, oid) IS
    'internal: why a relation is no plain table of a store';

-- The stores in these schemas, in their order; NULL: in all schemas, in the order of their names.
CREATE FUNCTION @extschema@.discovery_stores(
        schemas name[],
        OUT schema name, OUT namespace oid, OUT owner oid, OUT version text, OUT notebooks oid, OUT sources oid)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    SET plan_cache_mode TO force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH plain AS NOT MATERIALIZED (
        SELECT c.oid, c.relname, c.relnamespace, c.relowner FROM pg_class AS c
        WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND NOT c.relispartition
          AND NOT (c.relhassubclass AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid))
          AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid)
    )
    SELECT n.nspname, n.oid, record.relowner, (recorded.version)[1], notebooks.oid, sources.oid
    FROM plain AS record
    JOIN pg_namespace AS n ON n.oid = record.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = record.oid AND a.attname = 'version' AND a.atttypid = 'text'::regtype
    JOIN pg_attrdef AS d ON d.adrelid = record.oid AND d.adnum = a.attnum
    CROSS JOIN LATERAL regexp_matches(pg_get_expr(d.adbin, d.adrelid),
                                      '^''((?:0|[1-9][0-9]{0,5})[.](?:0|[1-9][0-9]{0,5}))''::"?text"?$')
        AS recorded (version)
    LEFT JOIN plain AS notebooks ON notebooks.relnamespace = n.oid AND notebooks.relname = 'notebooks'
                                    AND notebooks.relowner = record.relowner
    LEFT JOIN plain AS sources ON sources.relnamespace = n.oid AND sources.relname = 'sources'
                                  AND sources.relowner = record.relowner
    WHERE record.relname = 'discovery_migrations' AND (recorded.version)[1] <> '0.0'
      AND (schemas IS NULL OR n.nspname = ANY (schemas))
    ORDER BY array_position(schemas, n.nspname), n.nspname;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_stores(name[]) IS 'internal: the stores in schemas';

-- The store in the schema of that name; NULL: the first complete store in the caller's search_path, `path`.
CREATE FUNCTION @extschema@.discovery_require_store(
        INOUT schema name, path name[],
        OUT namespace oid, OUT owner oid, OUT version text, OUT notebooks oid, OUT sources oid)
    RETURNS record
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    store record;
    found_incomplete boolean := false;
    wanted constant name := schema;
BEGIN
    IF wanted IS NOT NULL THEN
        PERFORM quote_ident(wanted)::regnamespace;
        SELECT * INTO store FROM @extschema@.discovery_stores(ARRAY[wanted]);
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'undefined_table',
                MESSAGE = format('there is no store in schema "%s"', wanted),
                HINT = 'Use discovery_create_store() to create one.';
        END IF;
    ELSE
        FOR store IN SELECT * FROM @extschema@.discovery_stores(path) LOOP
            EXIT WHEN store.notebooks IS NOT NULL AND store.sources IS NOT NULL;
            IF NOT found_incomplete THEN
                found_incomplete := true;
                schema := store.schema; namespace := store.namespace; owner := store.owner;
            END IF;
            store := NULL;
        END LOOP;
        IF store IS NULL AND found_incomplete THEN
            PERFORM @extschema@.discovery_refuse_incomplete(schema, namespace, owner);
        ELSIF store IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = 'there is no store in search_path',
                HINT = 'Name its schema, or create one with discovery_create_store().';
        END IF;
    END IF;
    schema := store.schema; namespace := store.namespace; owner := store.owner; version := store.version;
    notebooks := store.notebooks; sources := store.sources;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_store(name, name[]) IS
    'internal: the store in a schema, or the first in search_path';

CREATE FUNCTION @extschema@.discovery_refuse_incomplete(schema name, namespace oid, owner oid) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'invalid_object_definition',
        MESSAGE = format('the store in schema "%s" is not complete', schema),
        DETAIL = (SELECT string_agg(format('"%s" %s.', name, why), ' ' ORDER BY name)
                  FROM unnest(ARRAY['notebooks', 'sources']) AS name,
                       @extschema@.discovery_why_not(namespace, name, owner) AS why WHERE why IS NOT NULL),
        HINT = 'Take back what was done to the tables, or restore them from a backup.';
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_incomplete(name, oid, oid) IS
    'internal: raises 42P17, with what the store lacks';

-- The quoted schema of the caller's store, which must have the version of these functions. Nearly always that of the
-- first record in the path is it, and two short queries tell; discovery_require_store() takes several times as long.
CREATE FUNCTION @extschema@.discovery_current_store(path name[]) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp SET plan_cache_mode TO force_generic_plan
AS $$
DECLARE
    store record;
    schema text;
    record oid;
    literal text;
BEGIN
    FOREACH schema IN ARRAY path LOOP
        schema := quote_ident(schema);
        record := to_regclass(schema || '.discovery_migrations');
        CONTINUE WHEN record IS NULL;
        SELECT pg_get_expr(d.adbin, d.adrelid) INTO literal
            FROM pg_attribute AS a JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = record AND a.attname = 'version' AND a.atttypid = 'text'::regtype;
        EXIT WHEN literal IS DISTINCT FROM '''@version@''::text';
        PERFORM FROM pg_class AS r, pg_class AS n, pg_class AS s
            WHERE r.oid = record AND n.oid = to_regclass(schema || '.notebooks')
              AND s.oid = to_regclass(schema || '.sources') AND n.relowner = r.relowner AND s.relowner = r.relowner
              AND (r.relkind, r.relpersistence, r.relispartition, r.relhassubclass) = ('r', 'p', false, false)
              AND (n.relkind, n.relpersistence, n.relispartition, n.relhassubclass) = ('r', 'p', false, false)
              AND (s.relkind, s.relpersistence, s.relispartition, s.relhassubclass) = ('r', 'p', false, false)
              AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid IN (r.oid, n.oid, s.oid));
        EXIT WHEN NOT FOUND;
        RETURN schema;
    END LOOP;
    store := @extschema@.discovery_require_store(NULL, path);
    IF store.version <> '@version@' THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('the store in schema "%s" has version %s, but this function requires version @version@',
                             store.schema, store.version),
            HINT = CASE WHEN string_to_array(store.version, '.')::int[] < string_to_array('@version@', '.')::int[]
                        THEN format('Upgrade the store: SELECT %s.discovery_upgrade(''head'', %L);',
                                    @extschema@.discovery_functions(), store.schema)
                        ELSE 'Install the functions of that version.' END;
    END IF;
    RETURN quote_ident(store.schema);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_current_store(name[]) IS
    'internal: the quoted schema of the first store in search_path, at the version of the functions';

CREATE FUNCTION @extschema@.discovery_functions() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT quote_ident(n.nspname) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.oid = '@extschema@.discovery_functions()'::regprocedure
$$;
COMMENT ON FUNCTION @extschema@.discovery_functions() IS 'internal: the quoted schema of the functions';

-- In one pass, since a name may contain a mark. The name of an object, '@store@.name'::regclass, is a literal.
CREATE FUNCTION @extschema@.discovery_place_store(statement text, schema name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT string_agg(CASE WHEN n = 1 THEN piece
                           WHEN before LIKE '%''' THEN replace(quote_ident(schema), '''', '''''') || piece
                           ELSE quote_ident(schema) || piece END, '' ORDER BY n)
    FROM (SELECT piece, n, lag(piece) OVER (ORDER BY n) AS before
          FROM unnest(string_to_array(statement, '@store@')) WITH ORDINALITY AS split (piece, n)) AS pieces
$$;
COMMENT ON FUNCTION @extschema@.discovery_place_store(text, name) IS
    'internal: a statement of a step, with the schema of the store in the place of its mark';

-- Who acts, for functions that run with the rights of their owner: the role of SET ROLE, or who has logged in.
CREATE FUNCTION @extschema@.discovery_acting_role() RETURNS name
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT coalesce(nullif(current_setting('role'), 'none')::name, session_user)
$$;
COMMENT ON FUNCTION @extschema@.discovery_acting_role() IS
    'internal: the role of SET ROLE, or the one that has logged in';

-- For functions that run with the rights of their owner: code of nobody else may run in what they do with tables of a
-- store. So the owner of the functions owns the tables, and who owns the schema has the rights of that role, or could
-- put other objects in their place. Errors: 55000.
CREATE FUNCTION @extschema@.discovery_require_own(schema name, VARIADIC relations name[]) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp SET plan_cache_mode TO force_generic_plan
AS $$
DECLARE
    me constant oid := quote_ident(current_user)::regrole;
    name text;
    why text;
BEGIN
    PERFORM FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = schema AND c.relkind = 'r' AND c.relowner = me
          AND c.relname = ANY (relations)
          AND pg_has_role(CASE WHEN n.nspowner = 'pg_database_owner'::regrole
                               THEN (SELECT datdba FROM pg_database WHERE datname = current_database())
                               ELSE n.nspowner END, me, 'USAGE')
        HAVING count(*) = cardinality(relations);
    IF FOUND THEN RETURN; END IF;
    FOREACH name IN ARRAY relations LOOP
        why := @extschema@.discovery_why_not(quote_ident(schema)::regnamespace, name, me);
        CONTINUE WHEN why IS NULL;
        IF name IN ('discovery_deletions', 'discovery_lost_files') THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('schema "%s" has no %s for table "sources"', schema, CASE name
                                 WHEN 'discovery_deletions' THEN 'deletion log' ELSE 'list of lost files' END),
                DETAIL = format('It must have a table "%s" of the same owner.', name);
        ELSIF why <> 'does not belong to the owner of the store' THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('the store in schema "%s" is not complete', schema),
                DETAIL = format('"%s" %s.', name, why);
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('table "%s" does not belong to the owner of the functions of the store', name),
            DETAIL = format('The table belongs to "%s", the functions to "%s".',
                            (SELECT pg_get_userbyid(relowner) FROM pg_class
                             WHERE oid = format('%I.%I', schema, name)::regclass), current_user),
            HINT = 'Use ALTER TABLE ... OWNER TO.';
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('schema "%s" belongs to a role without the rights of the owner of the store', schema),
        DETAIL = format('It could put other objects in the place of the tables of "%s".', current_user),
        HINT = 'Use a schema of your own, or ALTER SCHEMA ... OWNER TO.';
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_own(name, name[]) IS
    'internal: raises 55000 unless tables of a store belong to the owner of the functions';
