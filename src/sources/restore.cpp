// restore_source(), restore_sources() and preview_restore(): undo a soft delete.
#include "server/arguments.hpp"
#include "server/result.hpp"
#include "server/session.hpp"
#include "server/subtransaction.hpp"
#include "sources/soft_delete.hpp"

extern "C" {
#include "tcop/utility.h"
#include "utils/array.h"
}

namespace discovery {
namespace {

constexpr int most_attempts = 100;

// A query for the soft-deleted sources that satisfy a condition on $1. Its columns: id,
// notebook_id, name, outcome ('restored', or 'kept_deleted' if there is a duplicate), and the id
// and name of the duplicate.
const char *restore_plan(const Store &store, const char *condition) {
    return placed(psprintf(R"sql(
        SELECT batch.id, batch.notebook_id, batch.name::text AS name,
               CASE WHEN duplicate.id IS NULL THEN 'restored' ELSE 'kept_deleted' END AS outcome,
               duplicate.id AS duplicate_id, duplicate.name AS duplicate_name
        FROM (SELECT id, notebook_id, name, content_hash,
                     first_value(id) OVER duplicates AS first_id, first_value(name) OVER duplicates AS first_name
              FROM @store@.sources
              WHERE %s AND deleted_at IS NOT NULL
              WINDOW duplicates AS (PARTITION BY notebook_id, CASE content_hash WHEN '' THEN id::text ELSE content_hash END
                               ORDER BY created_at, id)) AS batch
        LEFT JOIN LATERAL (
            SELECT live.id, live.name::text FROM @store@.sources AS live
                WHERE live.notebook_id = batch.notebook_id AND live.content_hash = batch.content_hash
                  AND live.deleted_at IS NULL AND live.content_hash <> ''
            UNION ALL
            SELECT batch.first_id, batch.first_name::text WHERE batch.first_id <> batch.id
            LIMIT 1) AS duplicate ON true)sql",
                           condition),
                  store);
}

// Returns the ids of the plan's rows, in SPI_tuptable, that have no duplicate. With `keep_deleted`,
// the other rows are put into the result as kept.
// Errors: 23505 if there is a duplicate and not `keep_deleted`.
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
                    errmsg("cannot restore source \"%s\" because an identical source already exists in the notebook",
                           result_text(row, 2)),
                    errdetail("Source %s is identical to source %s, \"%s\".", result_text(row, 0), result_text(row, 3),
                              result_text(row, 4)),
                    errhint("Use on_duplicate => 'keep_deleted' to leave such sources deleted."));
        }
    }
    return {UUIDARRAYOID, PointerGetDatum(construct_array(ids, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR))};
}

// Restores the soft-deleted sources that satisfy a condition on $1 and that the caller may update.
// Returns their number.
uint64 restore_where(FunctionCallInfo fcinfo, const Store &store, const char *condition) {
    bool keep_deleted = is_second_word(fcinfo, 1, "on_duplicate", "error", "keep_deleted");
    Tuplestorestate *result = begin_result(fcinfo);
    Argument which = argument(fcinfo, 0, UUIDOID);
    // To avoid deadlocks, lock rows in the order of their ids and update them in the order of the
    // unique index, as all writers of many rows do.
    const char *lock = placed(psprintf(R"sql(
        SELECT coalesce(array_agg(id ORDER BY notebook_id, content_hash COLLATE "C"), '{}')
        FROM (SELECT id, notebook_id, content_hash FROM @store@.sources
              WHERE %s AND deleted_at IS NOT NULL ORDER BY id FOR NO KEY UPDATE) AS locked)sql",
                                       condition),
                              store);
    const char *plan = psprintf(
        "SELECT id, outcome, name, duplicate_id, duplicate_name"
        " FROM (%s ORDER BY batch.notebook_id, batch.content_hash COLLATE \"C\", batch.id) AS plan",
        restore_plan(store, "id = ANY ($1)"));
    const char *update = placed(
        "UPDATE @store@.sources AS source SET deleted_at = NULL"
        " FROM pg_catalog.unnest($1) AS chosen (id) WHERE source.id OPERATOR(pg_catalog.=) chosen.id"
        // A user's trigger may have kept it deleted.
        " RETURNING source.id, CASE WHEN source.deleted_at IS NULL THEN 'restored'::pg_catalog.text"
        " ELSE 'kept_deleted' END",
        store);
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
            // Usually there is no duplicate. Looking for one first would double the cost.
            leave(session);
            if (unless_duplicate([&] { rows = run_saved(update, {locked}, nullptr, result); })) break;
            tuplestore_clear(result);
            session = enter();
        }
        rows = query(plan, {locked}, false);
        Argument restored = restored_ids(fcinfo, rows, keep_deleted);
        // Run the update under the caller's search_path, because it runs the user's triggers.
        leave(session);
        if (unless_duplicate([&] { run_saved(update, {restored}, nullptr, result); })) break;
        tuplestore_clear(result);
        require_new_snapshot();
        if (attempt == most_attempts)
            ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
                    errmsg("cannot restore because an identical source already exists in the notebook"),
                    errdetail("You do not have permission to see that source."));
    }
    SPI_finish();
    return rows;
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_restore_source) {
    PreventCommandIfReadOnly("restore_source()");
    require_argument(fcinfo, 0, "id");
    Store store = current_store();
    require_source(store, PG_GETARG_DATUM(0));
    // A live source is not an error. A source that was removed while we waited for it is.
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
