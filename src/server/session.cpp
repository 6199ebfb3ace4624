// Sets and restores the current user and the settings.
#include "server/session.hpp"

extern "C" {
#include "commands/extension.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/wait_event.h"
}

namespace discovery {
namespace {

// The settings that change how a statement is read, how PostgreSQL prints a definition, or what a
// statement of a step makes, with the values that our own statements expect.
constexpr struct {
    const char *name, *value;
} pinned[] = {
    {"search_path", "pg_catalog, pg_temp"},
    // How a statement is read
    {"standard_conforming_strings", "on"},
    {"escape_string_warning", "off"},
    {"backslash_quote", "safe_encoding"},
    {"transform_null_equals", "off"},
    {"array_nulls", "on"},
    {"xmloption", "content"},
    // How a definition is printed
    {"quote_all_identifiers", "off"},
    {"DateStyle", "ISO"},
    {"IntervalStyle", "postgres"},
    {"bytea_output", "hex"},
    {"xmlbinary", "base64"},
    {"extra_float_digits", "1"},
    {"lc_monetary", "C"},
};

}  // namespace

void pin(const char *name, const char *value) {
    set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void pause(long milliseconds) {
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
}

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
    for (auto [name, value] : pinned) pin(name, value);
    return session;
}

const char *quoted(const char *name) {
    bool quotes_all = quote_all_identifiers;
    quote_all_identifiers = false;
    const char *result = quote_identifier(name);
    quote_all_identifiers = quotes_all;
    return result;
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

void hide_notices() {
    if (client_min_messages < WARNING) pin("client_min_messages", "warning");
}

void set_time_zone() { pin("TimeZone", "UTC"); }

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
