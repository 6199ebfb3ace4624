// Soft delete and its undoing: delete_source(s), restore_source(s).
#include "soft_delete.hpp"

#include "session.hpp"
#include "subtransaction.hpp"

extern "C" {
#include "utils/array.h"
}

namespace discovery {
namespace {

constexpr int most_attempts = 100;

[[noreturn]] void raise_unknown(const char *ids) {
    ereport(ERROR, errcode(ERRCODE_NO_DATA_FOUND), errmsg("there are sources that do not exist"),
            errdetail("Unknown: %s.", ids));
}

// Locks the sources in the order of their ids, and makes sure that they are all there.
void lock_sources(const Store &store, Argument ids) {
    query(placed("SELECT count(*) FROM (SELECT FROM @store@.sources WHERE id = ANY ($1)"
                 " ORDER BY id FOR NO KEY UPDATE) AS locked", store), {ids}, false);
    int64 locked = DatumGetInt64(result_datum(0, 0, &ids.is_null));
    query("SELECT count(DISTINCT id) FROM unnest($1) AS given (id)", {ids}, false);
    if (DatumGetInt64(result_datum(0, 0, &ids.is_null)) == locked) return;
    // Ten of them tell enough.
    query(placed("SELECT string_agg(id::text, ', ') || CASE WHEN count(*) > 10 THEN ', ...' ELSE '' END"
                 " FROM (SELECT id FROM unnest($1) AS given (id)"
                 " EXCEPT SELECT id FROM @store@.sources WHERE id = ANY ($1) ORDER BY id LIMIT 11) AS unknown", store),
          {ids}, false);
    const char *unknown = result_text(0, 0);
    raise_unknown(unknown ? unknown : "deleted for good just now");
}

Datum delete_ids(FunctionCallInfo fcinfo, Argument ids) {
    PreventCommandIfReadOnly("delete_sources()");
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    Store store = current_store();
    const char *reason = PG_ARGISNULL(1) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(1));
    MemoryContext caller = CurrentMemoryContext;
    Datum values[2] = {};
    bool nulls[2] = {};

    SPI_connect();
    Session session = enter();
    lock_sources(store, ids);
    const Deletion *deletion = begin_call(reason);
    PG_TRY();
    {
        uint64 deleted = query(placed("UPDATE @store@.sources SET deleted_at = timezone('UTC', now())"
                                      " WHERE id = ANY ($1) AND deleted_at IS NULL", store), {ids}, false);
        values[1] = Int32GetDatum(static_cast<int32>(deleted));
        nulls[0] = deleted == 0;
    }
    PG_FINALLY();
    {
        end_call();
    }
    PG_END_TRY();
    leave(session);
    SPI_finish();

    MemoryContextSwitchTo(caller);
    if (!nulls[0]) values[0] = to_datum(deletion->id);
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}

// Restores the deleted sources of a condition on $1.
Datum restore_where(FunctionCallInfo fcinfo, const Store &store, const char *condition) {
    bool keep_deleted = is_second_word(fcinfo, 1, "on_duplicate", "error", "keep_deleted");
    InitMaterializedSRF(fcinfo, 0);
    Argument which = argument(fcinfo, 0, UUIDOID);
    const char *lock = placed(psprintf("SELECT count(*) FROM (SELECT FROM @store@.sources WHERE %s"
                                       " AND deleted_at IS NOT NULL ORDER BY id FOR NO KEY UPDATE) AS locked", condition), store);
    const char *plan = restore_plan(store, condition);
    const char *obstacles = psprintf("SELECT id, name, twin_id, twin_name FROM (%s) AS plan"
                                     " WHERE outcome <> 'restored' LIMIT 1", plan);
    const char *update = psprintf("WITH plan AS MATERIALIZED (%s), changed AS ("
                                  " UPDATE %s.sources AS source SET deleted_at = NULL FROM plan"
                                  " WHERE source.id = plan.id AND plan.outcome = 'restored' RETURNING source.id)"
                                  " SELECT id, outcome FROM plan ORDER BY id", plan, quoted_schema(store.schema));
    SPI_connect();
    Session session = enter();
    for (int attempt = 1;; ++attempt) {
        CHECK_FOR_INTERRUPTS();
        query(lock, {which}, false);
        if (!keep_deleted && query(obstacles, {which}, false) > 0)
            ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
                    errmsg("cannot restore source \"%s\" because its content lives already", result_text(0, 1)),
                    errdetail("Source %s has a twin: source %s, \"%s\".", result_text(0, 0), result_text(0, 2),
                              result_text(0, 3)),
                    errhint("With on_duplicate => 'keep_deleted' such sources stay deleted."));
        if (unless_twin([&] { query(update, {which}, false); })) break;
        if (attempt == most_attempts)
            ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
                    errmsg("cannot restore because a content lives already"),
                    errdetail("You are not permitted to see its source."));
    }
    put_rows(fcinfo);
    leave(session);
    SPI_finish();
    return Datum{};
}

}  // namespace

