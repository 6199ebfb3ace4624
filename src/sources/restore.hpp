// Undoes soft deletes.
#pragma once

#include "server/queries.hpp"
#include "store/catalog.hpp"

namespace discovery {

/// Restores the sources that a deletion has soft-deleted, as restore_sources() does. The columns of the result are id
/// and outcome.
/// Errors: those of restore_sources().
void restore_sources(const Rows &result, const Store &store, Datum deletion, bool keep_deleted);

}  // namespace discovery
