// discovery_version(), discovery_status() and discovery_shape(): describe the stores.
#include "server/arguments.hpp"
#include "server/result.hpp"
#include "store/citus.hpp"
#include "store/current_store.hpp"
#include "store/preparation.hpp"
#include "store/shape.hpp"
#include "store/store.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/fmgrprotos.h"
}

#include "core/state.hpp"

namespace discovery {
namespace {

// Whether a table has no pages. It does not wait for a lock: if another session has locked the
// table, the answer is false.
bool is_surely_empty(Oid table) {
    if (!ConditionalLockRelationOid(table, AccessShareLock)) return false;
    Relation relation = try_relation_open(table, NoLock);
    bool is_empty = relation != nullptr && RELKIND_HAS_STORAGE(relation->rd_rel->relkind) &&
                    RelationGetNumberOfBlocks(relation) == 0;
    if (relation != nullptr) relation_close(relation, NoLock);
    UnlockRelationOid(table, AccessShareLock);
    return is_empty;
}

// Sets `rows` to the number of live rows in the statistics system or, if that is 0 (as on a standby
// or after a crash), to the number that the last ANALYZE stored. It never waits for an upgrade.
// Returns false if the table does not exist, or if neither number is known.
bool estimate_rows(Oid table, int64 *rows) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(tuple)) return false;
    float4 analyzed = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->reltuples;
    ReleaseSysCache(tuple);
    *rows = DatumGetInt64(DirectFunctionCall1(pg_stat_get_live_tuples, ObjectIdGetDatum(table)));
    if (*rows == 0 && analyzed > 0) *rows = static_cast<int64>(analyzed);
    return *rows > 0 || analyzed == 0 || is_surely_empty(table);
}

// How many tasks the preparation of the store has, and how many are done; none if it is not prepared, or if
// it is being upgraded at this moment.
struct Prepared {
    int done, tasks;
};
Prepared preparation_of(const core::Migrations *migrations, const Store &store) {
    Prepared prepared{0, 0};
    if (store.version.is_base() || !store.is_complete() || !has_preparation(store)) return prepared;
    const core::Step *step = next_step(migrations, store);
    if (step == nullptr) return prepared;
    ListCell *cell;
    foreach (cell, preparatory_tasks(migrations, store, step, false)) {
        ++prepared.tasks;
        if (static_cast<PreparatoryTask *>(lfirst(cell))->is_done) ++prepared.done;
    }
    return prepared;
}

void put_status(FunctionCallInfo fcinfo, const Extension &extension, const core::Migrations *migrations,
                const Store &store) {
    enum {
        schema,
        owner,
        store_version,
        extension_version,
        newest_version,
        state,
        notebooks,
        sources,
        next_step,
        edition,
        node,
        columns
    };
    Datum values[columns] = {};
    bool nulls[columns] = {};

    const char *name = get_namespace_name(store.schema);
    if (name == nullptr) return;  // the schema was dropped just now
    const char *functions = quoted_schema(extension.schema);
    core::Version newest = migrations->newest();
    bool guarded = !store.is_complete() || is_guarded(migrations, store);
    bool reattachable = !guarded && can_reattach(migrations, store);
    Prepared prepared = preparation_of(migrations, store);
    const core::StoreState *judged = in_core([&] {
        return core::judge({name, functions, store.version, store.is_complete(), guarded, reattachable,
                            extension.version, newest, prepared.done, prepared.tasks});
    });
    auto version = [](core::Version of) { return to_text(text_of(of)); };

    values[schema] = DirectFunctionCall1(namein, CStringGetDatum(name));
    nulls[owner] = nulls[store_version] = store.version.is_base();
    if (!store.version.is_base()) {
        values[owner] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(store.owner, false)));
        values[store_version] = version(store.version);
    }
    values[extension_version] = version(extension.version);
    values[newest_version] = version(newest);
    values[state] = to_text(judged->state);
    const char *where = node_of(store);
    // This server has no rows of a distributed store.
    int64 rows = 0;
    nulls[notebooks] = where != nullptr || !estimate_rows(store.notebooks, &rows);
    values[notebooks] = Int64GetDatum(rows);
    nulls[sources] = where != nullptr || !estimate_rows(store.sources, &rows);
    values[sources] = Int64GetDatum(rows);
    values[next_step] = to_text(judged->next_step);
    values[edition] = to_text("native");
    nulls[node] = where == nullptr;
    if (where != nullptr) values[node] = to_text(where);
    put_row(fcinfo, values, nulls);
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_version) {
    Store store = require_store(name_argument(fcinfo, 0));
    PG_RETURN_DATUM(to_text(text_of(store.version)));
}

DISCOVERY_FUNCTION(discovery_status) {
    begin_result(fcinfo);
    Extension extension = read_extension();
    const core::Migrations *migrations = shipped_migrations();
    Store store;
    if (!find_store(extension.schema, &store)) {
        store = Store{};
        store.schema = extension.schema;
        put_status(fcinfo, extension, migrations, store);
    }
    ListCell *cell;
    foreach (cell, schemas_with_record())
        if (find_store(lfirst_oid(cell), &store)) put_status(fcinfo, extension, migrations, store);
    PG_RETURN_NULL();
}

DISCOVERY_FUNCTION(discovery_shape) {
    begin_result(fcinfo);
    Store store = require_store(name_argument(fcinfo, 0));
    const core::Shape *shape = read_shape(store.schema);
    for (const core::Object &object : *shape) {
        Datum line = to_text(*in_core([&] { return core::describe(object); }));
        bool is_null = false;
        put_row(fcinfo, &line, &is_null);
    }
    PG_RETURN_NULL();
}
