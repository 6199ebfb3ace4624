--
-- Add a batch of sources
--

-- A source of the batch, from an object whose keys are the names of add_source()'s arguments.
CREATE FUNCTION @extschema@.discovery_read_element(
        notebook_id uuid, element jsonb, on_duplicate text, on_deleted text,
        OUT name text, OUT source_type text, OUT extracted_text text, OUT content_hash text, OUT file_type text,
        OUT url text, OUT file_path text, OUT file_size bigint, OUT source_metadata json, OUT columns jsonb,
        OUT broken text[])
    RETURNS record
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    key text;
    value jsonb;
    word text;
    type text;
    fault text;
    faults text[] := '{}';
    content bytea;
    source record;
BEGIN
    IF jsonb_typeof(element) <> 'object' THEN
        broken := '{It must be a JSON object.}';
        RETURN;
    END IF;
    FOR key, value IN SELECT * FROM jsonb_each(element) LOOP
        type := jsonb_typeof(value);
        word := value #>> '{}';
        fault := CASE
            WHEN key <> ALL ('{name,source_type,content,extracted_text,content_hash,file_type,url,file_path,file_size,'
                             'source_metadata,columns}'::text[]) THEN 'is not a key of a source'
            WHEN type = 'null' THEN NULL
            WHEN key = 'content' THEN
                CASE WHEN type <> 'string' OR word !~ E'^\\\\x([0-9A-Fa-f]{2})*$' AND NOT
                          (translate(word, E' \t\n\r', '') ~ '^[A-Za-z0-9+/]*={0,2}$'
                           AND length(translate(word, E' \t\n\r', '')) % 4 = 0)
                     THEN E'must be a string of base64, or of \\x and hex digits' END
            WHEN key = 'file_size' THEN
                CASE WHEN type <> 'number' THEN 'must be a whole number'
                     WHEN trunc(word::numeric) <> word::numeric OR abs(word::numeric) > 9223372036854775807
                     THEN 'must be a whole number' END
            WHEN key = 'columns' THEN CASE WHEN type <> 'object' THEN 'must be an object' END
            WHEN key <> 'source_metadata' AND type <> 'string' THEN 'must be a string'
        END;
        IF fault IS NOT NULL THEN
            -- A name of any length can be given.
            faults := array_append(faults, format('"%s" %s.', key::name, fault));
            CONTINUE;
        END IF;
        CONTINUE WHEN type = 'null';
        CASE key
            WHEN 'name' THEN name := word;
            WHEN 'source_type' THEN source_type := word;
            WHEN 'content' THEN
                content := CASE WHEN word LIKE E'\\\\x%' THEN decode(substr(word, 3), 'hex')
                                ELSE decode(word, 'base64') END;
            WHEN 'extracted_text' THEN extracted_text := word;
            WHEN 'content_hash' THEN content_hash := word;
            WHEN 'file_type' THEN file_type := word;
            WHEN 'url' THEN url := word;
            WHEN 'file_path' THEN file_path := word;
            WHEN 'file_size' THEN file_size := trunc(word::numeric)::bigint;
            WHEN 'source_metadata' THEN source_metadata := value::text::json;
            WHEN 'columns' THEN columns := value;
        END CASE;
    END LOOP;
    source := @extschema@.discovery_read_source(notebook_id, name, source_type, content, extracted_text, content_hash,
                                              file_type, url, file_size, on_duplicate, on_deleted);
    name := source.name;
    content_hash := source.content_hash;
    file_size := source.file_size;
    broken := faults || source.broken;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_read_element(uuid, jsonb, text, text) IS
    'internal: the values of a source of a batch, and the rules that it breaks';

-- Which elements are written, in the order of their hashes, so that two batches never wait for each other in a circle;
-- those without a hash come last. The others have the content of an earlier one: `firsts` says which.
CREATE FUNCTION @extschema@.discovery_order_batch(
        hashes text[], on_duplicate text, OUT written integer[], OUT firsts integer[])
    RETURNS record
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    number integer;
BEGIN
    SELECT coalesce(array_agg(n ORDER BY hash = '', hash COLLATE "C", n) FILTER (WHERE n = first), '{}'),
           coalesce(array_agg(first ORDER BY n), '{}'), min(n) FILTER (WHERE n <> first)
        INTO written, firsts, number
        FROM (SELECT n::integer, hash,
                     CASE WHEN hash = '' THEN n ELSE min(n) OVER (PARTITION BY hash COLLATE "C") END::integer AS first
              FROM unnest(hashes) WITH ORDINALITY AS given (hash, n)) AS element;
    IF number IS NOT NULL AND on_duplicate = 'error' THEN
        RAISE EXCEPTION USING ERRCODE = 'unique_violation',
            MESSAGE = format('source %s: an identical source already exists in the batch', number),
            DETAIL = format('It has the content of source %s.', firsts[number]);
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_order_batch(text[], text) IS
    'internal: the order in which the sources of a batch are written';

