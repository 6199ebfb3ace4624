// Soft delete and its undoing: delete_source(s), restore_source(s).
#include "soft_delete.hpp"

#include "session.hpp"
#include "subtransaction.hpp"

namespace discovery {
namespace {

constexpr int most_attempts = 100;

[[noreturn]] void raise_unknown(const char *ids) {
    ereport(ERROR, errcode(ERRCODE_NO_DATA_FOUND), errmsg("there are sources that do not exist"),
            errdetail("Unknown: %s.", ids));
}

// The notebooks of the sources of a condition on $1, those that the caller may see.
void lock_notebooks_where(const Store &store, const char *condition, Argument which) {
    query(placed(psprintf("SELECT coalesce(array_agg(DISTINCT notebook_id), '{}') FROM @store@.sources WHERE %s", condition), store),
          {which}, false);
    lock_notebooks(store, {UUIDARRAYOID, result_datum(0, 0, &which.is_null)});
}

// Locks the sources in the order of their ids, and makes sure that they are all there.
void lock_sources(const Store &store, Argument ids) {
    lock_notebooks_where(store, "id = ANY ($1) AND deleted_at IS NULL", ids);
    query(placed("SELECT count(*) FROM (SELECT FROM @store@.sources WHERE id = ANY ($1)"
                 " ORDER BY id FOR NO KEY UPDATE) AS locked", store), {ids}, false);
    int64 locked = DatumGetInt64(result_datum(0, 0, &ids.is_null));
    query("SELECT count(DISTINCT id) FROM unnest($1) AS given (id)", {ids}, false);
    if (DatumGetInt64(result_datum(0, 0, &ids.is_null)) == locked) return;
    // Ten of them tell enough.
    query(placed("SELECT string_agg(id::text, ', ' ORDER BY id) FILTER (WHERE number <= 10)"
                 " || CASE WHEN count(*) > 10 THEN ' and ' || count(*) - 10 || ' more' ELSE '' END"
                 " FROM (SELECT id, row_number() OVER (ORDER BY id) AS number"
                 " FROM (SELECT id FROM unnest($1) AS given (id)"
                 " EXCEPT SELECT id FROM @store@.sources WHERE id = ANY ($1)) AS missing) AS unknown", store),
          {ids}, false);
    if (const char *unknown = result_text(0, 0)) raise_unknown(unknown);
    // They are to be seen, and policies keep them from being locked.
    ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("there are sources that you may not change"));
}

Datum delete_ids(FunctionCallInfo fcinfo, Argument ids) {
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    Store store = current_store();
    const char *reason = PG_ARGISNULL(1) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(1));
    const char *sql = placed("UPDATE @store@.sources SET deleted_at = pg_catalog.timezone('UTC', pg_catalog.now())"
                             " WHERE id OPERATOR(pg_catalog.=) ANY ($1) AND deleted_at IS NULL", store);
    MemoryContext caller = CurrentMemoryContext;
    Datum values[2] = {};
    bool nulls[2] = {};

    SPI_connect();
    Session session = enter();
    lock_sources(store, ids);
    leave(session);
    // Triggers of the user's run under the search_path that they run under always.
    Call call = begin_call(reason);
    PG_TRY();
    {
        uint64 deleted = run_saved(sql, {ids});
        values[1] = Int32GetDatum(static_cast<int32>(deleted));
        nulls[0] = deleted == 0;
    }
    PG_FINALLY();
    {
        end_call(call);
    }
    PG_END_TRY();
    SPI_finish();

    MemoryContextSwitchTo(caller);
    if (!nulls[0]) values[0] = to_datum(call.deletion->id);
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}

// Those of the plan's rows, in SPI_tuptable, that are to be restored. One that has a
// twin is put out as kept, if it may stay. Errors: 23505 if it may not.
Argument restored_ids(FunctionCallInfo fcinfo, uint64 rows, bool keep_deleted) {
    auto *ids = static_cast<Datum *>(palloc_extended(sizeof(Datum) * (rows + 1), MCXT_ALLOC_HUGE));
    int count = 0;
    for (uint64 row = 0; row < rows; ++row) {
        bool is_null, nulls[2];
        result_datum(row, 3, &is_null);
        Datum id = result_datum(row, 0, &nulls[0]);
        if (is_null) {
            ids[count++] = id;
        } else if (keep_deleted) {
            Datum values[] = {id, result_datum(row, 1, &nulls[1])};
            put_row(fcinfo, values, nulls);
        } else {
            ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
                    errmsg("cannot restore source \"%s\" because its content lives already", result_text(row, 2)),
                    errdetail("Source %s has a twin: source %s, \"%s\".", result_text(row, 0), result_text(row, 3),
                              result_text(row, 4)),
                    errhint("With on_duplicate => 'keep_deleted' such sources stay deleted."));
        }
    }
    return {UUIDARRAYOID, PointerGetDatum(construct_array(ids, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR))};
}

