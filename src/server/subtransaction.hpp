// Runs a statement in a subtransaction, which is rolled back if the statement fails.
#pragma once

#include "server/guard.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace discovery {

/// Runs `statement` in a subtransaction. `statement` may call PostgreSQL but not in_core(). Returns
/// null if it succeeds. If it fails, rolls back the subtransaction and returns the error, in the
/// caller's memory context.
template <class Statement>
ErrorData *error_of(Statement statement) {
    MemoryContext context = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    ErrorData *volatile error = nullptr;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(context);
    PG_TRY();
    {
        statement();
        ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        error = CopyErrorData();
        FlushErrorState();
        RollbackAndReleaseCurrentSubTransaction();
    }
    PG_END_TRY();
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    return error;
}

/// Whether the error says that a second live source of a content is not possible: it comes from the
/// unique index ix_sources_notebook_hash.
inline bool is_duplicate(const ErrorData &error) {
    return error.sqlerrcode == ERRCODE_UNIQUE_VIOLATION && error.constraint_name != nullptr &&
           strcmp(error.constraint_name, "ix_sources_notebook_hash") == 0;
}

/// Runs `statement` like error_of(). Returns false if it violates ix_sources_notebook_hash, that
/// is, if the notebook has another live source with the same content. Raises every other error
/// again. A missing right (42501) without a hint gets `hint_for_rights`.
template <class Statement>
bool unless_duplicate(Statement statement, const char *hint_for_rights = nullptr) {
    ErrorData *error = error_of(statement);
    if (error == nullptr) return true;
    if (error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE && error->hint == nullptr && hint_for_rights != nullptr)
        error->hint = pstrdup(hint_for_rights);
    if (!is_duplicate(*error)) ReThrowError(error);
    return false;
}

/// Runs `statement` like error_of(), with a lock_timeout of one millisecond, the shortest possible.
/// Returns false if a lock was not available in that time. Raises every other error again.
template <class Statement>
bool unless_locked(Statement statement) {
    ErrorData *error = error_of([&] {
        // The end of the subtransaction restores the setting.
        set_config_option("lock_timeout", "1ms", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
        statement();
    });
    if (error == nullptr) return true;
    if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE) ReThrowError(error);
    return false;
}

}  // namespace discovery