CREATE FUNCTION @extschema@.discovery_refuse_faults(faults text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF cardinality(faults) > 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'invalid sources',
            DETAIL = array_to_string(faults[:100], E'\n')
                     || CASE WHEN cardinality(faults) > 100
                             THEN format(E'\nThere are %s more.', cardinality(faults) - 100) ELSE '' END;
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_faults(text[]) IS 'internal: raises 22023 for a batch';

CREATE FUNCTION @extschema@.discovery_refuse_changed(store text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'triggered_action_exception',
        MESSAGE = 'cannot tell which sources of the batch were added',
        DETAIL = 'A trigger or rule on the table of sources leaves out rows or changes their content_hash.',
        HINT = 'Use add_source() for each of them.', SCHEMA = (parse_ident(store))[1], TABLE = 'sources';
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_changed(text) IS 'internal: raises 09000 for a batch';

CREATE FUNCTION @extschema@.add_sources(
        notebook_id uuid,
        sources jsonb,
        on_duplicate text DEFAULT 'return',
        on_deleted text DEFAULT 'restore')
    RETURNS TABLE (number integer, id uuid, outcome text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 100
AS $$
#variable_conflict use_column
DECLARE
    store pg_catalog.text;
    element pg_catalog.jsonb;
    source pg_catalog.record;
    batch pg_catalog.record;
    own pg_catalog.record;
    names pg_catalog.text[] := '{}';
    types pg_catalog.text[] := '{}';
    texts pg_catalog.text[] := '{}';
    hashes pg_catalog.text[] := '{}';
    file_types pg_catalog.text[] := '{}';
    urls pg_catalog.text[] := '{}';
    paths pg_catalog.text[] := '{}';
    sizes pg_catalog.int8[] := '{}';
    metadata pg_catalog.json[] := '{}';
    own_columns pg_catalog.jsonb[] := '{}';
    own_definitions pg_catalog.text[] := '{}';
    faults pg_catalog.text[] := '{}';
    ids pg_catalog.uuid[] := '{}';
    outcomes pg_catalog.text[] := '{}';
    deleted pg_catalog.uuid[];
    run pg_catalog.int4[];
    pending pg_catalog.int4[];
    found_ids pg_catalog.uuid[];
    found_hashes pg_catalog.text[];
    place pg_catalog.int4;
    n pg_catalog.int4 := 0;
    has_duplicate pg_catalog.bool := false;
BEGIN
    PERFORM @extschema@.discovery_require_writable('add_sources()');
    PERFORM @extschema@.discovery_require_argument($2 IS NULL, 'sources');
    store := @extschema@.discovery_current_store(pg_catalog.current_schemas(false));
    IF pg_catalog.jsonb_typeof($2) OPERATOR(pg_catalog.<>) 'array' THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'sources must be a JSON array of objects';
    END IF;
    FOR element IN SELECT given.element FROM pg_catalog.jsonb_array_elements($2) AS given (element) LOOP
        n := n OPERATOR(pg_catalog.+) 1;
        source := @extschema@.discovery_read_element($1, element, $3, $4);
        IF pg_catalog.cardinality(source.broken) OPERATOR(pg_catalog.>) 0 THEN
            faults := pg_catalog.array_cat(faults, ARRAY(
                SELECT pg_catalog.format('Source %s: %s', n, given.sentence)
                FROM pg_catalog.unnest(source.broken) AS given (sentence)));
        END IF;
        names := pg_catalog.array_append(names, source.name);
        types := pg_catalog.array_append(types, source.source_type);
        texts := pg_catalog.array_append(texts, source.extracted_text);
        hashes := pg_catalog.array_append(hashes, source.content_hash);
        file_types := pg_catalog.array_append(file_types, source.file_type);
        urls := pg_catalog.array_append(urls, source.url);
        paths := pg_catalog.array_append(paths, source.file_path);
        sizes := pg_catalog.array_append(sizes, source.file_size);
        metadata := pg_catalog.array_append(metadata, source.source_metadata);
        own_columns := pg_catalog.array_append(own_columns, source.columns);
    END LOOP;
    PERFORM @extschema@.discovery_refuse_faults(faults);
    FOR i IN 1 .. n LOOP
        own := @extschema@.discovery_own_columns(store, own_columns[i]);
        own_definitions := pg_catalog.array_append(own_definitions, coalesce(own.definitions, ''));
    END LOOP;
    batch := @extschema@.discovery_order_batch(hashes, $3);
    ids := pg_catalog.array_fill(NULL::pg_catalog.uuid, ARRAY[n]);
    outcomes := pg_catalog.array_fill(NULL::pg_catalog.text, ARRAY[n]);

    FOR attempt IN 1 .. 100 LOOP
        deleted := pg_catalog.array_fill(NULL::pg_catalog.uuid, ARRAY[n]);
        FOR source IN EXECUTE pg_catalog.format($sql$
            SELECT given.number, source.id, source.name::pg_catalog.text AS name, true AS is_live
            FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) WITH ORDINALITY
                AS given (hash, outcome, number)
            JOIN %1$s.sources AS source ON source.content_hash OPERATOR(pg_catalog.=) given.hash
            WHERE source.notebook_id OPERATOR(pg_catalog.=) $1 AND given.outcome IS NULL
              AND source.deleted_at IS NULL AND source.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
            UNION ALL
            (SELECT DISTINCT ON (given.number) given.number, source.id, source.name::pg_catalog.text, false
             FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) WITH ORDINALITY
                AS given (hash, outcome, number)
             JOIN %1$s.sources AS source ON source.content_hash OPERATOR(pg_catalog.=) given.hash
             WHERE source.notebook_id OPERATOR(pg_catalog.=) $1 AND given.outcome IS NULL
               AND $4 OPERATOR(pg_catalog.<>) 'add'::pg_catalog.text
               AND source.deleted_at IS NOT NULL AND source.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
             ORDER BY given.number, source.deleted_at DESC, source.id)
            ORDER BY 4 DESC, 1$sql$, store)
            USING $1, hashes, outcomes, $4
        LOOP
            CONTINUE WHEN (batch.firsts)[source.number] OPERATOR(pg_catalog.<>) source.number;
            IF NOT source.is_live THEN
                deleted[source.number] := source.id;
            ELSIF $3 OPERATOR(pg_catalog.=) 'error' THEN
                PERFORM @extschema@.discovery_refuse_duplicate(store, source.number::pg_catalog.int4, source.id,
                                                             source.name);
            ELSE
                ids[source.number] := source.id;
                outcomes[source.number] := 'duplicate';
            END IF;
        END LOOP;

        pending := ARRAY(SELECT given.n FROM pg_catalog.unnest(batch.written) WITH ORDINALITY AS given (n, at)
                         WHERE outcomes[given.n] IS NULL ORDER BY given.at);
        place := 1;
        WHILE place OPERATOR(pg_catalog.<=) pg_catalog.cardinality(pending) LOOP
            n := pending[place];
            IF deleted[n] IS NOT NULL THEN
                outcomes[n] := @extschema@.discovery_restore_as(
                    store, deleted[n], $1, names[n], types[n], texts[n], file_types[n], urls[n], paths[n], sizes[n],
                    metadata[n], own_columns[n]);
                IF outcomes[n] OPERATOR(pg_catalog.=) 'restored' THEN
                    ids[n] := deleted[n];
                ELSIF outcomes[n] IS NOT NULL THEN
                    has_duplicate := true;
                END IF;
                -- Above READ COMMITTED, no query can find the duplicate; the INSERT raises 40001.
                IF outcomes[n] IS NULL OR ids[n] IS NOT NULL
                   OR pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.~) '^read' THEN
                    IF ids[n] IS NULL THEN outcomes[n] := NULL; END IF;
                    place := place OPERATOR(pg_catalog.+) 1;
                    CONTINUE;
                END IF;
                outcomes[n] := NULL;
            END IF;
            -- Those that follow, up to one that is to be restored, or that names other columns of the user
            run := ARRAY[n];
            own := @extschema@.discovery_own_columns(store, own_columns[n]);
            LOOP
                place := place OPERATOR(pg_catalog.+) 1;
                EXIT WHEN place OPERATOR(pg_catalog.>) pg_catalog.cardinality(pending);
                EXIT WHEN deleted[pending[place]] IS NOT NULL
                    OR own_definitions[pending[place]] OPERATOR(pg_catalog.<>) own_definitions[n]
                    OR (hashes[pending[place]] OPERATOR(pg_catalog.=) '') OPERATOR(pg_catalog.<>)
                       (hashes[n] OPERATOR(pg_catalog.=) '');
                run := pg_catalog.array_append(run, pending[place]);
            END LOOP;
            EXECUTE pg_catalog.concat(
                'WITH added AS (INSERT INTO ', store, '.sources (notebook_id, name, source_type, extracted_text,'
                ' content_hash, file_type, url, file_path, file_size, source_metadata', own.names, ')'
                ' SELECT $1, batch.name, batch.source_type, coalesce(batch.extracted_text, ''''),'
                ' batch.content_hash, batch.file_type, batch.url, batch.file_path, batch.file_size,'
                ' coalesce(batch.source_metadata, ''{}''::pg_catalog.json)', own.given,
                ' FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4),'
                ' pg_catalog.unnest($5), pg_catalog.unnest($6), pg_catalog.unnest($7), pg_catalog.unnest($8),'
                ' pg_catalog.unnest($9), pg_catalog.unnest($10), pg_catalog.unnest($11)) WITH ORDINALITY'
                ' AS batch (name, source_type, extracted_text, content_hash, file_type, url, file_path, file_size,'
                ' source_metadata, columns, number)'
                ' JOIN pg_catalog.unnest($12) WITH ORDINALITY AS chosen (number, position)'
                ' ON chosen.number OPERATOR(pg_catalog.=) batch.number',
                CASE WHEN own.definitions IS NOT NULL THEN pg_catalog.concat(
                    ' CROSS JOIN LATERAL pg_catalog.jsonb_to_record(batch.columns) AS given (', own.definitions,
                    ')') END,
                ' ORDER BY chosen.position ON CONFLICT (notebook_id, content_hash)'
                ' WHERE deleted_at IS NULL AND content_hash OPERATOR(pg_catalog.<>) ''''::pg_catalog.text DO NOTHING'
                ' RETURNING id, content_hash::pg_catalog.text)'
                ' SELECT coalesce(pg_catalog.array_agg(added.id), ''{}''),'
                ' coalesce(pg_catalog.array_agg(added.content_hash), ''{}'') FROM added')
                INTO found_ids, found_hashes
                USING $1, names, types, texts, hashes, file_types, urls, paths, sizes, metadata, own_columns, run;
            -- The rows come in the order of the elements. Where some are left out, the hash tells which.
            IF pg_catalog.cardinality(found_ids) OPERATOR(pg_catalog.=) pg_catalog.cardinality(run) THEN
                FOR i IN 1 .. pg_catalog.cardinality(run) LOOP
                    ids[run[i]] := found_ids[i];
                    outcomes[run[i]] := 'added';
                END LOOP;
            ELSE
                has_duplicate := true;
                FOR i IN 1 .. pg_catalog.cardinality(found_ids) LOOP
                    n := (SELECT given.n FROM pg_catalog.unnest(run) AS given (n)
                          WHERE found_hashes[i] OPERATOR(pg_catalog.<>) ''
                            AND hashes[given.n] OPERATOR(pg_catalog.=) found_hashes[i] AND outcomes[given.n] IS NULL);
                    IF n IS NULL THEN PERFORM @extschema@.discovery_refuse_changed(store); END IF;
                    ids[n] := found_ids[i];
                    outcomes[n] := 'added';
                END LOOP;
            END IF;
        END LOOP;

        n := (SELECT given.n FROM pg_catalog.unnest(batch.written) WITH ORDINALITY AS given (n, at)
              WHERE outcomes[given.n] IS NULL ORDER BY given.at LIMIT 1);
        EXIT WHEN n IS NULL;
        IF attempt OPERATOR(pg_catalog.=) 100 THEN
            PERFORM @extschema@.discovery_refuse_prevented(store, n, has_duplicate);
        END IF;
    END LOOP;
    FOR i IN 1 .. pg_catalog.cardinality(hashes) LOOP
        number := i;
        id := ids[(batch.firsts)[i]];
        outcome := CASE WHEN (batch.firsts)[i] OPERATOR(pg_catalog.=) i THEN outcomes[i] ELSE 'duplicate' END;
        RETURN NEXT;
    END LOOP;
END
$$;
