// delete_source() and delete_sources(): soft delete.
#include "server/arguments.hpp"
#include "server/result.hpp"
#include "sources/own_write.hpp"
#include "sources/soft_delete.hpp"

extern "C" {
#include "tcop/utility.h"
#include "executor/executor.h"
#include "utils/array.h"
#include "utils/datum.h"
}

namespace discovery {
namespace {

// Locks the sources in the order of their ids.
// Errors: P0002 some do not exist; 42501 a policy prevents locking some of them.
void lock_sources(const Store &store, Argument ids) {
    // The notebooks of all of them, live or not: a source may be restored before it is locked.
    lock_notebooks_where(store, "sources", "id OPERATOR(pg_catalog.=) ANY ($1)", ids);
    run_saved(placed("SELECT pg_catalog.count(*) FROM (SELECT FROM @store@.sources"
                     " WHERE id OPERATOR(pg_catalog.=) ANY ($1) ORDER BY id FOR NO KEY UPDATE) AS locked",
                     store),
              {ids});
    int64 locked = DatumGetInt64(result_datum(0, 0, INT8OID, &ids.is_null));
    run_saved("SELECT pg_catalog.count(DISTINCT id) FROM pg_catalog.unnest($1) AS given (id)", {ids});
    if (DatumGetInt64(result_datum(0, 0, INT8OID, &ids.is_null)) == locked) return;
    // List at most ten unknown ids.
    query(placed("SELECT pg_catalog.concat(pg_catalog.string_agg(id::pg_catalog.text, ', ' ORDER BY id)"
                 " FILTER (WHERE number OPERATOR(pg_catalog.<=) 10),"
                 " CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.>) 10"
                 " THEN pg_catalog.concat(' and ', pg_catalog.count(*) OPERATOR(pg_catalog.-) 10, ' more') END),"
                 " pg_catalog.count(*)"
                 " FROM (SELECT id, pg_catalog.row_number() OVER (ORDER BY id) AS number"
                 " FROM (SELECT id FROM pg_catalog.unnest($1) AS given (id)"
                 " EXCEPT SELECT id FROM @store@.sources WHERE id OPERATOR(pg_catalog.=) ANY ($1)) AS missing)"
                 " AS unknown",
                 store),
          {ids}, false);
    if (DatumGetInt64(result_datum(0, 1, INT8OID, &ids.is_null)) > 0) raise_unknown(result_text(0, 0));
    // All of them are visible, but policies prevent locking some.
    ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for some of the sources"));
}

// The first of the ids that a statement has returned, in CurrentMemoryContext.
Datum first_id(const Rows &ids, bool *is_null) {
    TupleTableSlot *slot = MakeSingleTupleTableSlot(ids.columns, &TTSOpsMinimalTuple);
    Datum id{};
    *is_null = true;
    if (tuplestore_gettupleslot(ids.store, true, false, slot)) id = slot_getattr(slot, 1, is_null);
    if (!*is_null) id = datumCopy(id, false, UUID_LEN);
    ExecDropSingleTupleTableSlot(slot);
    return id;
}

Datum delete_ids(FunctionCallInfo fcinfo, const Store &store, Argument ids) {
    const char *reason = PG_ARGISNULL(1) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(1));
    const char *sql =
        placed(psprintf("UPDATE @store@.sources AS source SET deleted_at = pg_catalog.timezone('UTC', pg_catalog.now())"
                        " WHERE source.id OPERATOR(pg_catalog.=) ANY ($1) AND source.deleted_at IS NULL AND %s"
                        " RETURNING source.deletion_id",
                        deletes_row),
               store);
    const Rows deletions{tuplestore_begin_heap(false, false, work_mem), CreateTemplateTupleDesc(1)};
    TupleDescInitEntry(deletions.columns, 1, "deletion_id", UUIDOID, -1, 0);
    uint64 deleted = 0;

    SPI_connect();
    lock_sources(store, ids);
    Call call = begin_call(reason);
    PG_TRY();
    {
        deleted = run_saved(sql, {ids, uuid_argument(to_datum(call.id)), text_argument(call.deletion->reason)}, nullptr,
                            deletions);
    }
    PG_FINALLY();
    { end_call(call); }
    PG_END_TRY();
    SPI_finish();

    bool nulls[2] = {};
    Datum values[] = {first_id(deletions, &nulls[0]), Int32GetDatum(static_cast<int32>(deleted))};
    tuplestore_end(deletions.store);
    // Not asked of the catalog: an update of the extension may have replaced the function since the call began.
    TupleDesc descriptor = CreateTemplateTupleDesc(2);
    TupleDescInitEntry(descriptor, 1, "deletion_id", UUIDOID, -1, 0);
    TupleDescInitEntry(descriptor, 2, "deleted", INT4OID, -1, 0);
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_delete_source) {
    PreventCommandIfReadOnly("delete_source()");
    require_argument(fcinfo, 0, "id");
    Datum id = PG_GETARG_DATUM(0);
    ArrayType *ids = construct_array(&id, 1, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR);
    Store store = current_store();
    return with_rights(store, [&] { return delete_ids(fcinfo, store, {UUIDARRAYOID, PointerGetDatum(ids)}); });
}

DISCOVERY_FUNCTION(discovery_delete_sources) {
    PreventCommandIfReadOnly("delete_sources()");
    require_argument(fcinfo, 0, "ids");
    if (array_contains_nulls(PG_GETARG_ARRAYTYPE_P(0)))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("ids must not have null elements"));
    Store store = current_store();
    return with_rights(store, [&] { return delete_ids(fcinfo, store, argument(fcinfo, 0, UUIDARRAYOID)); });
}
