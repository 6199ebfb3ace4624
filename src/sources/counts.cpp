// Writes the counts of the notebooks.
#include "sources/counts.hpp"

#include "server/progress.hpp"
#include "server/queries.hpp"
#include "server/session.hpp"
#include "server/settings.hpp"
#include "server/user_code.hpp"
#include "store/catalog.hpp"
#include "store/citus.hpp"
#include "sources/effects.hpp"
#include "sources/own_write.hpp"
#include "sources/owed_counts.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
}

namespace discovery {
namespace {

// The update that adds to a count at the moment. It is valid for one row only, and only in a table
// whose owner also owns the counted sources. Therefore a role that puts our trigger on its own
// table cannot use it to set a count.
struct {
    bool is_under_way;
    Oid owner;
    pg_uuid_t notebook;
} counting;

// Finds the table that the foreign key on notebook_id refers to. It must have the same owner as
// sources, because an update of its rows runs that owner's triggers.
// Errors: 42704 there is no such foreign key; 55000 the owners differ.
Oid referenced_notebooks(Relation sources) {
    AttrNumber notebook_id = column_number(sources, "notebook_id", UUIDOID);
    // Use a copy: any catalog lookup may rebuild the relation and free its own list.
    auto *keys = static_cast<List *>(copyObjectImpl(RelationGetFKeyList(sources)));
    ListCell *cell;
    foreach (cell, keys) {
        auto *key = lfirst_node(ForeignKeyCacheInfo, cell);
        if (key->nkeys != 1 || key->conkey[0] != notebook_id) continue;
        // The user may have added foreign keys to other tables.
        if (get_attnum(key->confrelid, "source_count") == InvalidAttrNumber) continue;
        if (owner_of(key->confrelid) == sources->rd_rel->relowner) return key->confrelid;
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("tables \"%s\" and \"%s\" have different owners", RelationGetRelationName(sources),
                       get_rel_name(key->confrelid)),
                errdetail("One role must own both tables, because the counts are written with its privileges."),
                errhint("Use ALTER TABLE ... OWNER TO."), errtable(sources));
    }
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_OBJECT),
            errmsg("table \"%s\" has no foreign key on \"notebook_id\" to a table with a column \"source_count\"",
                   RelationGetRelationName(sources)),
            errdetail("The store keeps its counts there."), errtable(sources));
}

// Updates the count of one notebook. The first argument of the statement is the notebook's id.
void run_counting(const char *sql, Oid owner, Datum notebook, std::initializer_list<Argument> arguments) {
    // A user's trigger may update other counts before our trigger sees this row.
    const auto outer = counting;
    counting = {true, owner, *DatumGetUUIDP(notebook)};
    PG_TRY();
    { run_saved(sql, arguments); }
    PG_FINALLY();
    { counting = outer; }
    PG_END_TRY();
}

constexpr Timestamp no_timestamp = PG_INT64_MIN;

// Errors: 09000 a trigger or rule of the user's keeps the count of a notebook from being written.
[[noreturn]] void refuse_prevented(Oid table, Datum notebook) {
    ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
            errmsg("cannot write the count of notebook %s", uuid_text(notebook)),
            errdetail("A trigger or rule on table \"%s\" prevents the update.", get_rel_name(table)),
            err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(table)));
}

// The notebooks whose count is not the number of their rows, for a SELECT: as `notebook`, with a condition to which
// others can be added.
const char *from_wrong_counts(const char *notebooks, const Count &count, const char *rows) {
    return psprintf(
        "FROM %s AS notebook WHERE notebook.%s OPERATOR(pg_catalog.<>)"
        " (SELECT pg_catalog.count(*) FROM %s AS counted"
        " WHERE counted.notebook_id OPERATOR(pg_catalog.=) notebook.id%s)",
        notebooks, count.column, rows, count.condition);
}

// Counts the rows of a notebook and writes their number where it differs. The notebook is locked first: then
// no other transaction changes its count before this one ends, and the snapshot of the next statement has all
// that the others have counted. Returns the number of rows changed.
int64 recount(const Store &store, const Count &count, const char *notebooks, const char *rows, Datum id) {
    run_saved(psprintf("SELECT FROM %s WHERE id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE", notebooks),
              {uuid_argument(id)});
    const char *sql = psprintf(
        "UPDATE %s AS notebook SET %s = actual.rows"
        " FROM (SELECT pg_catalog.count(*)::pg_catalog.int4 AS rows FROM %s AS counted"
        " WHERE counted.notebook_id OPERATOR(pg_catalog.=) $1%s) AS actual"
        " WHERE notebook.id OPERATOR(pg_catalog.=) $1"
        " AND notebook.%s OPERATOR(pg_catalog.<>) actual.rows AND %s",
        notebooks, count.column, rows, count.condition, count.column, placed(counts_row, store));
    if (run_saved(sql, {uuid_argument(id)}) > 0) return 1;
    if (run_saved(
            psprintf("SELECT %s AND notebook.id OPERATOR(pg_catalog.=) $1", from_wrong_counts(notebooks, count, rows)),
            {uuid_argument(id)}) > 0)
        refuse_prevented(get_relname_relid("notebooks", store.schema), id);
    return 0;
}