// Restores the deleted sources of a condition on $1, those that the caller may
// change; returns how many there were.
uint64 restore_where(FunctionCallInfo fcinfo, const Store &store, const char *condition) {
    bool keep_deleted = is_second_word(fcinfo, 1, "on_duplicate", "error", "keep_deleted");
    Tuplestorestate *result = begin_result(fcinfo);
    Argument which = argument(fcinfo, 0, UUIDOID);
    // Rows are locked in the order of their ids, and take their place in the unique
    // index in that of its key, as others that write many do: no two wait for each other.
    const char *lock = placed(psprintf(R"sql(
        SELECT coalesce(array_agg(id ORDER BY notebook_id, content_hash COLLATE "C"), '{}')
        FROM (SELECT id, notebook_id, content_hash FROM @store@.sources
              WHERE %s AND deleted_at IS NOT NULL ORDER BY id FOR NO KEY UPDATE) AS locked)sql", condition), store);
    const char *plan = psprintf("SELECT id, outcome, name, twin_id, twin_name"
                                " FROM (%s ORDER BY batch.notebook_id, batch.content_hash COLLATE \"C\", batch.id) AS plan",
                                restore_plan(store, "id = ANY ($1)"));
    const char *update = placed("UPDATE @store@.sources AS source SET deleted_at = NULL"
                                " FROM pg_catalog.unnest($1) AS chosen (id) WHERE source.id OPERATOR(pg_catalog.=) chosen.id"
                                // A trigger of the user's may have kept it.
                                " RETURNING source.id, CASE WHEN source.deleted_at IS NULL THEN 'restored'::pg_catalog.text"
                                " ELSE 'kept_deleted' END", store);
    uint64 rows;
    SPI_connect();
    Session session = enter();
    lock_notebooks_where(store, psprintf("%s AND deleted_at IS NOT NULL", condition), which);
    leave(session);
    for (int attempt = 1;; ++attempt) {
        CHECK_FOR_INTERRUPTS();
        session = enter();
        query(lock, {which}, false);
        Argument locked = {UUIDARRAYOID, result_datum(0, 0, &which.is_null)};
        if (attempt == 1) {
            // Mostly nothing is in the way; to look first would cost as much again.
            leave(session);
            if (unless_twin([&] { rows = run_saved(update, {locked}, nullptr, result); })) break;
            tuplestore_clear(result);
            session = enter();
        }
        rows = query(plan, {locked}, false);
        Argument restored = restored_ids(fcinfo, rows, keep_deleted);
        // Triggers of the user's run under the search_path that they run under always.
        leave(session);
        if (unless_twin([&] { run_saved(update, {restored}, nullptr, result); })) break;
        tuplestore_clear(result);
        require_new_snapshot();
        if (attempt == most_attempts)
            ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
                    errmsg("cannot restore because a content lives already"),
                    errdetail("You are not permitted to see its source."));
    }
    SPI_finish();
    return rows;
}

}  // namespace

void lock_notebooks(const Store &store, Argument ids) {
    // As foreign keys do it: nobody needs a right on notebooks for it.
    hold_table(store, "notebooks", RowShareLock);
    Identity identity = act_as(store.owner);
    run_saved(placed("SELECT FROM @store@.notebooks WHERE id OPERATOR(pg_catalog.=) ANY ($1)"
                     " ORDER BY id USING OPERATOR(pg_catalog.<) FOR KEY SHARE", store), {ids});
    stop_acting(identity);
}

void require_new_snapshot() {
    if (IsolationUsesXactSnapshot())
        ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                errmsg("could not serialize access due to concurrent update"),
                errdetail("Another transaction has added a source of the same content."));
}

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
    hold_table(store, "discovery_deletions", AccessShareLock);
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
    PreventCommandIfReadOnly("delete_source()");
    require_argument(fcinfo, 0, "id");
    Datum id = PG_GETARG_DATUM(0);
    ArrayType *ids = construct_array(&id, 1, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR);
    return delete_ids(fcinfo, {UUIDARRAYOID, PointerGetDatum(ids)});
}

DISCOVERY_FUNCTION(discovery_delete_sources) {
    PreventCommandIfReadOnly("delete_sources()");
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
    // One that lives is no error; one that was removed while we waited for it is.
    if (restore_where(fcinfo, store, "id = $1") == 0) require_source(store, PG_GETARG_DATUM(0));
    return Datum{};
}

DISCOVERY_FUNCTION(discovery_restore_sources) {
    PreventCommandIfReadOnly("restore_sources()");
    require_argument(fcinfo, 0, "deletion_id");
    Store store = current_store();
    require_deletion(store, PG_GETARG_DATUM(0));
    restore_where(fcinfo, store, "deletion_id = $1");
    return Datum{};
}

DISCOVERY_FUNCTION(discovery_preview_restore) {
    require_argument(fcinfo, 0, "deletion_id");
    Store store = current_store();
    require_deletion(store, PG_GETARG_DATUM(0));
    return return_rows(fcinfo, psprintf("%s ORDER BY batch.id", restore_plan(store, "deletion_id = $1")),
                       {argument(fcinfo, 0, UUIDOID)});
}
