// A statement that may meet a second live source of a content, and be taken back.
#pragma once

#include "guard.hpp"

namespace discovery {

/// Runs `statement`, which calls PostgreSQL and not the core, in a
/// subtransaction. False if it violated ix_sources_notebook_hash: then nothing
/// of it stays. Every other error goes on, after the subtransaction is undone;
/// one for want of a right gets the hint.
template <class Statement>
bool unless_twin(Statement statement, const char *hint_for_rights = nullptr) {
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
    if (error == nullptr) return true;
    bool is_twin = error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && error->constraint_name != nullptr &&
                   strcmp(error->constraint_name, "ix_sources_notebook_hash") == 0;
    if (error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE && error->hint == nullptr && hint_for_rights != nullptr)
        error->hint = pstrdup(hint_for_rights);
    if (!is_twin) ReThrowError(error);
    return false;
}

}  // namespace discovery
