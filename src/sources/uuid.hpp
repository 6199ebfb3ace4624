// Generates UUIDs, and converts them between PostgreSQL and the core.
#pragma once

#include "server/guard.hpp"

#include "core/uuid.hpp"

namespace discovery {

/// A new UUID of version 7, greater than every UUID that this backend generated before.
/// Errors: XX000 no random bytes are available.
core::Uuid new_uuid();

/// A UUID below every UUID that any backend generates at `time` or later, provided that the
/// server's clock does not go backwards.
core::Uuid uuid_floor(TimestampTz time);

/// Convert to and from a Datum of type uuid. to_datum() allocates in CurrentMemoryContext.
Datum to_datum(const core::Uuid &uuid);
core::Uuid to_uuid(Datum datum);

/// A Datum of type uuid as text, in CurrentMemoryContext.
const char *uuid_text(Datum uuid);

}  // namespace discovery
