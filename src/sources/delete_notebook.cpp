// delete_notebook(), delete_output() and preview_delete_notebook().
#include "server/arguments.hpp"
#include "server/result.hpp"
#include "sources/own_write.hpp"
#include "sources/soft_delete.hpp"
#include "store/citus.hpp"

extern "C" {
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/fmgrprotos.h"
#include "utils/rls.h"
}

namespace discovery {
namespace {

// Foreign keys of users to rows that go with the row $1 of the table $3, in the schema $2. The condition on rows of
// users that refer to these, a query that locks what they refer to, the table, what its key does (c: deletes them, n
// and d: changes them), its name, the table's oid.
constexpr const char *references_query = R"sql(
SELECT format('EXISTS (SELECT FROM %s AS gone WHERE gone.%I = $1 AND %s)', k.confrelid::regclass,
              CASE c.relname WHEN $3 THEN 'id' ELSE 'notebook_id' END,
              -- The operator is the key's, as in its own checks: citext has one of its own.
              (SELECT string_agg(format('gone.%I OPERATOR(%I.%s) referring.%I', b.attname, n.nspname, o.oprname,
                                        a.attname), ' AND ')
               FROM unnest(k.conkey, k.confkey, k.conpfeqop) AS pair (own, other, operator)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.own
               JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.other
               JOIN pg_operator o ON o.oid = pair.operator JOIN pg_namespace n ON n.oid = o.oprnamespace)),
       format('SELECT FROM %s AS gone WHERE gone.%I OPERATOR(pg_catalog.=) $1 FOR UPDATE', k.confrelid::regclass,
              CASE c.relname WHEN $3 THEN 'id' ELSE 'notebook_id' END),
       k.conrelid::regclass::text, k.confdeltype::text, k.conname, k.conrelid
FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid
WHERE k.contype = 'f' AND k.conparentid = 0 AND c.relnamespace = $2
  AND c.relname IN ('notebooks', 'sources', 'outputs') AND (c.relname = $3 OR $3 = 'notebooks')
  AND NOT (k.conrelid IN (SELECT oid FROM pg_class WHERE relnamespace = $2 AND relname IN ('sources', 'outputs'))
           AND c.relname = 'notebooks' AND k.confdeltype = 'c')
ORDER BY 3, 5)sql";

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

bool loses_rows(char action) { return action == 'c' || action == 'n' || action == 'd'; }

// Calls `take` with each foreign key of users and the number of rows by which it refers to what goes with the row of
// the table; -1 where the owner of the store may not read all of theirs. Before, calls `prepare` with what each key
// does and the statement that locks what it refers to.
template <class Prepare, class Take>
void for_references(const Store &store, const char *table, Datum id, Prepare prepare, Take take) {
    // Row security of a table that somebody else put in the place of one of these would run as the owner.
    for (const char *held : {"notebooks", "sources", "outputs"}) hold_table(store, held, AccessShareLock);
    Session session = enter_as(store.owner);
    uint64 keys = query(references_query, {uuid_argument(id), oid_argument(store.schema), text_argument(table)});
    SPITupleTable *found = SPI_tuptable;
    auto text = [&](uint64 key, int column) { return SPI_getvalue(found->vals[key], found->tupdesc, column); };
    leave(session);
    for (uint64 key = 0; key < keys; ++key) prepare(text(key, 4)[0], text(key, 2));
    session = enter_as(store.owner);
    for (uint64 key = 0; key < keys; ++key) {
        bool is_null;
        Oid own = DatumGetObjectId(SPI_getbinval(found->vals[key], found->tupdesc, 6, &is_null));
        int64 rows = -1;
        // Until it is read, nobody puts a view in its place or gives it row security: that would run as the owner here.
        const char *name = hold_name(own, store.owner, AccessShareLock);
        if (pg_class_aclcheck(own, store.owner, ACL_SELECT) == ACLCHECK_OK &&
            check_enable_rls(own, InvalidOid, true) != RLS_ENABLED) {
            query(psprintf("SELECT count(*) FROM %s AS referring WHERE %s", name, text(key, 1)), {uuid_argument(id)},
                  false);
            rows = DatumGetInt64(result_datum(0, 0, &is_null));
        }
        take(text(key, 3), text(key, 4)[0], text(key, 5), rows);
    }
    leave(session);
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
    auto lock = [&](char action, const char *statement) {
        if (!loses_rows(action)) return;
        Session session = act_as_owner(store, Deferred::allowed);
        if (!is_locked)
            query(
                placed(psprintf("SELECT FROM @store@.%s WHERE id OPERATOR(pg_catalog.=) $1 FOR UPDATE", table), store),
                {uuid_argument(id)}, false);
        is_locked = true;
        query(statement, {uuid_argument(id)}, false);
        leave(session);
    };
    for_references(store, table, id, lock, [&](const char *own, char action, const char *key, int64 rows) {
        if (rows == 0 || !loses_rows(action)) return;
        ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                errmsg("cannot move the %s to the trash because rows of table \"%s\" refer to it", one_of(table), own),
                rows < 0
                    ? errdetail("The owner of the store may not read all of that table, whose foreign key \"%s\" would"
                                " delete or change rows.",
                                key)
                    : errdetail("Its foreign key \"%s\" would delete or change rows, which could not be restored:"
                                " " INT64_FORMAT ".",
                                key, rows),
                errhint("Remove these rows first, or delete the %s for good by DELETE.", one_of(table)));
    });
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

// The same by a call of its own. Returns the deletion, in the caller's memory.
Datum delete_row(const Store &store, const char *table, Datum id, const char *reason) {
    Call call = begin_call(reason);
    PG_TRY();
    { delete_and_keep(store, table, id, call); }
    PG_FINALLY();
    { end_call(call); }
    PG_END_TRY();
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
    return result_datum(0, 0, &is_null);
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
        run_saved(placed("SELECT id, sources, outputs FROM @store@.discovery_deletions"
                         " WHERE id OPERATOR(pg_catalog.=) $1",
                         store),
                  {uuid_argument(deletion)});
        leave(session);
        Datum values[3];
        bool nulls[3];
        for (int column = 0; column < 3; ++column) values[column] = result_datum(0, column, &nulls[column]);
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
                DatumGetInt64(SPI_getbinval(found->vals[row], found->tupdesc, 2, &is_null)),
                SPI_getvalue(found->vals[row], found->tupdesc, 3));
        }
        auto lock_nothing = [](char, const char *) {};
        for_references(store, "notebooks", id, lock_nothing,
                       [&](const char *table, char action, const char *, int64 referring) {
                           if (referring != 0) put(table, referring, effect_of(action));
                       });
        SPI_finish();
        return Datum{};
    });
}
