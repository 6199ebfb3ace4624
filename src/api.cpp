#include "api.hpp"

#include "session.hpp"

namespace discovery {

namespace {

// The store that was found last, for as long as search_path and the catalogs stay as they were.
struct {
    bool is_valid;
    List *search_path;
    Store store;
    uint64 changes;  // of the catalogs, so far
} found_store;

void forget_store() {
    found_store.is_valid = false;
    ++found_store.changes;
}

// What a store is depends on tables and schemas (any change of any is enough to
// look again), and the extension's version on its functions.
void forget_store_on_changes() {
    static bool is_registered = false;
    if (is_registered) return;
    auto on_syscache = [](Datum, int, uint32) { forget_store(); };
    CacheRegisterRelcacheCallback([](Datum, Oid) { forget_store(); }, Datum{});
    CacheRegisterSyscacheCallback(NAMESPACEOID, on_syscache, Datum{});
    CacheRegisterSyscacheCallback(PROCOID, on_syscache, Datum{});
    is_registered = true;
}

void remember_store(const Store &store, const List *search_path) {
    MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
    List *copy = list_copy(search_path);
    MemoryContextSwitchTo(caller);
    list_free(found_store.search_path);
    found_store.search_path = copy;
    found_store.store = store;
    found_store.is_valid = true;
}

}  // namespace

Store current_store() {
    forget_store_on_changes();
    AcceptInvalidationMessages();
    List *search_path = fetch_search_path(false);
    if (found_store.is_valid && equal(search_path, found_store.search_path)) return found_store.store;
    uint64 changes = found_store.changes;
    Store store = require_store(nullptr);
    Extension extension = read_extension();
    if (store.version == extension.version) {
        // Unless something changed while we looked.
        if (changes == found_store.changes) remember_store(store, search_path);
        return store;
    }
    const char *has = in_core([&] { return store.version.text(); })->c_str();
    const char *wants = in_core([&] { return extension.version.text(); })->c_str();
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("the store in schema \"%s\" has version %s, but this function is of version %s",
                   get_namespace_name(store.schema), has, wants),
            store.version < extension.version
                ? errhint("Bring it up: SELECT %s.discovery_upgrade('head', %s);", quoted_schema(extension.schema),
                          quote_literal_cstr(get_namespace_name(store.schema)))
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

Datum return_rows(FunctionCallInfo fcinfo, const char *sql, std::initializer_list<Argument> arguments) {
    Tuplestorestate *rows = begin_result(fcinfo);
    SPI_connect();
    Session session = enter();
    query(sql, arguments, false, rows);
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
