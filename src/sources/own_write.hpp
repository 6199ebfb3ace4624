// Why a statement of the extension writes a row. Its triggers must know that, and they may run on another
// server than the function, so the statement itself says it: by a condition that calls discovery_write().
#pragma once

#include "sources/deletions.hpp"
#include "sources/triggers.hpp"

namespace discovery {

/// The conditions, for placed(), where the table is `source` or `notebook`.
inline constexpr const char *counts_row = "@functions@.discovery_write(notebook.id, 'count')";
inline constexpr const char *restores_row = "@functions@.discovery_write(source.id, 'restore')";
/// For the call $2 of a function, with the reason $3 (null for none).
inline constexpr const char *deletes_row = "@functions@.discovery_write(source.id, 'delete', $2, $3)";

/// Whether the statement that fires the row trigger of `table` sets the count of the row. Only the owner of the
/// table may say so. `trigger` is the trigger's call.
bool writes_count(FunctionCallInfo trigger, Relation table, const Value &id);

/// Whether it restores the row, with the hash of the content that add_source() was called with.
bool writes_restored(FunctionCallInfo trigger, const Value &id);

/// The deletion to which it soft-deletes the row.
const Deletion *deletion_written(FunctionCallInfo trigger, const Value &id);

}  // namespace discovery
