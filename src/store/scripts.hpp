// The migrations that are compiled into this library.
#pragma once

#include "server/guard.hpp"

#include "core/migrations.hpp"

namespace discovery {

/// Parses the migrations, into CurrentMemoryContext.
const core::Migrations *shipped_migrations();

}  // namespace discovery
