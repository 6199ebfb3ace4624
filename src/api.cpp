#include "api.hpp"

#include "session.hpp"

namespace discovery {

Store current_store() {
    Store store = require_store(nullptr);
    Extension extension = read_extension();
    if (store.version == extension.version) return store;
    const char *has = in_core([&] { return store.version.text(); })->c_str();
    const char *wants = in_core([&] { return extension.version.text(); })->c_str();
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("the store in schema \"%s\" has version %s, but this function is of version %s",
                   get_namespace_name(store.schema), has, wants),
            store.version < extension.version
                ? errhint("Bring it up: SELECT %s.discovery_upgrade();", quoted_schema(extension.schema))
                : errhint("Bring up the extension: ALTER EXTENSION discovery UPDATE TO '%s';", has));
}

const char *placed(const char *sql, const Store &store) {
    const char *schema = quoted_schema(store.schema);
    StringInfoData result;
    initStringInfo(&result);
    constexpr const char *mark = "@store@";
    for (const char *found; (found = strstr(sql, mark)) != nullptr; sql = found + strlen(mark)) {
        appendBinaryStringInfo(&result, sql, static_cast<int>(found - sql));
        appendStringInfoString(&result, schema);
    }
    appendStringInfoString(&result, sql);
    return result.data;
}

void put_rows(FunctionCallInfo fcinfo) {
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    for (uint64 row = 0; row < SPI_processed; ++row) tuplestore_puttuple(result->setResult, SPI_tuptable->vals[row]);
}

Datum return_rows(FunctionCallInfo fcinfo, const char *sql, std::initializer_list<Argument> arguments) {
    InitMaterializedSRF(fcinfo, 0);
    SPI_connect();
    Session session = enter();
    query(sql, arguments, false);
    put_rows(fcinfo);
    leave(session);
    SPI_finish();
    return Datum{};
}

Argument argument(FunctionCallInfo fcinfo, int number, Oid type) {
    return {type, PG_ARGISNULL(number) ? Datum{} : PG_GETARG_DATUM(number), PG_ARGISNULL(number)};
}

const char *name_argument(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? nullptr : NameStr(*PG_GETARG_NAME(number));
}

void require_argument(FunctionCallInfo fcinfo, int number, const char *name) {
    if (PG_ARGISNULL(number))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name));
}

bool is_second_word(FunctionCallInfo fcinfo, int number, const char *name, const char *first, const char *second) {
    require_argument(fcinfo, number, name);
    const char *word = text_to_cstring(PG_GETARG_TEXT_PP(number));
    if (strcmp(word, first) == 0) return false;
    if (strcmp(word, second) == 0) return true;
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid value for %s: \"%s\"", name, word),
            errhint("It must be %s or %s.", first, second));
}

}  // namespace discovery
