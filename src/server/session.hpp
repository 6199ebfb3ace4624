// Whose rights a piece of work has, and with which settings.
#pragma once

#include "server/guard.hpp"

extern "C" {
#include "commands/extension.h"
}

namespace discovery {

/// What leave() puts back. An error needs no leave(): the abort of the
/// (sub)transaction restores the same state.
struct Session {
    Oid user;
    int security_context;
    int settings_level;
    bool creating_extension;
    Oid extension;
};

/// Pins search_path to pg_catalog and what else changes how our own queries
/// are read and how PostgreSQL prints objects. Keeps the identity.
Session enter();

/// The same as another role, for DDL and data of a store: nothing of that role
/// outlives the session or sees more rights than its own, its row security does
/// not hide rows from it, and what is created is no member of an extension. Locks
/// are waited for as limit_lock_waits() says.
Session enter_as(Oid role);

/// Inside enter(): a lock is waited for 5 s where lock_timeout says for ever,
/// so that our wait does not make everyone else wait behind it.
void limit_lock_waits();

/// Inside enter(): a query from which row security would hide rows is an error.
void set_row_security_off();

/// Inside enter(): search_path is the quoted schema, before pg_catalog and pg_temp.
void set_search_path(const char *schema);

void leave(const Session &session);

/// Takes a lock; if lock_timeout ends the wait, says for `what`, and `why`.
template <class Lock>
void lock_or_explain(const char *const what, const char *const why, Lock lock) {
    MemoryContext context = CurrentMemoryContext;
    PG_TRY();
    { lock(); }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        ErrorData *cause = CopyErrorData();
        if (cause->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE) PG_RE_THROW();
        FlushErrorState();
        ereport(ERROR, errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("could not lock %s within lock_timeout", what),
                errdetail("%s", why), errhint("Try again later, or SET lock_timeout to wait longer."));
    }
    PG_END_TRY();
}

/// For a trigger: the identity alone, as foreign keys take that of the table's
/// owner. Nothing outlives stop_acting(), which an error makes needless.
struct Identity {
    Oid user;
    int security_context;
};
Identity act_as(Oid role);
void stop_acting(const Identity &identity);

/// Tells transactions of this backend apart.
LocalTransactionId this_transaction();

}  // namespace discovery