const char *restore_plan(const Store &store, const char *condition) {
    return placed(psprintf(R"sql(
        SELECT batch.id, batch.notebook_id, batch.name::text AS name,
               CASE WHEN twin.id IS NULL THEN 'restored' ELSE 'kept_deleted' END AS outcome,
               twin.id AS twin_id, twin.name AS twin_name
        FROM (SELECT id, notebook_id, name, content_hash,
                     first_value(id) OVER twins AS first_id, first_value(name) OVER twins AS first_name
              FROM @store@.sources
              WHERE %s AND deleted_at IS NOT NULL
              WINDOW twins AS (PARTITION BY notebook_id, CASE content_hash WHEN '' THEN id::text ELSE content_hash END
                               ORDER BY created_at, id)) AS batch
        LEFT JOIN LATERAL (
            SELECT live.id, live.name::text FROM @store@.sources AS live
                WHERE live.notebook_id = batch.notebook_id AND live.content_hash = batch.content_hash
                  AND live.deleted_at IS NULL AND live.content_hash <> ''
            UNION ALL
            SELECT batch.first_id, batch.first_name::text WHERE batch.first_id <> batch.id
            LIMIT 1) AS twin ON true)sql", condition), store);
}

void require_deletion(const Store &store, Datum deletion) {
    SPI_connect();
    Session session = enter_as(store.owner);
    bool is_known = query(placed("SELECT FROM @store@.discovery_deletions WHERE id = $1", store),
                          {uuid_argument(deletion)}, false) > 0;
    leave(session);
    if (!is_known)
        ereport(ERROR, errcode(ERRCODE_NO_DATA_FOUND),
                errmsg("deletion %s does not exist", DatumGetCString(DirectFunctionCall1(uuid_out, deletion))));
    SPI_finish();
}

void require_source(const Store &store, Datum id) {
    SPI_connect();
    Session session = enter();
    if (query(placed("SELECT FROM @store@.sources WHERE id = $1", store), {uuid_argument(id)}, false) == 0)
        raise_unknown(DatumGetCString(DirectFunctionCall1(uuid_out, id)));
    leave(session);
    SPI_finish();
}

}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_delete_source) {
    require_argument(fcinfo, 0, "id");
    Datum id = PG_GETARG_DATUM(0);
    ArrayType *ids = construct_array(&id, 1, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR);
    return delete_ids(fcinfo, {UUIDARRAYOID, PointerGetDatum(ids)});
}

DISCOVERY_FUNCTION(discovery_delete_sources) {
    require_argument(fcinfo, 0, "ids");
    if (array_contains_nulls(PG_GETARG_ARRAYTYPE_P(0)))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("ids must not have null elements"));
    return delete_ids(fcinfo, argument(fcinfo, 0, UUIDARRAYOID));
}

DISCOVERY_FUNCTION(discovery_restore_source) {
    PreventCommandIfReadOnly("restore_source()");
    require_argument(fcinfo, 0, "id");
    Store store = current_store();
    require_source(store, PG_GETARG_DATUM(0));
    return restore_where(fcinfo, store, "id = $1");
}

DISCOVERY_FUNCTION(discovery_restore_sources) {
    PreventCommandIfReadOnly("restore_sources()");
    require_argument(fcinfo, 0, "deletion_id");
    Store store = current_store();
    require_deletion(store, PG_GETARG_DATUM(0));
    return restore_where(fcinfo, store, "deletion_id = $1");
}

DISCOVERY_FUNCTION(discovery_preview_restore) {
    require_argument(fcinfo, 0, "deletion_id");
    Store store = current_store();
    require_deletion(store, PG_GETARG_DATUM(0));
    return return_rows(fcinfo, psprintf("%s ORDER BY batch.id", restore_plan(store, "deletion_id = $1")),
                       {argument(fcinfo, 0, UUIDOID)});
}
