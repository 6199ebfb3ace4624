// Asks Citus about schemas and servers, and has it distribute a schema.
#include "store/citus.hpp"

#include "server/queries.hpp"
#include "server/session.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "commands/extension.h"
#include "utils/guc.h"
}

namespace discovery {
namespace {

// Calls `body` inside SPI_connect(), with our own settings and the caller's rights, and returns its result, which
// it makes in the caller's memory.
template <class Body>
auto asking(Body body) {
    MemoryContext caller = CurrentMemoryContext;
    SPI_connect();
    Session session = enter();
    auto result = body(caller);
    leave(session);
    SPI_finish();
    return result;
}

}  // namespace

bool has_citus() { return OidIsValid(get_extension_oid("citus", true)); }

// By the application_name that Citus gives its sessions.
bool is_session_of_citus() {
    constexpr const char *prefix = "citus_internal";
    return strncmp(application_name, prefix, strlen(prefix)) == 0;
}

bool is_distributed(Oid schema) {
    if (!has_citus()) return false;
    return asking([&](MemoryContext) {
        return query("SELECT FROM pg_dist_schema WHERE schemaid = $1", {oid_argument(schema)}) > 0;
    });
}

const char *node_of(const Store &store) {
    if (!OidIsValid(store.sources) || !has_citus()) return nullptr;
    return asking([&](MemoryContext caller) -> const char * {
        if (query("SELECT concat_ws(':', node.nodename, node.nodeport) FROM pg_dist_shard AS shard"
                  " JOIN pg_dist_placement AS placement USING (shardid)"
                  " JOIN pg_dist_node AS node USING (groupid)"
                  " WHERE shard.logicalrelid = $1 AND node.noderole = 'primary'",
                  {oid_argument(store.sources)}) == 0)
            return nullptr;
        return MemoryContextStrdup(caller, result_text(0, 0));
    });
}

void require_triggers() {
    asking([](MemoryContext) {
        if (query("SELECT string_agg(CASE WHEN success THEN 'It is off on ' || nodename || ':' || nodeport || '.'"
                  " ELSE nodename || ':' || nodeport || ' does not answer: ' || result END, E'\\n' ORDER BY nodeid)"
                  " FROM run_command_on_all_nodes('SHOW citus.enable_unsafe_triggers')"
                  " JOIN pg_dist_node USING (nodeid) WHERE NOT (success AND result = 'on') HAVING count(*) > 0",
                  {}, false) == 0)
            return true;
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("a distributed store requires citus.enable_unsafe_triggers on all servers"),
                errdetail("%s\nThe triggers of a store write only to tables of its own schema, which Citus keeps on"
                          " the same server.",
                          result_text(0, 0)),
                errhint("On each server: ALTER SYSTEM SET citus.enable_unsafe_triggers = on;"
                        " SELECT pg_reload_conf();"));
    });
}

Oid distribute_schema(const char *name) {
    if (!has_citus())
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("cannot create a distributed store because the database does not have Citus"),
                errhint("CREATE EXTENSION citus;"));
    Oid schema = get_namespace_oid(name, true);
    if (schema == read_extension().schema)
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot distribute the schema of the extension"),
                errdetail("Every server has its own schema \"%s\", with the functions.", name),
                errhint("Choose another schema."));
    return asking([&](MemoryContext) {
        if (query("SELECT FROM pg_dist_local_group WHERE groupid = 0") == 0)
            ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("a distributed store can only be created on the coordinator of Citus"));
        require_triggers();
        Store store;
        if (OidIsValid(schema) && !is_distributed(schema) && find_store(schema, &store))
            ereport(ERROR, errcode(ERRCODE_DUPLICATE_TABLE), errmsg("schema \"%s\" already has a store", name),
                    errhint("Distribute it: SELECT citus_schema_distribute(%s);", quote_literal_cstr(name)));
        if (!OidIsValid(schema)) query(psprintf("CREATE SCHEMA %s", quoted(name)), {}, false);
        schema = get_namespace_oid(name, false);
        if (!is_distributed(schema))
            query("SELECT citus_schema_distribute($1::oid::regnamespace)", {oid_argument(schema)}, false);
        return schema;
    });
}

}  // namespace discovery
