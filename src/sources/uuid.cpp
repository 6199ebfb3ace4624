// uuid_v7(): passes the server's clock and random bytes to the generator in core/uuid.hpp.
#include "sources/uuid.hpp"

namespace discovery {
namespace {

// One sequence per backend.
constinit core::UuidSequence sequence;

constexpr int64 microseconds_to_2000 = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

uint64 unix_milliseconds(TimestampTz time) { return static_cast<uint64>(Max(time + microseconds_to_2000, 0) / 1000); }

// Random bytes for one UUID. They are fetched for 32 UUIDs at once, because the call itself is
// expensive.
const uint8 *random_bytes() {
    static uint8 pool[core::uuid_random_bytes * 32];
    static int used = sizeof pool;
    if (used == sizeof pool) {
        if (!pg_strong_random(pool, sizeof pool))
            ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values"));
        used = 0;
    }
    const uint8 *bytes = pool + used;
    used += core::uuid_random_bytes;
    return bytes;
}

}  // namespace

core::Uuid new_uuid() { return sequence.next(unix_milliseconds(GetCurrentTimestamp()), random_bytes()); }

core::Uuid uuid_floor(TimestampTz time) { return core::first_uuid_of(unix_milliseconds(time)); }

Datum to_datum(const core::Uuid &uuid) {
    auto *datum = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    memcpy(datum->data, uuid.data(), UUID_LEN);
    return UUIDPGetDatum(datum);
}

const char *uuid_text(Datum uuid) { return DatumGetCString(DirectFunctionCall1(uuid_out, uuid)); }

core::Uuid to_uuid(Datum datum) {
    core::Uuid uuid;
    memcpy(uuid.data(), DatumGetUUIDP(datum)->data, UUID_LEN);
    return uuid;
}

}  // namespace discovery

DISCOVERY_FUNCTION(discovery_uuid_v7) { return discovery::to_datum(discovery::new_uuid()); }
