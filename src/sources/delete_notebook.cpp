// delete_notebook(), delete_output() and preview_delete_notebook().
#include "server/arguments.hpp"
#include "server/result.hpp"
#include "sources/deletion_log.hpp"
#include "sources/own_write.hpp"
#include "sources/references.hpp"
#include "sources/soft_delete.hpp"
#include "store/citus.hpp"

extern "C" {
#include "tcop/utility.h"
#include "utils/acl.h"
}

namespace discovery {
namespace {

const char *one_of(const char *table) { return strcmp(table, "notebooks") == 0 ? "notebook" : "output"; }

[[noreturn]] void raise_no_notebook(Datum id) {
    ereport(ERROR, errcode(ERRCODE_NO_DATA_FOUND), errmsg("notebook %s does not exist", uuid_text(id)));
}

const char *effect_of(char action) {
    switch (action) {
        case 'c':
            return "deleted for good, by a foreign key";
        case 'n':
        case 'd':
            return "changed, by a foreign key";
        default:
            return "in the way, by a foreign key";
    }
}

// Returns whether the caller may delete the row and sees it.
// Errors: 23503 rows of a user's table would be lost or changed, which the trash cannot undo.
bool refuse_losing_references(const Store &store, const char *table, Datum id) {
    // Whoever may not delete the row, or does not see it, learns nothing of others' rows here.
    Oid oid = hold_table(store, table, RowExclusiveLock);
    if (pg_class_aclcheck(oid, GetUserId(), ACL_DELETE) != ACLCHECK_OK ||
        run_saved(placed(psprintf("SELECT FROM @store@.%s WHERE id OPERATOR(pg_catalog.=) $1", table), store),
                  {uuid_argument(id)}) == 0)
        return false;
    // Nobody can add a reference to a locked row. The notebook is locked before what is in it, as by DELETE.
    bool is_locked = false;
    const References references = find_references(store, table, id);
    Session session = act_as_owner(store, Deferred::allowed);
    for (uint64 number = 0; number < references.count; ++number) {
        const Reference reference = references[number];
        if (!reference.loses_rows()) continue;
        if (!is_locked)
            query(
                placed(psprintf("SELECT FROM @store@.%s WHERE id OPERATOR(pg_catalog.=) $1 FOR UPDATE", table), store),
                {uuid_argument(id)}, false);
        is_locked = true;
        query(reference.lock, {uuid_argument(id)}, false);
    }
    leave(session);
    for (uint64 number = 0; number < references.count; ++number) {
        const Reference reference = references[number];
        if (!reference.loses_rows()) continue;
        int64 rows = count_references(store, reference, id);
        if (rows == 0) continue;
        ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                errmsg("cannot move the %s to the trash because rows of table \"%s\" refer to it", one_of(table),
                       reference.table),
                rows < 0
                    ? errdetail("The owner of the store may not read all of that table, whose foreign key \"%s\" would"
                                " delete or change rows.",
                                reference.name)
                    : errdetail("Its foreign key \"%s\" would delete or change rows, which could not be restored:"
                                " " INT64_FORMAT ".",
                                reference.name, rows),
                errhint("Remove these rows first, or delete the %s for good by DELETE.", one_of(table)));
    }
    return true;
}

// A row that is there after this many attempts to delete it is kept by something. After fewer it could be chance: while
// we wait for the row, others may delete it and add another with its id.
constexpr int most_attempts = 10;

// Deletes the row of the table, which moves to the trash as part of the call's deletion.
// Errors: P0002 there is no such row; 09000 a trigger or policy keeps it.
void delete_and_keep(const Store &store, const char *table, Datum id, const Call &call) {
    const char *sql =
        placed(psprintf("DELETE FROM @store@.%s AS kept WHERE kept.id OPERATOR(pg_catalog.=) $1 AND $4 AND %s", table,
                        keeps_row),
               store);
    for (int attempt = 1;; ++attempt) {
        bool is_there = refuse_losing_references(store, table, id);
        if (run_saved(sql, {uuid_argument(id),
                            uuid_argument(to_datum(call.id)),
                            text_argument(call.deletion->reason),
                            {BOOLOID, BoolGetDatum(is_there), false}}) > 0)
            return;
        if (!is_there)
            ereport(ERROR, errcode(ERRCODE_NO_DATA_FOUND),
                    errmsg("%s %s does not exist", one_of(table), uuid_text(id)));
        if (attempt == most_attempts)
            ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
                    errmsg("cannot delete %s %s", one_of(table), uuid_text(id)),
                    errdetail("A trigger, rule or policy on table \"%s\" prevents it.", table));
    }
}

// Errors: 09000 a trigger or rule of the user's keeps what is in the notebook, which is gone.
void refuse_left_behind(const Store &store, Datum notebook) {
    Session session = act_as_owner(store, Deferred::allowed);
    for (const char *table : {"sources", "outputs"}) {
        hold_table(store, table, AccessShareLock);
        if (run_saved(
                placed(psprintf("SELECT FROM @store@.%s WHERE notebook_id OPERATOR(pg_catalog.=) $1 LIMIT 1", table),
                       store),
                {uuid_argument(notebook)}) > 0)
            ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
                    errmsg("cannot delete notebook %s", uuid_text(notebook)),
                    errdetail("A trigger or rule on table \"%s\" prevents it.", table));
    }
    leave(session);
}

