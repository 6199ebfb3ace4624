// A statement that may fail for a known reason, and be taken back.
#pragma once

#include "server/guard.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace discovery {

/// Runs `statement`, which calls PostgreSQL and not the core, in a subtransaction.
/// Null if it went through; else its error, after all that it did was undone.
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

/// Runs `statement`, as error_of() does. False if a second live source of a content
/// was in its way (ix_sources_notebook_hash). Every other error goes on; one for
/// want of a right gets the hint.
template <class Statement>
bool unless_duplicate(Statement statement, const char *hint_for_rights = nullptr) {
    ErrorData *error = error_of(statement);
    if (error == nullptr) return true;
    bool is_duplicate = error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && error->constraint_name != nullptr &&
                        strcmp(error->constraint_name, "ix_sources_notebook_hash") == 0;
    if (error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE && error->hint == nullptr && hint_for_rights != nullptr)
        error->hint = pstrdup(hint_for_rights);
    if (!is_duplicate) ReThrowError(error);
    return false;
}

/// Runs `statement`, as error_of() does, and waits for no lock longer than a
/// millisecond, the least that lock_timeout can be. False if one was held longer.
template <class Statement>
bool unless_locked(Statement statement) {
    ErrorData *error = error_of([&] {
        // Until the end of the subtransaction.
        set_config_option("lock_timeout", "1ms", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
        statement();
    });
    if (error == nullptr) return true;
    if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE) ReThrowError(error);
    return false;
}

}  // namespace discovery
