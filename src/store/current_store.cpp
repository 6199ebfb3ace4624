// Finds the current store, and caches it.
#include "store/current_store.hpp"

#include "store/citus.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "utils/inval.h"
}

namespace discovery {

namespace {

// The store that was found last. It is valid until search_path or the catalogs change.
struct {
    bool is_valid;
    List *search_path;
    Store store;
    uint64 changes;  // number of catalog changes so far
} found_store;

void forget_store() {
    found_store.is_valid = false;
    ++found_store.changes;
}

// Forgets the store after any change of a relation, schema or function. A store consists of tables
// in a schema. The functions change with the version of the extension.
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

// Citus runs a call whose argument is a query over distributed tables on the server of these tables, in a
// session of its own. The search_path there is that of the server, and Citus lets the call read no tables.
// Errors: 0A000 in such a session.
void refuse_session_of_citus() {
    if (!is_session_of_citus()) return;
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("this function cannot run on another server"),
            errdetail("Citus takes a call there if its argument is a query over the tables of a distributed store."),
            errhint("Run the query by itself, and call the function with its result."));
}

}  // namespace

Store current_store() {
    refuse_session_of_citus();
    forget_store_on_changes();
    AcceptInvalidationMessages();
    List *search_path = fetch_search_path(false);
    if (found_store.is_valid && equal(search_path, found_store.search_path)) return found_store.store;
    uint64 changes = found_store.changes;
    Store store = require_store(nullptr);
    Extension extension = read_extension();
    store.functions = extension.schema;
    if (store.version == extension.version) {
        // Do not cache the store if the catalogs changed during the lookup.
        if (changes == found_store.changes) remember_store(store, search_path);
        return store;
    }
    const char *has = text_of(store.version);
    const char *wants = text_of(extension.version);
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("the store in schema \"%s\" has version %s, but this function requires version %s",
                   get_namespace_name(store.schema), has, wants),
            store.version < extension.version
                ? errhint("Upgrade the store: SELECT %s.discovery_upgrade('head', %s);",
                          quoted_schema(extension.schema), quote_literal_cstr(get_namespace_name(store.schema)))
                : errhint("Update the extension: ALTER EXTENSION discovery UPDATE TO '%s';", has));
}

bool works_as_owner(const Store &store) {
    return store.owner != GetUserId() && superuser() && !superuser_arg(store.owner);
}

void hold_tables(const Store &store, core::Version latest) {
    constexpr struct {
        const char *name;
        core::Version since;
    } tables[] = {{"notebooks", {1, 0}},
                  {"sources", {1, 0}},
                  {"discovery_deletions", {1, 1}},
                  {"discovery_lost_files", {1, 1}},
                  {"outputs", {1, 2}},
                  {"discovery_trash", {1, 2}}};
    for (const auto &table : tables)
        if (table.since <= store.version ||
            (table.since <= latest && OidIsValid(get_relname_relid(table.name, store.schema))))
            hold_table(store, table.name, AccessShareLock);
}

}  // namespace discovery
