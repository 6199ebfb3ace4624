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
/// Where the table is `kept`: the row moves to the trash, and if it is a notebook, so does all that is in it.
inline constexpr const char *keeps_row = "@functions@.discovery_write(kept.id, 'keep', $2, $3)";

/// Whether the statement that fires the row trigger of `table` sets the count of the row. Only the owner of the
/// table may say so. `trigger` is the trigger's call. A trigger that `takes` this is the last to be told so.
bool writes_count(FunctionCallInfo trigger, Relation table, const Value &id, bool takes);

/// Whether it restores the row, with the hash of the content that add_source() was called with.
bool writes_restored(FunctionCallInfo trigger, const Value &id);

/// The deletion to which it soft-deletes the row.
const Deletion *deletion_written(FunctionCallInfo trigger, const Value &id);

/// The deletion that moves a row of a notebook to the trash, as an unfinished statement says of one of them, or
/// the setting discovery.keep_deleted of all. Null if the row goes for good.
const Deletion *deletion_keeping(const core::Uuid &row, const core::Uuid &notebook);

}  // namespace discovery
