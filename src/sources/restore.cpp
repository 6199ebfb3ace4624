// restore_source(), restore_sources() and preview_restore(): undo a soft delete.
#include "sources/restore.hpp"

#include "server/arguments.hpp"
#include "server/result.hpp"
#include "server/subtransaction.hpp"
#include "sources/soft_delete.hpp"

extern "C" {
#include "tcop/utility.h"
#include "utils/array.h"
}

namespace discovery {
namespace {

// A duplicate that is in the way of this many attempts in a row, and that no look finds, is hidden by row
// security. Fewer could be chance: others may delete the duplicate before we look, and add another.
constexpr int most_attempts_alike = 10;

// A query for the soft-deleted sources that satisfy a condition on $1. Its columns: id,
// notebook_id, name, outcome ('restored', or 'kept_deleted' if there is a duplicate), and the id
// and name of the duplicate.
const char *restore_plan(const Store &store, const char *condition) {
    return placed(psprintf(R"sql(SELECT batch.id, batch.notebook_id, batch.name::pg_catalog.text AS name,
               CASE WHEN duplicate.id IS NULL THEN 'restored'::pg_catalog.text ELSE 'kept_deleted'::pg_catalog.text
               END AS outcome,
               duplicate.id AS duplicate_id, duplicate.name AS duplicate_name
        FROM (SELECT id, notebook_id, name, content_hash, pg_catalog.first_value(id) OVER duplicates AS first_id,
                     pg_catalog.first_value(name) OVER duplicates AS first_name
              FROM @store@.sources
              WHERE %s AND deleted_at IS NOT NULL
              WINDOW duplicates AS (
                  PARTITION BY notebook_id,
                      CASE WHEN content_hash OPERATOR(pg_catalog.=) ''::pg_catalog.text THEN id::pg_catalog.text
                      ELSE content_hash::pg_catalog.text END
                  ORDER BY created_at, id)) AS batch
        LEFT JOIN LATERAL (
            SELECT live.id, live.name::pg_catalog.text FROM @store@.sources AS live
                WHERE live.notebook_id OPERATOR(pg_catalog.=) batch.notebook_id
                  AND live.content_hash OPERATOR(pg_catalog.=) batch.content_hash
                  AND live.deleted_at IS NULL AND live.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
            UNION ALL
            SELECT batch.first_id, batch.first_name::pg_catalog.text
                WHERE batch.first_id OPERATOR(pg_catalog.<>) batch.id
            LIMIT 1) AS duplicate ON true)sql",
                           condition),
                  store);
}

// Returns the ids of the plan's rows, in SPI_tuptable, that have no duplicate. With `keep_deleted`,
// the other rows are put into the result as kept.
// Errors: 23505 if there is a duplicate and not `keep_deleted`.
Argument restored_ids(const Rows &result, uint64 rows, bool keep_deleted) {
    auto *ids = static_cast<Datum *>(palloc_extended(sizeof(Datum) * (rows + 1), MCXT_ALLOC_HUGE));
    int count = 0;
    for (uint64 row = 0; row < rows; ++row) {
        bool is_null, nulls[2];
        result_datum(row, 3, UUIDOID, &is_null);
        Datum id = result_datum(row, 0, UUIDOID, &nulls[0]);
        if (is_null) {
            ids[count++] = id;
        } else if (keep_deleted) {
            Datum values[] = {id, result_datum(row, 1, TEXTOID, &nulls[1])};
            tuplestore_putvalues(result.store, result.columns, values, nulls);
        } else {
            raise_identical(result_text(row, 2),
                            psprintf("Source %s is identical to source %s, \"%s\".", result_text(row, 0),
                                     result_text(row, 3), result_text(row, 4)));
        }
    }
    return {UUIDARRAYOID, PointerGetDatum(construct_array(ids, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR))};
}

// The statements of a restore.
struct Restore {
    const char *lock;    // locks the sources, and returns their ids
    const char *plan;    // of these, which have a duplicate
    const char *update;  // restores these
};

Restore statements_of(const Store &store, const char *condition) {
    // To avoid deadlocks, lock rows in the order of their ids and update them in the order of the
    // unique index, as all writers of many rows do.
    const char *lock = placed(
        psprintf("SELECT coalesce(pg_catalog.array_agg(id ORDER BY notebook_id, content_hash COLLATE pg_catalog.\"C\"),"
                 " '{}') FROM (SELECT id, notebook_id, content_hash FROM @store@.sources"
                 " WHERE %s AND deleted_at IS NOT NULL ORDER BY id FOR NO KEY UPDATE) AS locked",
                 condition),
        store);
    const char *plan = psprintf(
        "SELECT id, outcome, name, duplicate_id, duplicate_name"
        " FROM (%s ORDER BY batch.notebook_id, batch.content_hash COLLATE pg_catalog.\"C\", batch.id) AS plan",
        restore_plan(store, "id OPERATOR(pg_catalog.=) ANY ($1)"));
    const char *update = placed(
        "UPDATE @store@.sources AS source SET deleted_at = NULL"
        " FROM pg_catalog.unnest($1) AS chosen (id) WHERE source.id OPERATOR(pg_catalog.=) chosen.id"
        // A user's trigger may have kept it deleted.
        " RETURNING source.id, CASE WHEN source.deleted_at IS NULL THEN 'restored'::pg_catalog.text"
        " ELSE 'kept_deleted'::pg_catalog.text END",
        store);
    return {lock, plan, update};
}

// Restores one source, outside of a subtransaction: after an error nothing can be done but raise it.
void restore_one(const char *update, Argument ids, const char *name, const Rows &result) {
    MemoryContext context = CurrentMemoryContext;
    PG_TRY();
    { run_saved(update, {ids}, nullptr, result); }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        ErrorData *error = CopyErrorData();
        if (!is_duplicate(*error)) PG_RE_THROW();
        FlushErrorState();
        require_new_snapshot();
        raise_identical(name, error->detail ? error->detail : error->message);
    }
    PG_END_TRY();
}

