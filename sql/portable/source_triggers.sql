--
-- The triggers of sources
--
-- A trigger function before a row runs with the rights of who writes, and must not call functions of this schema, for
-- which they may lack the right. One after a statement or a row runs with the rights of its owner.
--

-- The deletion that soft-deletes a row now has an id of this transaction: its milliseconds and number (48 and 26 bits),
-- and a hash of what tells its deletions apart (48 bits), the reason in discovery.reason and the call in
-- discovery_internal.call. So a client chooses at most between deletions of its own transaction.
CREATE FUNCTION @extschema@.discovery_source_row() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    encoding name := CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END;
    is_update boolean := TG_OP = 'UPDATE';
    is_changed boolean := false;
    is_new_text boolean := true;
    needs_hash boolean := false;
    number bigint;
    probe record;
BEGIN
    -- A row that comes back from the trash, which only the owner can say.
    IF NOT is_update AND NEW.id::text = split_part(current_setting('discovery_internal.restoring', true), ' ', 1)
       AND quote_ident(current_user)::regrole = (SELECT relowner FROM pg_class WHERE oid = TG_RELID) THEN
        PERFORM FROM @extschema@.discovery_calls
            WHERE id::text = split_part(current_setting('discovery_internal.restoring', true), ' ', 2);
        IF FOUND THEN RETURN NEW; END IF;
    END IF;
    IF is_update AND NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at THEN
        is_changed := NEW.deleted_at IS DISTINCT FROM OLD.deleted_at OR NEW.name <> OLD.name
            OR NEW.content_hash <> OLD.content_hash OR NEW.notebook_id <> OLD.notebook_id;
        IF is_changed IS NOT TRUE THEN
            probe := NEW;
            probe.deletion_id := OLD.deletion_id;
            is_changed := NOT probe *= OLD;
            -- Generated columns are not computed yet; they depend on the others alone.
            IF is_changed AND EXISTS (SELECT FROM pg_attribute
                                      WHERE attrelid = TG_RELID AND attgenerated <> '' AND NOT attisdropped) THEN
                EXECUTE (SELECT format('SELECT NOT ROW(%s)::record *= ROW(%s)::record',
                                       string_agg(format('($1).%I', attname), ', '),
                                       string_agg(format('($2).%I', attname), ', '))
                         FROM pg_attribute
                         WHERE attrelid = TG_RELID AND attnum > 0 AND attgenerated = '' AND NOT attisdropped)
                    INTO is_changed USING probe, OLD;
            END IF;
        END IF;
    END IF;
    IF is_update THEN
        is_new_text := NEW.extracted_text COLLATE "C" IS DISTINCT FROM OLD.extracted_text COLLATE "C";
    END IF;

    IF coalesce(NEW.content_hash, '') = '' THEN
        -- A row that 1.0 stored without a hash keeps none while its hash and text do not change.
        needs_hash := NOT is_update OR is_new_text OR coalesce(OLD.content_hash, '') <> '';
        NEW.content_hash := '';
    ELSIF is_update AND is_new_text AND NEW.content_hash = OLD.content_hash
          AND OLD.source_type <> 'file' AND OLD.extracted_text <> ''
          AND OLD.id::text IS DISTINCT FROM current_setting('discovery_internal.restoring', true) THEN
        -- Where the old hash was that of the old text, the new one is that of the new text.
        needs_hash := NEW.content_hash = encode(sha256(convert_to(OLD.extracted_text, encoding)), 'hex');
    END IF;
    IF needs_hash THEN
        NEW.content_hash := CASE WHEN NEW.source_type <> 'file' AND NEW.extracted_text <> ''
            THEN encode(sha256(convert_to(NEW.extracted_text, encoding)), 'hex') ELSE '' END;
    ELSIF NEW.content_hash ~ '[A-F]' AND NEW.content_hash ~ '^[0-9A-Fa-f]{64}$' THEN
        NEW.content_hash := lower(NEW.content_hash);
    END IF;

    IF NEW.deleted_at IS NULL THEN
        NEW.deletion_id := NULL;
    ELSIF is_update AND OLD.deleted_at IS NULL THEN
        number := pg_current_xact_id()::text::bigint;
        NEW.deletion_id := (lpad(to_hex(floor(extract(epoch FROM now()) * 1000)::bigint), 12, '0')
            || '7' || lpad(to_hex(number >> 14 & 4095), 3, '0') || to_hex(32768 + (number & 16383))
            || left(encode(sha256(convert_to(
                concat_ws(' ', number, nullif(current_setting('discovery_internal.call', true), ''),
                          nullif(current_setting('discovery.reason', true), '')), encoding)), 'hex'), 12))::uuid;
    ELSIF is_update THEN
        NEW.deletion_id := OLD.deletion_id;
    ELSIF NEW.deletion_id IS NOT NULL AND NOT pg_has_role(
            (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        -- The owner can choose it in INSERT, so that a dump restores it.
        NEW.deletion_id := NULL;
    END IF;

    IF is_changed THEN NEW.updated_at := timezone('UTC', now()); END IF;
    RETURN NEW;
END
$$;

REVOKE ALL ON FUNCTION @extschema@.discovery_source_row() FROM PUBLIC;

CREATE FUNCTION @extschema@.discovery_lost_file() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp SET row_security TO off
AS $$
BEGIN
    PERFORM @extschema@.discovery_require_own(TG_TABLE_SCHEMA, TG_TABLE_NAME, 'discovery_lost_files');
    -- The file of a source in the trash is still needed.
    IF TG_OP = 'DELETE' AND to_regclass(format('%I.discovery_trash', TG_TABLE_SCHEMA)) IS NOT NULL
       AND @extschema@.discovery_keeps_rows() THEN
        RETURN NULL;
    END IF;
    EXECUTE format('INSERT INTO %I.discovery_lost_files (id, file_path) VALUES ($1, $2)', TG_TABLE_SCHEMA)
        USING @extschema@.uuid_v7(), OLD.file_path;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION @extschema@.discovery_lost_file() FROM PUBLIC;
