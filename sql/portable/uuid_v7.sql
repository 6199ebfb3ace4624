--
-- Identifiers
--

-- 48 bits of milliseconds and 12 bits of the part of a millisecond, which rises from call to call; 62 random bits.
CREATE FUNCTION @extschema@.uuid_v7() RETURNS uuid
    LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    microseconds bigint := round(date_part('epoch', clock_timestamp()) * 1000000);
BEGIN
    RETURN (lpad(to_hex(microseconds / 1000), 12, '0') || '7'
            || lpad(to_hex(microseconds % 1000 * 4096 / 1000), 3, '0')
            || right(gen_random_uuid()::text, 17))::uuid;
END
$$;

CREATE FUNCTION @extschema@.discovery_new_id() RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN @extschema@.uuid_v7();

-- The smallest id that is made at this time or later.
CREATE FUNCTION @extschema@.discovery_first_id(moment timestamp with time zone) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
AS $$
    SELECT (lpad(to_hex(greatest(floor(extract(epoch FROM moment) * 1000), 0)::bigint), 12, '0')
            || '70008000000000000000')::uuid
$$;
COMMENT ON FUNCTION @extschema@.discovery_first_id(timestamp with time zone) IS
    'internal: the smallest UUID of version 7 of a time';
