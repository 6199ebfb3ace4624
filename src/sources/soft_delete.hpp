// Locks and checks that soft delete, restore and purge share.
#pragma once

#include "server/queries.hpp"
#include "store/current_store.hpp"

namespace discovery {

/// Call this after a duplicate prevented an update although an earlier query did not find it. Above
/// READ COMMITTED the duplicate stays outside the snapshot, so another attempt cannot succeed.
/// Errors: 40001 above READ COMMITTED.
void require_new_snapshot();

/// Prevents the deletion of the notebooks (uuid[]) until the transaction ends. A session that
/// deletes a notebook locks it before its sources. We update a source before the count of its
/// notebook, so without this lock the two sessions could deadlock.
/// Errors: 55000 notebooks is not a plain table of the store's owner.
void lock_notebooks(const Store &store, Argument ids);

/// The same for the notebooks of the rows of `table`, sources or outputs, that satisfy a condition on $1 and that the
/// caller can see. The condition qualifies every operator.
void lock_notebooks_where(const Store &store, const char *table, const char *condition, Argument which);

/// Raises P0002 with these ids, a comma-separated list, as the unknown sources.
[[noreturn]] void raise_unknown(const char *ids);

/// Raises 23505: a source cannot be restored beside an identical one.
[[noreturn]] void raise_identical(const char *name, const char *detail);

/// Raises P0002 if the log has no such deletion. The caller needs no privilege on the log.
void require_deletion(const Store &store, Datum deletion);

/// Raises P0002 if the caller can see no source with this id.
void require_source(const Store &store, Datum id);

}  // namespace discovery