// The same by a call of its own. Returns the deletion, in the caller's memory.
Datum delete_row(const Store &store, const char *table, Datum id, const char *reason) {
    // As who deletes a notebook, who locks it before what is in it
    if (strcmp(table, "outputs") == 0)
        lock_notebooks_where(store, table, "id OPERATOR(pg_catalog.=) $1", uuid_argument(id));
    Call call = begin_call(reason);
    PG_TRY();
    { delete_and_keep(store, table, id, call); }
    PG_FINALLY();
    { end_call(call); }
    PG_END_TRY();
    if (strcmp(table, "notebooks") == 0) refuse_left_behind(store, id);
    // Not an earlier deletion of a row with this id. On another server the triggers have made another id.
    hold_table(store, "discovery_trash", AccessShareLock);
    Session session = act_as_owner(store, Deferred::allowed);
    const char *which = has_citus() ? "$3 IS NOT NULL" : "deletion_id OPERATOR(pg_catalog.=) $3";
    uint64 rows =
        run_saved(placed(psprintf("SELECT deletion_id FROM @store@.discovery_trash WHERE %s"
                                  " AND row_id OPERATOR(pg_catalog.=) $1 AND table_name OPERATOR(pg_catalog.=) $2"
                                  " ORDER BY deletion_id DESC LIMIT 1",
                                  which),
                         store),
                  {uuid_argument(id), text_argument(table), uuid_argument(to_datum(call.deletion->id))});
    leave(session);
    if (rows == 0)
        ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
                errmsg("cannot move %s %s to the trash", one_of(table), uuid_text(id)),
                errdetail("The trigger \"discovery_trash\" of table \"%s\" did not run.", table),
                errhint("Use discovery_check() to list what was changed by hand and the statements that repair it."));
    bool is_null;
    return result_datum(0, 0, UUIDOID, &is_null);
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_delete_notebook) {
    PreventCommandIfReadOnly("delete_notebook()");
    require_argument(fcinfo, 0, "id");
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    const char *reason = PG_ARGISNULL(1) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(1));
    Store store = current_store();
    MemoryContext caller = CurrentMemoryContext;
    return with_rights(store, [&] {
        SPI_connect();
        Datum deletion = delete_row(store, "notebooks", PG_GETARG_DATUM(0), reason);
        hold_table(store, "discovery_deletions", AccessShareLock);
        Session session = act_as_owner(store, Deferred::allowed);
        uint64 entries = run_saved(placed("SELECT id, sources, outputs FROM @store@.discovery_deletions"
                                          " WHERE id OPERATOR(pg_catalog.=) $1",
                                          store),
                                   {uuid_argument(deletion)});
        leave(session);
        if (entries == 0) raise_unlogged(deletion);
        Datum values[3];
        bool nulls[3];
        for (int column = 0; column < 3; ++column)
            values[column] = result_datum(0, column, column == 0 ? UUIDOID : INT8OID, &nulls[column]);
        MemoryContext inner = MemoryContextSwitchTo(caller);
        Datum result = HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
        MemoryContextSwitchTo(inner);
        SPI_finish();
        return result;
    });
}

DISCOVERY_FUNCTION(discovery_delete_output) {
    PreventCommandIfReadOnly("delete_output()");
    require_argument(fcinfo, 0, "id");
    const char *reason = PG_ARGISNULL(1) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(1));
    Store store = current_store();
    MemoryContext caller = CurrentMemoryContext;
    return with_rights(store, [&] {
        SPI_connect();
        const core::Uuid deletion = to_uuid(delete_row(store, "outputs", PG_GETARG_DATUM(0), reason));
        SPI_finish();
        MemoryContextSwitchTo(caller);
        return to_datum(deletion);
    });
}

DISCOVERY_FUNCTION(discovery_preview_delete_notebook) {
    require_argument(fcinfo, 0, "id");
    Datum id = PG_GETARG_DATUM(0);
    begin_result(fcinfo);
    Store store = current_store();
    return with_rights(store, [&] {
        auto put = [&](const char *table, int64 rows, const char *effect) {
            Datum values[] = {to_text(table), Int64GetDatum(rows), to_text(effect)};
            bool nulls[] = {false, rows < 0, false};
            put_row(fcinfo, values, nulls);
        };
        SPI_connect();
        uint64 rows = run_saved(
            placed("SELECT 'notebooks'::pg_catalog.text, 1::pg_catalog.int8, 'moved to the trash'::pg_catalog.text"
                   " FROM @store@.notebooks WHERE id OPERATOR(pg_catalog.=) $1"
                   " UNION ALL SELECT 'sources', pg_catalog.count(*), 'moved to the trash, live'"
                   " FROM @store@.sources WHERE notebook_id OPERATOR(pg_catalog.=) $1 AND deleted_at IS NULL"
                   " UNION ALL SELECT 'sources', pg_catalog.count(*), 'moved to the trash, soft-deleted before'"
                   " FROM @store@.sources WHERE notebook_id OPERATOR(pg_catalog.=) $1 AND deleted_at IS NOT NULL"
                   " UNION ALL SELECT 'outputs', pg_catalog.count(*), 'moved to the trash'"
                   " FROM @store@.outputs WHERE notebook_id OPERATOR(pg_catalog.=) $1",
                   store),
            {uuid_argument(id)});
        if (rows < 4) raise_no_notebook(id);
        SPITupleTable *found = SPI_tuptable;
        for (uint64 row = 0; row < rows; ++row) {
            bool is_null;
            put(SPI_getvalue(found->vals[row], found->tupdesc, 1),
                DatumGetInt64(result_datum(found, row, 1, INT8OID, &is_null)),
                SPI_getvalue(found->vals[row], found->tupdesc, 3));
        }
        const References references = find_references(store, "notebooks", id);
        for (uint64 number = 0; number < references.count; ++number) {
            const Reference reference = references[number];
            int64 referring = count_references(store, reference, id);
            if (referring != 0) put(reference.table, referring, effect_of(reference.action));
        }
        SPI_finish();
        return Datum{};
    });
}
