--
-- Migrations
--
-- The steps are those of the native extension. discovery_steps() and discovery_shapes() are written by `make installer`
-- from the scripts and shapes in sql/.
--

CREATE FUNCTION @extschema@.discovery_require_read_committed(action text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION USING ERRCODE = 'active_sql_transaction',
            MESSAGE = format('cannot %s in a transaction with isolation level %s', action,
                             current_setting('transaction_isolation')),
            DETAIL = 'What other transactions have committed since its snapshot would be missed.',
            HINT = 'Use a transaction with isolation level READ COMMITTED.';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_read_committed(text) IS 'internal: raises 25001 above READ COMMITTED';

-- A migration looks at rows under its locks. Above READ COMMITTED, it would miss what others have committed since its
-- snapshot, unless this transaction has made the store.
CREATE FUNCTION @extschema@.discovery_require_fresh(schema name, action text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    is_made_now boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.discovery_migrations'
                   ' WHERE direction = ''install'' AND applied_at >= now())', schema) INTO is_made_now;
    IF NOT is_made_now THEN PERFORM @extschema@.discovery_require_read_committed(action); END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_fresh(name, text) IS
    'internal: raises 25001 above READ COMMITTED, unless the store is new';

-- Others wait behind a lock that we wait for, so we wait 5 seconds at most, unless lock_timeout says otherwise.
CREATE FUNCTION @extschema@.discovery_lock_tables(schema name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    outer_timeout text := current_setting('lock_timeout');
    tables constant name[] :=
        '{sources,notebooks,outputs,discovery_deletions,discovery_lost_files,discovery_trash,discovery_migrations}';
    relation name;
BEGIN
    IF outer_timeout = '0' THEN PERFORM set_config('lock_timeout', '5s', true); END IF;
    FOREACH relation IN ARRAY tables LOOP
        CONTINUE WHEN to_regclass(format('%I.%I', schema, relation)) IS NULL;
        EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', schema, relation);
    END LOOP;
    PERFORM set_config('lock_timeout', outer_timeout, true);
EXCEPTION WHEN lock_not_available THEN
    RAISE EXCEPTION USING ERRCODE = 'lock_not_available',
        MESSAGE = format('could not lock table "%s" within lock_timeout', relation),
        DETAIL = 'Another session is using the table.',
        HINT = 'Try again later, or SET lock_timeout to wait longer.';
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_lock_tables(name) IS 'internal: locks the tables of a store for a migration';

-- One role owns the functions and all stores: the triggers of a store run with its rights.
CREATE FUNCTION @extschema@.discovery_require_owner() RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    owner name := (SELECT pg_get_userbyid(proowner) FROM pg_proc
                   WHERE oid = '@extschema@.discovery_require_owner()'::regprocedure);
BEGIN
    IF current_user <> owner THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'must be owner of the functions of discovery',
            DETAIL = 'In the SQL-only edition, the triggers of a store run with the rights of that role.',
            HINT = format('SET ROLE %I;', owner);
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_owner() IS
    'internal: raises 42501 unless the current role owns the functions';

CREATE FUNCTION @extschema@.discovery_number(version text) RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF version = 'base' THEN RETURN '{0,0}'; END IF;
    IF version !~ '^(0|[1-9][0-9]{0,5})[.](0|[1-9][0-9]{0,5})$' OR version = '0.0' THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('invalid version: "%s"', version),
            HINT = 'A version has the form MAJOR.MINOR, such as 1.0.';
    END IF;
    RETURN string_to_array(version, '.')::integer[];
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_number(text) IS 'internal: a version as numbers, which can be compared';

-- The versions that a store can have, from base to the newest.
CREATE FUNCTION @extschema@.discovery_versions() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT array_agg(version ORDER BY @extschema@.discovery_number(version))
    FROM (SELECT 'base' AS version UNION SELECT to_version FROM @extschema@.discovery_steps()
          WHERE to_version IS NOT NULL) AS known
$$;
COMMENT ON FUNCTION @extschema@.discovery_versions() IS 'internal: base and all versions, in order';

-- The version that the target of an upgrade or a downgrade means.
CREATE FUNCTION @extschema@.discovery_resolve(target text, version text, is_up boolean) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    versions text[] := @extschema@.discovery_versions();
    newest text := versions[cardinality(versions)];
    here integer := array_position(versions, version);
    count integer;
    sign text := CASE WHEN is_up THEN '+' ELSE '-' END;
BEGIN
    PERFORM @extschema@.discovery_require_argument(target IS NULL, 'target');
    IF is_up AND target = 'head' THEN
        IF @extschema@.discovery_number(version) > @extschema@.discovery_number(newest) THEN
            RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
                MESSAGE = format('the store has version %s, which this discovery does not know', version),
                HINT = format('The newest version that it knows is %s.', newest);
        END IF;
        RETURN newest;
    END IF;
    IF left(target, 1) = sign AND target ~ '^.[0-9]{1,9}$' AND target::integer <> 0 THEN
        count := abs(target::integer);
        IF here IS NULL OR here + count > cardinality(versions) AND is_up OR here - count < 1 AND NOT is_up THEN
            IF is_up THEN
                RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
                    MESSAGE = format('there are fewer than %s versions above %s', count, version),
                    HINT = format('The newest version is %s.', newest);
            END IF;
            RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
                MESSAGE = format('there are fewer than %s versions below %s', count, version);
        END IF;
        RETURN versions[here + count * CASE WHEN is_up THEN 1 ELSE -1 END];
    END IF;
    IF target = '' OR left(target, 1) IN ('+', '-') OR target = (CASE WHEN is_up THEN 'base' ELSE 'head' END) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('invalid target: "%s"', target),
            HINT = CASE WHEN left(target, 1) = sign
                        THEN CASE WHEN is_up THEN 'Use head, +1, or a version.' ELSE 'Use -1, a version, or base.' END
                        WHEN is_up THEN 'Use head, +1, or a version. Use discovery_downgrade() to go down.'
                        ELSE 'Use -1, a version, or base. Use discovery_upgrade() to go up.' END;
    END IF;
    PERFORM @extschema@.discovery_number(target);
    IF target <> ALL (versions) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('version "%s" does not exist', target),
            HINT = format('The newest version is %s.', newest);
    END IF;
    IF is_up AND @extschema@.discovery_number(target) < @extschema@.discovery_number(version) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('version "%s" is older than the version of the store, %s', target, version),
            HINT = 'Use discovery_downgrade().';
    ELSIF NOT is_up AND @extschema@.discovery_number(target) > @extschema@.discovery_number(version) THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('version "%s" is not older than the version of the store, %s', target, version),
            HINT = 'Use discovery_upgrade().';
    ELSIF NOT is_up AND target = version THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('version "%s" is not older than the version of the store, %s', target, version);
    END IF;
    RETURN target;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_resolve(text, text, boolean) IS
    'internal: the version that a target means';

-- Whether the statement would replace a comment of the user's: one that no step has set.
CREATE FUNCTION @extschema@.discovery_replaces_comment(schema name, statement text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    parts text[] := regexp_match(statement, E'^COMMENT ON (?:TABLE|VIEW|COLUMN) @store@\\.(\\w+)(?:\\.(\\w+))? IS');
    present text;
BEGIN
    IF parts IS NULL OR to_regclass(format('%I.%I', schema, parts[1])) IS NULL THEN RETURN false; END IF;
    SELECT CASE WHEN parts[2] IS NULL THEN obj_description(c.oid, 'pg_class')
                ELSE col_description(c.oid, a.attnum) END INTO present
        FROM pg_class AS c LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = parts[2]
        WHERE c.oid = format('%I.%I', schema, parts[1])::regclass;
    RETURN present IS NOT NULL AND NOT EXISTS (
        SELECT FROM @extschema@.discovery_steps() AS step, unnest(step.statements) AS other
        WHERE starts_with(other, substring(statement FROM '^COMMENT ON .*? IS'))
          AND strpos(other, quote_literal(present)) > 0);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_replaces_comment(name, text) IS
    'internal: whether a statement of a step would replace a comment of the user';

-- Runs statements of a step. If one fails, the error names it. A result has a message and a hint for the user.
CREATE FUNCTION @extschema@.discovery_run_statements(schema name, script text, statements text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    compression text := CASE WHEN (SELECT 'lz4' = ANY (enumvals) FROM pg_settings
                                   WHERE name = 'default_toast_compression') THEN 'lz4' ELSE 'pglz' END;
    statement text;
    told record;
    member text;
    cause text;
    detail text;
    hint text;
BEGIN
    FOR number IN 1 .. cardinality(statements) LOOP
        CONTINUE WHEN @extschema@.discovery_replaces_comment(schema, statements[number]);
        -- The store comes last: the name of a schema may contain another mark.
        statement := @extschema@.discovery_place_store(replace(replace(replace(statements[number],
            '@batch@', 'IS NOT NULL'), '@compression@', compression),
            '@functions@', @extschema@.discovery_functions()), schema);
        BEGIN
            IF statement ~ '^(WITH|SELECT)[[:space:]]' THEN
                FOR told IN EXECUTE statement LOOP
                    RAISE WARNING USING MESSAGE = told.message, HINT = told.hint;
                END LOOP;
            ELSE
                -- The script of an extension may replace, or find, only what is a member. Ours are none otherwise.
                member := (SELECT format('%s %s', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass)
                           FROM regexp_match(statements[number],
                                             E'^CREATE (?:TABLE IF NOT EXISTS|OR REPLACE VIEW) @store@.(\\w+)') AS name
                           JOIN pg_class AS c ON c.oid = to_regclass(quote_ident(schema) || '.' || quote_ident(name[1]))
                           WHERE EXISTS (SELECT FROM pg_extension WHERE extname = 'discovery'));
                IF member IS NOT NULL THEN EXECUTE 'ALTER EXTENSION discovery ADD ' || member; END IF;
                EXECUTE statement;
                IF member IS NOT NULL THEN EXECUTE 'ALTER EXTENSION discovery DROP ' || member; END IF;
            END IF;
        EXCEPTION
            WHEN lock_not_available THEN RAISE;
            WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS cause = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
                detail := concat_ws(E'\n', cause, nullif(detail, ''));
                IF SQLSTATE = '2BP01' THEN
                    hint := 'Drop the dependent objects first, and make them again afterwards.';
                END IF;
                IF hint <> '' THEN
                    RAISE EXCEPTION USING ERRCODE = SQLSTATE, DETAIL = detail, HINT = hint,
                        MESSAGE = format('%s failed at statement %s', script, number);
                END IF;
                RAISE EXCEPTION USING ERRCODE = SQLSTATE, DETAIL = detail,
                    MESSAGE = format('%s failed at statement %s', script, number);
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_run_statements(name, text, text[]) IS 'internal: runs statements of a step';

-- Writes the version of the store, and adds a row to its history.
CREATE FUNCTION @extschema@.discovery_note(
        schema name, from_version text, to_version text, direction text, description text,
        start timestamp with time zone, checksum text)
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I.discovery_migrations ALTER COLUMN version SET DEFAULT %L', schema, to_version);
    EXECUTE format('INSERT INTO %I.discovery_migrations'
                   ' (version, previous_version, direction, description, duration, checksum)'
                   ' VALUES ($1, $2, $3, $4, clock_timestamp() - $5, $6)', schema)
        USING to_version, nullif(from_version, 'base'), direction, description, start, checksum;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_note(name, text, text, text, text, timestamp with time zone, text) IS
    'internal: records a migration';

-- Refuses to drop tables that have rows, and columns that have values, on the way between two versions.
CREATE FUNCTION @extschema@.discovery_refuse_losses(schema name, from_version text, to_version text, refused text)
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    loss record;
    rows bigint;
    found_ones text[] := '{}';
BEGIN
    PERFORM @extschema@.discovery_lock_tables(schema);
    PERFORM @extschema@.discovery_require_fresh(schema, CASE to_version WHEN 'base' THEN 'drop a store'
                                                        ELSE 'downgrade a store' END);
    IF coalesce(nullif(current_setting('discovery.allow_data_loss', true), ''), 'off')::boolean THEN RETURN; END IF;
    FOR loss IN
        SELECT before.kind, split_part(before.name, '.', 1) AS relation, split_part(before.name, '.', 2) AS part
        FROM @extschema@.discovery_shapes() AS before
        WHERE before.version = from_version AND before.kind IN ('table', 'column')
          AND split_part(before.name, '.', 1) <> 'discovery_migrations'
          AND NOT EXISTS (SELECT FROM @extschema@.discovery_shapes() AS after WHERE after.version = to_version
                          AND after.kind = before.kind AND after.name = before.name)
          AND (before.kind = 'table' OR EXISTS (
                  SELECT FROM @extschema@.discovery_shapes() AS after WHERE after.version = to_version
                  AND after.kind = 'table' AND after.name = split_part(before.name, '.', 1)))
        ORDER BY before.kind DESC, before.name COLLATE "C"
    LOOP
        -- What is not there cannot be lost.
        CONTINUE WHEN NOT EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = to_regclass(format('%I.%I', schema, loss.relation))
            AND NOT attisdropped AND (loss.part = '' OR attname = loss.part));
        -- Values that a user has given to a column are neither NULL nor its default.
        EXECUTE format('SELECT count(*) FROM %I.%I%s', schema, loss.relation, CASE WHEN loss.part <> '' THEN
            coalesce((SELECT format(' WHERE %1$I IS NOT NULL AND %1$I::text <> (%2$s)::text', loss.part,
                                    pg_get_expr(d.adbin, d.adrelid))
                      FROM pg_attribute AS a JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                      WHERE a.attrelid = format('%I.%I', schema, loss.relation)::regclass AND a.attname = loss.part
                        AND a.attgenerated = ''),
                     format(' WHERE %I IS NOT NULL', loss.part)) END) INTO rows;
        CONTINUE WHEN rows = 0;
        found_ones := found_ones || CASE loss.kind
            WHEN 'table' THEN format('Table "%s" has rows: %s.', loss.relation, rows)
            ELSE format('Column "%s" of table "%s" has values: %s.', loss.part, loss.relation, rows) END;
    END LOOP;
    IF cardinality(found_ones) > 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = refused,
            DETAIL = array_to_string(found_ones, E'\n'),
            HINT = 'Make a backup, then SET discovery.allow_data_loss = on.';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_losses(name, text, text, text) IS
    'internal: raises 55000 if a migration would lose data';

-- Takes a store from one version to another, step by step.
CREATE FUNCTION @extschema@.discovery_run_steps(schema name, from_version text, to_version text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    versions text[] := @extschema@.discovery_versions();
    here integer := array_position(versions, from_version);
    is_up boolean := array_position(versions, to_version) > here;
    step record;
    start timestamp with time zone;
BEGIN
    IF is_up AND from_version <> 'base' THEN
        PERFORM @extschema@.discovery_require_fresh(schema, 'upgrade a store');
        PERFORM @extschema@.discovery_lock_tables(schema);
    END IF;
    WHILE versions[here] <> to_version LOOP
        SELECT * INTO step FROM @extschema@.discovery_steps() AS s
            WHERE s.from_version = versions[here]
              AND s.to_version = versions[here + CASE WHEN is_up THEN 1 ELSE -1 END];
        start := clock_timestamp();
        IF NOT is_up AND step.to_version <> 'base' THEN
            PERFORM @extschema@.discovery_refuse_losses(schema, step.from_version, step.to_version,
                format('step %s -> %s would lose data', step.from_version, step.to_version));
        END IF;
        IF step.from_version = 'base' THEN
            PERFORM @extschema@.discovery_run_statements(schema, 'the record',
                (SELECT s.statements FROM @extschema@.discovery_steps() AS s WHERE s.to_version IS NULL));
        END IF;
        PERFORM @extschema@.discovery_run_statements(
            schema, format('step %s -> %s', step.from_version, step.to_version), step.statements);
        here := array_position(versions, step.to_version);
        IF step.to_version <> 'base' THEN
            PERFORM @extschema@.discovery_note(
                schema, step.from_version, step.to_version,
                CASE WHEN step.from_version = 'base' THEN 'install' WHEN is_up THEN 'upgrade' ELSE 'downgrade' END,
                step.description, start, step.checksum);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_run_steps(name, text, text) IS
    'internal: takes a store from one version to another';

CREATE FUNCTION @extschema@.discovery_begin_migration(function text, schema name, path name[]) RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    store record;
BEGIN
    PERFORM @extschema@.discovery_require_writable(function);
    store := @extschema@.discovery_require_store(schema, path);
    IF NOT pg_has_role(store.owner, 'USAGE') THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('must be owner of the store in schema "%s"', store.schema);
    END IF;
    PERFORM @extschema@.discovery_require_owner();
    PERFORM @extschema@.discovery_lock_store(store.namespace);
    -- The previous holder of the lock may have migrated it.
    RETURN @extschema@.discovery_require_store(store.schema, path);
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_begin_migration(text, name, name[]) IS
    'internal: locks a store for a migration, after a check of the rights';

CREATE FUNCTION @extschema@.discovery_upgrade(target text DEFAULT 'head', schema name DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    RETURN @extschema@.discovery_migrate(target, schema, true, pg_catalog.current_schemas(false));
END
$$;

CREATE FUNCTION @extschema@.discovery_downgrade(target text DEFAULT '-1', schema name DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
BEGIN
    RETURN @extschema@.discovery_migrate(target, schema, false, pg_catalog.current_schemas(false));
END
$$;

CREATE FUNCTION @extschema@.discovery_migrate(target text, schema name, is_up boolean, path name[]) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    store record;
    version text;
BEGIN
    PERFORM @extschema@.discovery_require_argument(target IS NULL, 'target');
    SELECT * INTO store FROM @extschema@.discovery_begin_migration(
        CASE WHEN is_up THEN 'discovery_upgrade()' ELSE 'discovery_downgrade()' END, schema, path)
        AS (schema name, namespace oid, owner oid, version text, notebooks oid, sources oid);
    version := @extschema@.discovery_resolve(target, store.version, is_up);
    IF store.notebooks IS NULL OR store.sources IS NULL THEN
        PERFORM @extschema@.discovery_refuse_incomplete(store.schema, store.namespace, store.owner);
    END IF;
    IF is_up AND version = store.version THEN
        RAISE NOTICE USING MESSAGE = format('the store in schema "%s" already has version %s', store.schema, version);
    ELSIF version = 'base' THEN
        PERFORM @extschema@.discovery_drop(store.schema, store.version);
        RETURN 'base';
    END IF;
    -- Where pg_tle makes an extension of the functions, its version goes along, and its script runs the steps.
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'discovery' AND extversion <> version)
       AND (is_up OR store.schema = (parse_ident(@extschema@.discovery_functions()))[1]) THEN
        EXECUTE format('ALTER EXTENSION discovery UPDATE TO %L', version);
        SELECT s.version INTO store.version FROM @extschema@.discovery_stores(ARRAY[store.schema]) AS s;
    END IF;
    PERFORM @extschema@.discovery_run_steps(store.schema, store.version, version);
    RETURN version;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_migrate(text, name, boolean, name[]) IS
    'internal: upgrades or downgrades a store';

CREATE FUNCTION @extschema@.discovery_drop(schema name, version text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
BEGIN
    PERFORM @extschema@.discovery_refuse_losses(schema, version, 'base',
        format('cannot drop the store in schema "%s" because it has data', schema));
    PERFORM @extschema@.discovery_run_steps(schema, version, 'base');
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_drop(name, text) IS 'internal: drops the tables of a store';

CREATE FUNCTION @extschema@.discovery_history(schema name DEFAULT NULL)
    RETURNS TABLE (version text, mark text, description text, direction text, from_version text,
                   applied_by text, applied_at timestamp with time zone, duration interval, checksum text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $$
DECLARE
    store pg_catalog.record := @extschema@.discovery_require_store(schema, pg_catalog.current_schemas(false));
BEGIN
    RETURN QUERY EXECUTE pg_catalog.replace($sql$
        SELECT coalesce(release.version, applied.version),
               pg_catalog.concat_ws(', ', CASE WHEN coalesce(release.version, applied.version)
                                                    OPERATOR(pg_catalog.=) $3 THEN 'current' END,
                                    CASE WHEN release.number OPERATOR(pg_catalog.=) pg_catalog.cardinality($1)
                                         THEN 'newest' END),
               coalesce(applied.description, release.description), applied.direction, applied.previous_version,
               applied.applied_by, applied.applied_at, applied.duration, applied.checksum
        FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY
            AS release (version, description, number)
        FULL JOIN @store@.discovery_migrations AS applied
            ON applied.version OPERATOR(pg_catalog.=) release.version
        ORDER BY applied.applied_at NULLS LAST, release.number$sql$, '@store@', pg_catalog.quote_ident(store.schema))
        USING (@extschema@.discovery_versions())[2:],
              ARRAY(SELECT step.description
                    FROM pg_catalog.unnest((@extschema@.discovery_versions())[2:]) WITH ORDINALITY
                        AS v (version, number)
                    JOIN @extschema@.discovery_steps() AS step ON step.to_version OPERATOR(pg_catalog.=) v.version
                    WHERE @extschema@.discovery_number(step.from_version)
                          OPERATOR(pg_catalog.<) @extschema@.discovery_number(step.to_version)
                    ORDER BY v.number),
              store.version;
END
$$;
