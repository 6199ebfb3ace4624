--
-- What only the native extension does
--

CREATE FUNCTION @extschema@.discovery_refuse_native(function text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
        MESSAGE = format('%s() is not available in the SQL-only edition of discovery', function),
        DETAIL = 'It needs the library of the native extension.',
        HINT = 'Use a server with the native extension, for example with a restored schema-only dump.';
END
$$;
COMMENT ON FUNCTION @extschema@.discovery_refuse_native(text) IS 'internal: raises 0A000';

CREATE FUNCTION @extschema@.discovery_shape(schema name DEFAULT NULL) RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $$ BEGIN PERFORM @extschema@.discovery_refuse_native('discovery_shape'); END $$;

CREATE FUNCTION @extschema@.discovery_prepare_upgrade(target text DEFAULT 'head', schema name DEFAULT NULL)
    RETURNS TABLE (number integer, statement text, effect text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$ BEGIN PERFORM @extschema@.discovery_refuse_native('discovery_prepare_upgrade'); END $$;

CREATE FUNCTION @extschema@.discovery_cancel_upgrade(schema name DEFAULT NULL)
    RETURNS TABLE (number integer, statement text, effect text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$ BEGIN PERFORM @extschema@.discovery_refuse_native('discovery_cancel_upgrade'); END $$;

CREATE FUNCTION @extschema@.discovery_stamp(version text, schema name DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$ BEGIN PERFORM @extschema@.discovery_refuse_native('discovery_stamp'); END $$;

CREATE FUNCTION @extschema@.discovery_check(schema name DEFAULT NULL)
    RETURNS TABLE (object text, kind text, actual text, expected text, fix text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $$ BEGIN PERFORM @extschema@.discovery_refuse_native('discovery_check'); END $$;

CREATE FUNCTION @extschema@.discovery_autogenerate(schema name DEFAULT NULL)
    RETURNS TABLE (direction text, statement text, comment text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $$ BEGIN PERFORM @extschema@.discovery_refuse_native('discovery_autogenerate'); END $$;

CREATE FUNCTION @extschema@.discovery_plan(target text DEFAULT 'head', schema name DEFAULT NULL)
    RETURNS TABLE (step text, number integer, statement text, locks text, effect text, can_lose_data boolean)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $$ BEGIN PERFORM @extschema@.discovery_refuse_native('discovery_plan'); END $$;