// Whether the counts in this table are written at the end of each statement. No code of a user may run at
// the end of the transaction, where deferred triggers of it would be lost. An error there in a session of
// Citus would reach the client as another one.
bool is_counted_at_once(Oid notebooks) {
    return settings::counts == COUNTS_STATEMENT || is_session_of_citus() || user_code_of(notebooks).runs_on_update;
}

// Locks the notebooks that the foreign key has not locked for this statement, in the order of their ids:
// nobody deletes one, or gives it another id, before its count is written.
void keep_notebooks(Relation sources, Oid table, const core::Debts &debts) {
    auto *ids = static_cast<Datum *>(palloc_extended(sizeof(Datum) * debts.size(), MCXT_ALLOC_HUGE));
    int count = 0;
    for (const auto &[counted, change] : debts)
        if (change.is_free) ids[count++] = to_datum(counted.notebook);
    if (count == 0) return;
    SPI_connect();
    Session session = act_as_owner_of(sources);
    run_saved(psprintf("SELECT FROM %s WHERE id OPERATOR(pg_catalog.=) ANY ($1)"
                       " ORDER BY id USING OPERATOR(pg_catalog.<) FOR KEY SHARE",
                       hold_name(table, owner_of(table), RowExclusiveLock)),
              {{UUIDARRAYOID, PointerGetDatum(construct_array(ids, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR))}});
    leave(session);
    SPI_finish();
}

using Debt = core::Debts::const_iterator;

// The statement that adds a change to the counts of the notebook $1. A count that stays is not named: at
// version 1.1 the client keeps output_count.
const char *addition(const char *notebooks, const core::Change &change) {
    const char *sources = "source_count = source_count OPERATOR(pg_catalog.+) $2, ";
    const char *outputs = "output_count = output_count OPERATOR(pg_catalog.+) $4, ";
    // greatest() ignores NULL, which stands for rows without a finite timestamp.
    return psprintf("UPDATE ONLY %s SET %s%supdated_at = GREATEST(updated_at, $3) WHERE id OPERATOR(pg_catalog.=) $1",
                    notebooks, change.sources != 0 || change.outputs == 0 ? sources : "",
                    change.outputs != 0 ? outputs : "");
}

Argument count_argument(int64 change) { return {INT4OID, Int32GetDatum(static_cast<int32>(change))}; }

// Writes the debts to one table.
void write_counts(Oid table, Debt begin, Debt end) {
    const char *notebooks = hold_name(table, owner_of(table), RowExclusiveLock);
    Oid owner = owner_of(table);
    Session session = act_as(owner, safe_search_path(get_rel_namespace(table), owner), Deferred::allowed);
    for (Debt debt = begin; debt != end; ++debt) {
        CHECK_FOR_INTERRUPTS();
        const core::Change &change = debt->second;
        Datum id = to_datum(debt->first.notebook);
        run_counting(addition(notebooks, change), owner, id,
                     {uuid_argument(id),
                      count_argument(change.sources),
                      {TIMESTAMPOID, TimestampGetDatum(change.newest), change.newest == no_timestamp},
                      count_argument(change.outputs)});
        if (SPI_processed > 0 || change.is_none()) continue;
        if (run_saved(psprintf("SELECT FROM %s WHERE id OPERATOR(pg_catalog.=) $1", notebooks), {uuid_argument(id)}) >
            0)
            refuse_prevented(table, id);
        // The foreign key may be deferred, and the notebook be inserted later.
        owe_count(debt->first, change);
    }
    leave(session);
}

}  // namespace

bool is_counting(FunctionCallInfo trigger, Relation notebooks, const Value &id, bool takes) {
    if (writes_count(trigger, notebooks, id, takes)) return true;
    if (!counting.is_under_way || id.is_null || notebooks->rd_rel->relowner != counting.owner ||
        memcmp(DatumGetUUIDP(id.datum), &counting.notebook, UUID_LEN) != 0)
        return false;
    if (takes) counting.is_under_way = false;
    return true;
}

