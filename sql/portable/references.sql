--
-- References
--

-- Foreign keys of users to rows that go with a row of a table. `referred` reads what the key refers to, with the id of
-- that row as $1; `referring` follows the name of the table in a query for the rows that refer to it.
CREATE FUNCTION @extschema@.discovery_references(schema name, deleted name)
    RETURNS TABLE (relation oid, name text, action text, key name, referred text, referring text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT k.conrelid, k.conrelid::regclass::text, k.confdeltype::text, k.conname, gone.rows,
           format(' AS referring WHERE EXISTS (%s AND %s)%s', gone.rows, pairs.condition,
                  -- What is in the notebook goes with it, but may go with a value that the key has changed before.
                  CASE WHEN place.is_ours AND deleted = 'notebooks'
                            AND (k.confdeltype NOT IN ('n', 'd') OR c.relname <> 'notebooks') THEN
                      ' AND coalesce(referring.notebook_id OPERATOR(pg_catalog.<>) $1, true)' END)
    FROM pg_constraint AS k
    JOIN pg_class AS c ON c.oid = k.confrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = schema
    JOIN pg_class AS r ON r.oid = k.conrelid
    CROSS JOIN LATERAL (SELECT r.relnamespace = n.oid AND r.relname IN ('sources', 'outputs')) AS place (is_ours)
    CROSS JOIN LATERAL (
        SELECT format('SELECT FROM %s AS gone WHERE gone.%I OPERATOR(pg_catalog.=) $1', k.confrelid::regclass,
                      CASE c.relname WHEN deleted THEN 'id' ELSE 'notebook_id' END)) AS gone (rows)
    CROSS JOIN LATERAL (
        -- The operator is the key's, as in its own checks: citext has one of its own. So is the collation.
        SELECT string_agg(format('gone.%I%s OPERATOR(%I.%s) referring.%I', b.attname,
                                 (SELECT format(' COLLATE %I.%I', collnamespace::regnamespace::name, collname)
                                  FROM pg_collation WHERE oid = b.attcollation),
                                 s.nspname, o.oprname, a.attname), ' AND ')
        FROM unnest(k.conkey, k.confkey, k.conpfeqop) AS pair (own, other, operator)
        JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = pair.own
        JOIN pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = pair.other
        JOIN pg_operator AS o ON o.oid = pair.operator
        JOIN pg_namespace AS s ON s.oid = o.oprnamespace) AS pairs (condition)
    WHERE k.contype = 'f' AND k.conparentid = 0 AND c.relname IN ('notebooks', 'sources', 'outputs')
      AND deleted IN ('notebooks', c.relname)
      AND NOT (place.is_ours AND c.relname = 'notebooks' AND k.confdeltype = 'c'
               AND k.conkey = ARRAY[(SELECT attnum FROM pg_attribute WHERE attrelid = r.oid AND attname = 'notebook_id'
                                     AND NOT attisdropped)])
    ORDER BY 2, 4
$$;
COMMENT ON FUNCTION @extschema@.discovery_references(name, name) IS
    'internal: foreign keys of other tables to a row or to what goes with it';

-- Whether a function may read all of a table with the rights that it has. The planner computes what predicates of its
-- indexes call, with those rights: so who owns the table or a partition must have them as well, or own the store.
CREATE FUNCTION @extschema@.discovery_may_read(relation oid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT has_table_privilege(relation, 'SELECT') AND NOT row_security_active(relation)
       AND (SELECT bool_and(pg_has_role(c.relowner, current_user, 'USAGE')
                            OR c.relowner = (SELECT relowner FROM pg_class
                                             WHERE oid = '@extschema@.discovery_calls'::regclass)) FROM pg_class AS c
            WHERE c.oid = relation OR c.oid IN (SELECT part.relid FROM pg_partition_tree(relation) AS part))
$$;
COMMENT ON FUNCTION @extschema@.discovery_may_read(oid) IS
    'internal: whether a function may read all of a table, and can without running code of others';

-- What to read a table by. Until the transaction ends, nobody puts a view in its place: that would run as who reads it.
CREATE FUNCTION @extschema@.discovery_keep_table(relation oid) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    name text;
BEGIN
    LOOP
        name := relation::regclass;
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS SHARE MODE', name);
        EXIT WHEN to_regclass(name) = relation;
    END LOOP;
    -- A foreign key is for the rows of the table itself, or of its partitions.
    RETURN CASE (SELECT relkind FROM pg_class WHERE oid = relation) WHEN 'p' THEN name ELSE 'ONLY ' || name END;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_keep_table(oid) IS
    'internal: locks a table, so that its name stays; returns what to read it by';

-- The number of rows by which a key of discovery_references() refers to what goes with the row; NULL where the
-- function, with the rights that it has, may not read all of the table.
CREATE FUNCTION @extschema@.discovery_count_references(relation oid, referring text, id uuid) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    place text;
    rows bigint;
BEGIN
    IF NOT @extschema@.discovery_may_read(relation) THEN RETURN NULL; END IF;
    place := @extschema@.discovery_keep_table(relation);
    -- While it waited, the table may have got row security or another owner.
    IF NOT @extschema@.discovery_may_read(relation) THEN RETURN NULL; END IF;
    EXECUTE concat('SELECT count(*) FROM ', place, referring) INTO rows USING id;
    RETURN rows;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_count_references(oid, text, uuid) IS
    'internal: the number of rows that refer to a row or to what goes with it';

-- Locks what foreign keys that lose rows refer to, so that nobody can add a reference. Raises 23503 if there is one.
-- The notebook is locked before what is in it, as by DELETE. Where the owner may not read all of a table, or must not
-- because of whose it is, the number of rows is not known.
CREATE FUNCTION @extschema@.discovery_refuse_losing_references(call uuid, schema name, deleted name, id uuid)
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
DECLARE
    caller name;
    is_hidden boolean;
    losing record;
    rows bigint;
    one_of_them constant text := CASE deleted WHEN 'notebooks' THEN 'notebook' ELSE 'output' END;
BEGIN
    PERFORM @extschema@.discovery_require_own(schema, 'notebooks', 'sources', 'outputs');
    caller := @extschema@.discovery_caller(call);
    PERFORM @extschema@.discovery_require_right(caller, schema, deleted, 'SELECT');
    PERFORM @extschema@.discovery_require_right(caller, schema, deleted, 'DELETE');
    -- Whether the caller sees the row is not known here.
    is_hidden := @extschema@.discovery_hides_rows(caller, schema, deleted);
    IF NOT is_hidden THEN
        EXECUTE format('SELECT FROM %I.%I WHERE id = $1 FOR UPDATE', schema, deleted) USING id;
    END IF;
    FOR losing IN SELECT * FROM @extschema@.discovery_references(schema, deleted) AS one
                  WHERE one.action IN ('c', 'n', 'd') LOOP
        IF NOT is_hidden THEN EXECUTE losing.referred || ' FOR UPDATE' USING id; END IF;
    END LOOP;
    FOR losing IN SELECT * FROM @extschema@.discovery_references(schema, deleted) AS one
                  WHERE one.action IN ('c', 'n', 'd') LOOP
        rows := CASE WHEN NOT is_hidden THEN
            @extschema@.discovery_count_references(losing.relation, losing.referring, id) END;
        CONTINUE WHEN rows = 0;
        RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
            MESSAGE = format('cannot move the %s to the trash because rows of table "%s" refer to it', one_of_them,
                             losing.relation::regclass),
            DETAIL = CASE WHEN is_hidden
                THEN format('Row security hides rows of table "%s" from the role, and foreign key "%s" may delete or'
                            ' change rows.', deleted, losing.key)
                WHEN rows IS NULL
                THEN format('The owner of the store may not read all of that table, whose foreign key "%s" would delete'
                            ' or change rows.', losing.key)
                ELSE format('Its foreign key "%s" would delete or change rows, which could not be restored: %s.',
                            losing.key, rows) END,
            HINT = format('Remove these rows first, or delete the %s for good by DELETE.', one_of_them);
    END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_losing_references(uuid, name, name, uuid) IS
    'internal: raises 23503 if the trash could not undo the deletion of a row';
