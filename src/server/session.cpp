// Sets and restores the current user and the settings.
#include "server/session.hpp"

extern "C" {
#include "commands/extension.h"
#include "storage/proc.h"
#include "utils/guc.h"
}

namespace discovery {
namespace {

// Sets a setting until leave().
void pin(const char *name, const char *value) {
    set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

}  // namespace

Session save_session() {
    Session session;
    GetUserIdAndSecContext(&session.user, &session.security_context);
    session.creating_extension = creating_extension;
    session.extension = CurrentExtensionObject;
    session.settings_level = NewGUCNestLevel();
    return session;
}

Session enter() {
    Session session = save_session();
    pin("search_path", "pg_catalog, pg_temp");
    pin("quote_all_identifiers", "off");
    pin("DateStyle", "ISO");
    pin("IntervalStyle", "postgres");
    pin("bytea_output", "hex");
    return session;
}

Session enter_as(Oid role) {
    Session session = enter();
    SetUserIdAndSecContext(role, session.security_context | SECURITY_RESTRICTED_OPERATION |
                                     SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    creating_extension = false;
    CurrentExtensionObject = InvalidOid;
    // The session may have changed these two, for example to load data.
    pin("session_replication_role", "origin");
    pin("check_function_bodies", "on");
    limit_lock_waits();
    return session;
}

void limit_lock_waits() {
    if (LockTimeout == 0) pin("lock_timeout", "5s");
}

void set_row_security_off() { pin("row_security", "off"); }

void set_search_path(const char *search_path) { pin("search_path", search_path); }

Session act_as(Oid role, const char *search_path, Deferred deferred) {
    Session session = save_session();
    SetUserIdAndSecContext(role, session.security_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS |
                                     (deferred == Deferred::forbidden ? SECURITY_RESTRICTED_OPERATION : 0));
    set_search_path(search_path);
    return session;
}

void leave(const Session &session) {
    AtEOXact_GUC(false, session.settings_level);
    SetUserIdAndSecContext(session.user, session.security_context);
    creating_extension = session.creating_extension;
    CurrentExtensionObject = session.extension;
}

void require_read_committed(const char *action) {
    if (!IsolationUsesXactSnapshot()) return;
    ereport(ERROR, errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
            errmsg("cannot %s in a transaction with isolation level %s", action,
                   GetConfigOption("transaction_isolation", false, false)),
            errdetail("What other transactions have committed since its snapshot would be missed."),
            errhint("Use a transaction with isolation level READ COMMITTED."));
}

}  // namespace discovery