// Restores the soft-deleted sources that satisfy a condition on $1, which is `which`, and that the caller may update.
// Returns their number.
//
// A subtransaction undoes an update that met a duplicate. Each one costs more than a small update, and
// leaves an id of its own in the rows: so one source whose duplicate is an error does without it.
uint64 restore_where(const Rows &result, const Store &store, const char *condition, Argument which, bool keep_deleted,
                     bool is_one) {
    Restore statements = statements_of(store, condition);
    SPI_connect();
    lock_notebooks_where(store, "sources", condition, which);
    uint64 rows = 0, restored_before = 0;
    int alike = 0;
    for (int attempt = 1;; ++attempt) {
        CHECK_FOR_INTERRUPTS();
        run_saved(statements.lock, {which});
        Argument ids = {UUIDARRAYOID, result_datum(0, 0, UUIDARRAYOID, &which.is_null)};
        uint64 restored = 0;
        // Usually there is no duplicate. Looking for one first would double the cost of a large batch.
        if (is_one || attempt > 1) {
            rows = is_one ? run_saved(statements.plan, {ids}) : query(statements.plan, {ids}, false);
            ids = restored_ids(result, rows, keep_deleted);
            restored = static_cast<uint64>(
                ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(ids.value)), ARR_DIMS(DatumGetArrayTypeP(ids.value))));
        }
        if (is_one && !keep_deleted) {
            if (restored > 0) restore_one(statements.update, ids, result_text(0, 2), result);
            break;
        }
        uint64 updated = 0;
        if (unless_duplicate([&] { updated = run_saved(statements.update, {ids}, nullptr, result); })) {
            if (attempt == 1 && !is_one) rows = updated;
            break;
        }
        tuplestore_clear(result.store);
        require_new_snapshot();
        // The first attempt did not look.
        alike = restored > 0 && restored == restored_before ? alike + 1 : 1;
        if (alike == most_attempts_alike)
            ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
                    errmsg("cannot restore because an identical source already exists in the notebook"),
                    errdetail("You do not have permission to see that source."));
        restored_before = restored;
    }
    SPI_finish();
    return rows;
}

// The same as the result of a function whose arguments are $1 and on_duplicate.
uint64 restore_where(FunctionCallInfo fcinfo, const Store &store, const char *condition, bool is_one) {
    bool keep_deleted = is_second_word(fcinfo, 1, "on_duplicate", "error", "keep_deleted");
    const Rows result = begin_result(fcinfo);
    return restore_where(result, store, condition, argument(fcinfo, 0, UUIDOID), keep_deleted, is_one);
}

constexpr const char *of_deletion = "deletion_id OPERATOR(pg_catalog.=) $1";

}  // namespace

void restore_sources(const Rows &result, const Store &store, Datum deletion, bool keep_deleted) {
    restore_where(result, store, of_deletion, uuid_argument(deletion), keep_deleted, false);
}

}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_restore_source) {
    PreventCommandIfReadOnly("restore_source()");
    require_argument(fcinfo, 0, "id");
    Store store = current_store();
    return with_rights(store, [&] {
        require_source(store, PG_GETARG_DATUM(0));
        // A source that is already live is no error; one that was removed while we waited for it is.
        if (restore_where(fcinfo, store, "id OPERATOR(pg_catalog.=) $1", true) == 0)
            require_source(store, PG_GETARG_DATUM(0));
        return Datum{};
    });
}

DISCOVERY_FUNCTION(discovery_restore_sources) {
    PreventCommandIfReadOnly("restore_sources()");
    require_argument(fcinfo, 0, "deletion_id");
    Store store = current_store();
    return with_rights(store, [&] {
        require_deletion(store, PG_GETARG_DATUM(0));
        restore_where(fcinfo, store, of_deletion, false);
        return Datum{};
    });
}

DISCOVERY_FUNCTION(discovery_preview_restore) {
    require_argument(fcinfo, 0, "deletion_id");
    Store store = current_store();
    return with_rights(store, [&] {
        require_deletion(store, PG_GETARG_DATUM(0));
        const char *plan = restore_plan(store, of_deletion);
        return return_rows(fcinfo, psprintf("%s ORDER BY batch.id", plan), {argument(fcinfo, 0, UUIDOID)});
    });
}
