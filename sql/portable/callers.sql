--
-- Who calls
--
-- A function with the rights of its owner cannot ask who calls it: current_user is its owner. session_user is who has
-- logged in, but code of others runs in that session, too: a superuser's ANALYZE runs what the owner of a table has put
-- into its indexes, and everybody may call a function of theirs with SECURITY DEFINER. A view can ask: current_user
-- there is who runs the statement. So a function that runs as its caller writes who that is, through a view that lets
-- nobody write another name, and passes the id of that row to the function with the rights of the owner. That one takes
-- the row away before it does anything else. Nobody else reads the table, and no id is used twice.
--

CREATE UNLOGGED TABLE @extschema@.discovery_calls (
    id uuid PRIMARY KEY,
    role name NOT NULL
);
COMMENT ON TABLE @extschema@.discovery_calls IS
    'internal: who calls a function that has the rights of its owner; a row goes with its call';
COMMENT ON COLUMN @extschema@.discovery_calls.id IS 'proves the call';
COMMENT ON COLUMN @extschema@.discovery_calls.role IS 'who calls';
CREATE VIEW @extschema@.discovery_own_calls AS
    SELECT id, role FROM @extschema@.discovery_calls WHERE role = current_user WITH CHECK OPTION;
COMMENT ON VIEW @extschema@.discovery_own_calls IS 'internal: takes only the name of who writes';
GRANT INSERT ON @extschema@.discovery_own_calls TO PUBLIC;

CREATE FUNCTION @extschema@.discovery_call() RETURNS uuid
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    call constant uuid := gen_random_uuid();
BEGIN
    INSERT INTO @extschema@.discovery_own_calls (id, role) VALUES (call, current_user);
    RETURN call;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_call() IS
    'internal: makes the proof of who calls a function that has the rights of its owner';

-- The role that calls a function, by its proof, which it uses up.
CREATE FUNCTION @extschema@.discovery_caller(call uuid) RETURNS name
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    caller name;
BEGIN
    DELETE FROM @extschema@.discovery_calls WHERE id = call RETURNING role INTO caller;
    IF caller IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'permission denied for an internal function',
            DETAIL = 'Only the functions of discovery call it.';
    END IF;
    RETURN caller;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_caller(uuid) IS
    'internal: the role that calls a function which has the rights of its owner';

-- For functions that run with the rights of their owner: what their caller may not do, they do not do.
CREATE FUNCTION @extschema@.discovery_require_right(role name, schema name, relation name, privilege text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT has_table_privilege(role, format('%I.%I', schema, relation), privilege) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('permission denied for table %s', relation);
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_require_right(name, name, name, text) IS
    'internal: raises 42501 unless a role has a privilege on a table';

CREATE FUNCTION @extschema@.discovery_hides_rows(role name, schema name, relation name) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT (SELECT c.relrowsecurity AND NOT pg_has_role(role, c.relowner, 'USAGE') FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = schema AND c.relname = relation)
       AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = role)
$$;
COMMENT ON FUNCTION @extschema@.discovery_hides_rows(name, name, name) IS
    'internal: whether row security of a table applies to a role';

CREATE FUNCTION @extschema@.discovery_refuse_hidden(role name, schema name, relation name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF @extschema@.discovery_hides_rows(role, schema, relation) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'permission denied for the trash',
            DETAIL = format('Row security of table "%s" applies to the role, and the trash has rows of everybody.',
                            relation),
            HINT = 'The owner of the table, or a role with BYPASSRLS, can restore the deletion.';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_hidden(name, name, name) IS
    'internal: raises 42501 if row security of a table applies to a role';
