// The deletion log.
#pragma once

#include "sources/effects.hpp"

namespace discovery {

/// Logs what deletions of this transaction have done to rows of the table, or adds it to what an earlier statement
/// has logged. Inside SPI_connect(), as the owner of the table.
/// Errors: 55000 the schema has no log of the same owner.
void log_deletions(Relation table, const std::map<core::Uuid, Deleted> &deleted);

}  // namespace discovery
