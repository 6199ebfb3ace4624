// The migrations that this library was built with.
#pragma once

#include "server/guard.hpp"

#include "core/migrations.hpp"

namespace discovery {

/// Reads them, into CurrentMemoryContext.
const core::Migrations *shipped_migrations();

}  // namespace discovery
