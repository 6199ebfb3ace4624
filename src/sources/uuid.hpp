// UUIDs between PostgreSQL and the core.
#pragma once

#include "server/guard.hpp"

#include "core/uuid.hpp"

namespace discovery {

/// The next of this backend: strictly above all it made before.
core::Uuid new_uuid();

/// Below every UUID that is made at that time or later, by whichever backend
/// of a server whose clock does not step back.
core::Uuid uuid_floor(TimestampTz time);

Datum to_datum(const core::Uuid &uuid);
core::Uuid to_uuid(Datum datum);

}  // namespace discovery
