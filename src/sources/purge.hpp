// What purge_deleted_sources() and purge_trash() share.
#pragma once

#include "store/catalog.hpp"

namespace discovery {

/// The time before which a purge removes, of the argument older_than.
/// Errors: 22004 it is NULL; 22023 it is negative or infinite.
Datum purge_cutoff(FunctionCallInfo fcinfo, int number);

/// Removes log entries older than `cutoff` that neither a source nor a row in the trash refers to any longer. It does
/// not wait for locks, and skips the entries that another purge is removing. Inside SPI_connect().
void drop_finished_deletions(const Store &store, Datum cutoff);

}  // namespace discovery
