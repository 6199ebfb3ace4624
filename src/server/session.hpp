// Sets the current user and the settings for the extension's own work.
#pragma once

#include "server/guard.hpp"

extern "C" {
#include "commands/extension.h"
}

namespace discovery {

/// The state that leave() restores. After an error, leave() is not necessary: the abort of the
/// (sub)transaction restores the same state.
struct Session {
    Oid user;
    int security_context;
    int settings_level;
    bool creating_extension;
    Oid extension;
};

/// Sets search_path to pg_catalog and pg_temp, and the other settings that affect how our queries
/// are read and how PostgreSQL prints objects. Does not change the current user. Returns the state
/// for leave().
Session enter();

/// Like enter(), but also changes the current user to `role`, for DDL and data of a store. Code of
/// that role has only the rights of the role, and none of its changes to the session outlive
/// leave(). The row security of the role's own tables does not hide rows from it, even with FORCE.
/// New objects do not become members of an extension. Lock waits are limited as by
/// limit_lock_waits().
Session enter_as(Oid role);

/// Returns the name, quoted if SQL requires it, whatever quote_all_identifiers is.
const char *quoted(const char *name);

/// Sets lock_timeout to 5 seconds until leave() if it is 0 (no limit). Other sessions queue behind
/// our lock request, so it must not wait without limit. Call after enter().
void limit_lock_waits();

/// Sets a setting until leave(), or until the subtransaction ends if it began after enter().
void pin(const char *name, const char *value);

/// Waits, and handles interrupts.
void pause(long milliseconds);

/// Saves the state for leave() and changes nothing. Settings that are changed from here on last
/// until leave().
Session save_session();

/// Keeps messages below WARNING from the client until leave(), as PostgreSQL does while it runs the script of an
/// extension: that something is skipped, because it is there already, is no news.
void hide_notices();

/// Sets TimeZone to UTC until leave(), for printing constants in definitions. Not part of enter(),
/// because triggers of users may run there. Call after enter().
void set_time_zone();

/// Makes queries fail with 42501, until leave(), if row security would hide rows from them. Call
/// after save_session().
void set_row_security_off();

/// Sets search_path, whose names the caller has quoted, until leave(). Call after save_session().
void set_search_path(const char *search_path);

/// Whether code that runs as another role may leave deferred triggers behind. They run at commit,
/// as the user of the session.
enum class Deferred { allowed, forbidden };

/// Changes the current user to `role` and sets search_path, as a SECURITY DEFINER function does, for
/// statements in which code of that role may run: triggers, rules, constraints, expressions of
/// indexes. No setting that this code changes outlives leave(). The row security of the role's own
/// tables does not hide rows from it, even with FORCE. With Deferred::forbidden the code can neither
/// queue a deferred trigger nor do what else a security-restricted operation forbids: use it unless
/// the statement belongs to a statement of the user.
Session act_as(Oid role, const char *search_path, Deferred deferred);

/// Restores the user and the settings from before save_session(), enter(), enter_as() or act_as().
void leave(const Session &session);

/// Calls `lock`, which takes a lock. If lock_timeout ends the wait, raises 55P03 with `what` (the
/// object) in the message and `why` as DETAIL. Other errors propagate unchanged.
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

/// Raises 25001 above READ COMMITTED: "cannot `action` ...". For work that looks at the rows of a
/// table and then relies on what it saw, although others may have committed since the snapshot.
void require_read_committed(const char *action);

}  // namespace discovery
