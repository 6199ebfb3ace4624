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

Session enter() {
    Session session;
    GetUserIdAndSecContext(&session.user, &session.security_context);
    session.creating_extension = creating_extension;
    session.extension = CurrentExtensionObject;
    session.settings_level = NewGUCNestLevel();
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

void set_search_path(const char *schema) { pin("search_path", psprintf("%s, pg_catalog, pg_temp", schema)); }

void leave(const Session &session) {
    AtEOXact_GUC(false, session.settings_level);
    SetUserIdAndSecContext(session.user, session.security_context);
    creating_extension = session.creating_extension;
    CurrentExtensionObject = session.extension;
}

Identity act_as(Oid role) {
    Identity identity;
    GetUserIdAndSecContext(&identity.user, &identity.security_context);
    SetUserIdAndSecContext(role, identity.security_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    return identity;
}

void stop_acting(const Identity &identity) { SetUserIdAndSecContext(identity.user, identity.security_context); }

LocalTransactionId this_transaction() {
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

}  // namespace discovery
