// What soft delete, its undoing and the purge share.
#pragma once

#include "server/queries.hpp"
#include "store/current_store.hpp"

namespace discovery {

/// After a duplicate was in the way that a look before had not shown: above READ
/// COMMITTED it is outside of the snapshot for ever, so that a further attempt
/// is vain. Errors: 40001.
void require_new_snapshot();

/// Keeps the notebooks (uuid[]) from being deleted until the transaction ends. Whoever
/// deletes a notebook locks it before its sources; so must we, who change a
/// source before its notebook's count, or the two of us could wait for each other.
void lock_notebooks(const Store &store, Argument ids);

/// The same for the notebooks of the sources of a condition on $1, those that the caller may see.
void lock_notebooks_where(const Store &store, const char *condition, Argument which);

/// Raises P0002 for sources of these ids.
[[noreturn]] void raise_unknown(const char *ids);

/// Raises P0002 if there is no such deletion in the log; needs no right on it.
void require_deletion(const Store &store, Datum deletion);

/// Raises P0002 if there is no such source that the caller can see.
void require_source(const Store &store, Datum id);

}  // namespace discovery
