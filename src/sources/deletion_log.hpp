// The deletion log.
#pragma once

#include "sources/effects.hpp"

namespace discovery {

/// Logs what deletions of this transaction have done to rows of the table, or adds it to what an earlier statement
/// has logged. Acts as the owner of the table.
/// Errors: 55000 the schema has no log of the same owner; 09000 a trigger or rule keeps the deletion out of it.
void log_deletions(Relation table, const std::map<core::Uuid, Deleted> &deleted);

/// Raises 09000: the deletion is not in the log.
[[noreturn]] void raise_unlogged(Datum deletion);

}  // namespace discovery
