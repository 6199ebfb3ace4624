// What soft delete, its undoing and the purge share.
#pragma once

#include "api.hpp"
#include "deletions.hpp"

namespace discovery {

/// After a twin was in the way that a look before had not shown: above READ
/// COMMITTED it is outside of the snapshot for ever, so that a further attempt
/// is vain. Errors: 40001.
void require_new_snapshot();

/// A query for the deleted sources of a condition on $1: id, notebook_id, name,
/// outcome ('restored', or 'kept_deleted' where a twin stands in the way), and
/// the twin's id and name.
const char *restore_plan(const Store &store, const char *condition);

/// Keeps the notebooks (uuid[]) from being deleted until the transaction ends. Whoever
/// deletes a notebook locks it before its sources; so must we, who change a
/// source before its notebook's count, or the two of us could wait for each other.
void lock_notebooks(const Store &store, Argument ids);

/// Raises P0002 if there is no such deletion in the log; needs no right on it.
void require_deletion(const Store &store, Datum deletion);

/// Raises P0002 if there is no such source that the caller can see.
void require_source(const Store &store, Datum id);

}  // namespace discovery
