--
-- Who calls
--
-- A function with the rights of its owner cannot ask who calls it: current_user is its owner. session_user is who has
-- logged in, but code of others runs in that session, too: a superuser's ANALYZE runs what the owner of a table has put
-- into its indexes, and everybody may call a function of theirs with SECURITY DEFINER. So a function that runs as its
-- caller proves who that is. It makes a large object, which belongs to current_user, and passes its oid. The function
-- with the rights of the owner asks to whom that belongs, and believes only what this transaction has made for this
-- very function: the oid is one of ten that follow from both, so a large object that the caller has made for another
-- purpose proves nothing. Then the caller removes it. To make one takes no right, and is no DDL.
--

-- The large objects by which a caller of a function proves itself in this transaction.
CREATE FUNCTION @extschema@.discovery_proofs(function text) RETURNS SETOF oid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT greatest(hashtextextended(concat(function, ' ', pg_current_xact_id()), number) & 4294967295, 1)::oid
    FROM generate_series(1, 10) AS number
$$;
COMMENT ON FUNCTION @extschema@.discovery_proofs(text) IS
    'internal: the large objects that can prove who calls a function in this transaction';

-- Several may be open, if a function is called from a trigger that it fires.
CREATE FUNCTION @extschema@.discovery_call(function text) RETURNS oid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT lo_create(free.proof)
    FROM (SELECT proof FROM @extschema@.discovery_proofs(function) AS proof
          WHERE NOT EXISTS (SELECT FROM pg_largeobject_metadata WHERE oid = proof) LIMIT 1) AS free
$$;
COMMENT ON FUNCTION @extschema@.discovery_call(text) IS
    'internal: makes the proof of who calls a function that has the rights of its owner';

CREATE FUNCTION @extschema@.discovery_end_call(call oid) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$ SELECT lo_unlink(call) $$;
COMMENT ON FUNCTION @extschema@.discovery_end_call(oid) IS 'internal: removes the proof of who calls a function';

-- The role that calls a function, by its proof. A row that we see, of a transaction in progress, is of this one.
CREATE FUNCTION @extschema@.discovery_caller(call oid, function text) RETURNS name
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    here constant bigint := pg_current_xact_id()::text::bigint;
    caller name;
BEGIN
    SELECT pg_get_userbyid(object.lomowner) INTO caller
        FROM pg_largeobject_metadata AS object,
             -- xmin has the lower 32 bits of the transaction's number, which is near ours.
             LATERAL (SELECT here + ((object.xmin::text::bigint - here + 2147483648) & 4294967295) - 2147483648)
                 AS made (number)
        WHERE object.oid = call AND call IN (SELECT @extschema@.discovery_proofs(function))
          AND pg_xact_status(greatest(made.number, 0)::text::xid8) = 'in progress';
    IF caller IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('permission denied for function %s', function),
            DETAIL = 'Only the functions of discovery call it.';
    END IF;
    RETURN caller;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_caller(oid, text) IS
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

CREATE FUNCTION @extschema@.discovery_refuse_hidden(role name, schema name, relation name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF (SELECT c.relrowsecurity AND NOT pg_has_role(role, c.relowner, 'USAGE') FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = schema AND c.relname = relation)
       AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = role) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'permission denied for the trash',
            DETAIL = format('Row security of table "%s" applies to the role, and the trash has rows of everybody.',
                            relation),
            HINT = 'The owner of the table, or a role with BYPASSRLS, can restore the deletion.';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_hidden(name, name, name) IS
    'internal: raises 42501 if row security of a table applies to a role';