void add_to_counts(Relation counted, const core::Tally &tally) {
    Oid table = referenced_notebooks(counted);
    // Until the counts are written, nobody drops or alters the table.
    LockRelationOid(table, RowExclusiveLock);
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "discovery counts", ALLOCSET_DEFAULT_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(memory);
    auto *debts = in_core([&] {
        core::Debts changed;
        for (const auto &[notebook, change] : tally)
            if (!change.is_none()) changed.emplace(core::Counted{table, notebook}, change);
        return changed;
    });
    if (!debts->empty()) {
        if (is_counted_at_once(table)) {
            write_counts(*debts);
        } else {
            owe_counts(*debts);
            keep_notebooks(counted, table, *debts);
        }
    }
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(memory);
}

void owe_counts_of(Relation notebooks, const core::Uuid &id, const core::Change &counts) {
    if (counts.is_none()) return;
    Oid table = RelationGetRelid(notebooks);
    auto *debts = in_core([&] { return core::Debts{{{table, id}, counts}}; });
    if (is_counted_at_once(table))
        write_counts(*debts);
    else
        owe_counts(*debts);
}

void write_counts(const core::Debts &debts) {
    SPI_connect();
    for (auto debt = debts.begin(); debt != debts.end();) {
        Oid table = debt->first.table;
        auto end = std::find_if(debt, debts.end(), [&](const auto &other) { return other.first.table != table; });
        // This transaction may have dropped it.
        if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table))) write_counts(table, debt, end);
        debt = end;
    }
    SPI_finish();
}

void clear_counts(Relation counted, const Count &count) {
    Oid table = referenced_notebooks(counted);
    // To notebooks that are gone, and may come again, it stays owed.
    write_owed_counts();
    forget_owed_counts(table, count.change);
    SPI_connect();
    Session session = act_as_owner_of(counted);
    const char *notebooks = hold_name(table, counted->rd_rel->relowner, RowExclusiveLock);
    uint64 rows = run_saved(psprintf("SELECT id FROM %s WHERE %s OPERATOR(pg_catalog.<>) 0"
                                     " ORDER BY id USING OPERATOR(pg_catalog.<) FOR NO KEY UPDATE",
                                     notebooks, count.column),
                            {});
    SPITupleTable *found = SPI_tuptable;
    Store store{};
    store.schema = RelationGetNamespace(counted);
    const char *sql = psprintf(
        "UPDATE %s AS notebook SET %s = 0, updated_at = GREATEST(updated_at, $2)"
        " WHERE notebook.id OPERATOR(pg_catalog.=) $1 AND %s",
        notebooks, count.column, placed(counts_row, store));
    for (uint64 row = 0; row < rows; ++row) {
        CHECK_FOR_INTERRUPTS();
        bool is_null;
        Datum id = result_datum(found, row, 0, UUIDOID, &is_null);
        if (run_saved(sql, {uuid_argument(id), {TIMESTAMPOID, utc_now()}}) == 0) refuse_prevented(table, id);
    }
    if (IsolationUsesXactSnapshot() &&
        query(psprintf("SELECT FROM %s WHERE %s OPERATOR(pg_catalog.<>) 0 LIMIT 1", notebooks, count.column)) > 0)
        ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                errmsg("could not serialize access due to concurrent update"),
                errdetail("Another transaction has changed \"%s\" of a notebook.", count.column));
    leave(session);
    SPI_finish();
}

int64 repair_counts(const Store &store, const Count &count) {
    const char *counted = hold_name(hold_table(store, count.table, AccessShareLock), store.owner, AccessShareLock);
    const char *notebooks = hold_name(hold_table(store, "notebooks", RowExclusiveLock), store.owner, RowExclusiveLock);
    uint64 rows = 0;
    as_part(psprintf("counting the %s of all notebooks", count.table), nullptr, [&] {
        rows = run_saved(psprintf("SELECT notebook.id %s ORDER BY notebook.id USING OPERATOR(pg_catalog.<)",
                                  from_wrong_counts(notebooks, count, counted)),
                         {});
    });
    SPITupleTable *found = SPI_tuptable;
    int64 repaired = 0;
    constexpr uint64 part = 1000;
    for (uint64 first = 0; first < rows; first += part)
        as_part(psprintf("repairing the counts of notebooks: " UINT64_FORMAT " of " UINT64_FORMAT, first, rows),
                nullptr, [&] {
                    for (uint64 row = first; row < Min(first + part, rows); ++row) {
                        CHECK_FOR_INTERRUPTS();
                        bool is_null;
                        Datum id = result_datum(found, row, 0, UUIDOID, &is_null);
                        repaired += recount(store, count, notebooks, counted, id);
                    }
                });
    return repaired;
}

}  // namespace discovery
