#include "session.hpp"

namespace discovery {
namespace {

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
    // A session may have turned these off for a load of its own.
    pin("session_replication_role", "origin");
    pin("check_function_bodies", "on");
    if (strcmp(GetConfigOption("lock_timeout", false, false), "0") == 0) pin("lock_timeout", "5s");
    return session;
}

void leave(const Session &session) {
    AtEOXact_GUC(false, session.settings_level);
    SetUserIdAndSecContext(session.user, session.security_context);
    creating_extension = session.creating_extension;
    CurrentExtensionObject = session.extension;
}

Argument oid_argument(Oid value) { return {OIDOID, ObjectIdGetDatum(value)}; }

Argument text_argument(std::string_view value) { return {TEXTOID, to_text(value)}; }

uint64 query(const char *sql, std::initializer_list<Argument> arguments, bool read_only) {
    constexpr size_t most = 8;
    Oid types[most] = {};
    Datum values[most] = {};
    char nulls[most] = {};
    int count = 0;
    Assert(arguments.size() <= most);
    for (const Argument &argument : arguments) {
        types[count] = argument.type;
        values[count] = argument.value;
        nulls[count++] = argument.is_null ? 'n' : ' ';
    }
    // The newest snapshot, as the catalog caches have: also at REPEATABLE READ,
    // and after DDL of ours in the same statement.
    if (read_only) PushActiveSnapshot(GetLatestSnapshot());
    int result = SPI_execute_with_args(sql, count, types, values, nulls, read_only, 0);
    if (read_only) PopActiveSnapshot();
    if (result < 0) elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
    return SPI_processed;
}

const char *result_text(uint64 row, int column) {
    return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1);
}

}  // namespace discovery
