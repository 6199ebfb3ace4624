// Writes notebooks.source_count.
#include "sources/counts.hpp"

#include "server/queries.hpp"
#include "server/session.hpp"
#include "store/catalog.hpp"
#include "sources/effects.hpp"

extern "C" {
#include "storage/lmgr.h"
}

namespace discovery {
namespace {

// The update that sets a count at the moment. It is valid for one row only, and only in a table
// whose owner also owns the counted sources. Therefore a role that puts our trigger on its own
// table cannot use it to set a count.
struct {
    bool is_under_way;
    Oid owner;
    pg_uuid_t notebook;
} counting;

// The quoted name of the table, with its schema, after both are locked: it means this table until the
// transaction ends.
const char *hold_name(Oid table, LOCKMODE mode) {
    LockRelationOid(table, mode);
    Oid schema = get_rel_namespace(table);
    if (!OidIsValid(schema))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE), errmsg("table with OID %u does not exist", table));
    hold_schema(schema, owner_of(table));
    return quote_qualified_identifier(get_namespace_name(schema), get_rel_name(table));
}

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
            errdetail("The store keeps the counts of sources there."), errtable(sources));
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

// Counts the live sources of a notebook and writes their number where it differs; updated_at is not
// before `newest`. The notebook is locked first: then no other transaction changes its count before this
// one ends, and the snapshot of the next statement has all that the others have counted.
// Returns the number of rows changed.
int64 recount(const char *notebooks, const char *sources, Oid owner, Datum id, Argument newest) {
    run_saved(psprintf("SELECT FROM %s WHERE id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE", notebooks),
              {uuid_argument(id)});
    run_counting(psprintf("UPDATE %s AS notebook SET source_count = actual.sources,"
                          " updated_at = GREATEST(notebook.updated_at, $2)"
                          " FROM (SELECT pg_catalog.count(*)::pg_catalog.int4 AS sources FROM %s AS source"
                          " WHERE source.notebook_id OPERATOR(pg_catalog.=) $1 AND source.deleted_at IS NULL) AS actual"
                          " WHERE notebook.id OPERATOR(pg_catalog.=) $1"
                          " AND (notebook.source_count OPERATOR(pg_catalog.<>) actual.sources"
                          " OR notebook.updated_at OPERATOR(pg_catalog.<) $2)",
                          notebooks, sources),
                 owner, id, {uuid_argument(id), newest});
    return static_cast<int64>(SPI_processed);
}

}  // namespace

bool is_counting(Relation notebooks, const Value &id) {
    if (!counting.is_under_way || id.is_null || notebooks->rd_rel->relowner != counting.owner ||
        memcmp(DatumGetUUIDP(id.datum), &counting.notebook, UUID_LEN) != 0)
        return false;
    counting.is_under_way = false;
    return true;
}

void add_to_counts(FunctionCallInfo fcinfo, Relation sources, const core::Tally &tally) {
    Oid table = referenced_notebooks(sources);
    const char *notebooks = hold_name(table, RowExclusiveLock);
    // greatest() ignores NULL, which stands for rows without a finite timestamp.
    const char *sql = psprintf(
        "UPDATE %s SET source_count = source_count OPERATOR(pg_catalog.+) $2,"
        " updated_at = GREATEST(updated_at, $3) WHERE id OPERATOR(pg_catalog.=) $1",
        notebooks);
    for (const auto &[notebook, change] : tally) {
        CHECK_FOR_INTERRUPTS();
        Datum id = to_datum(notebook);
        Argument newest = {TIMESTAMPOID, TimestampGetDatum(change.newest), change.newest == no_timestamp};
        // A notebook whose id is new in this statement: what its count is of is not known, and the
        // statement's trigger on notebooks may have counted these sources already.
        if (is_written(fcinfo, table, notebook))
            recount(notebooks, hold_name(RelationGetRelid(sources), AccessShareLock), sources->rd_rel->relowner, id,
                    newest);
        else if (change.sources != 0)
            run_counting(sql, sources->rd_rel->relowner, id,
                         {uuid_argument(id), {INT4OID, Int32GetDatum(static_cast<int32>(change.sources))}, newest});
    }
}

void count_anew(Relation notebooks, const std::set<core::Uuid> &ids) {
    Oid owner = notebooks->rd_rel->relowner;
    Oid sources = get_relname_relid("sources", RelationGetNamespace(notebooks));
    if (!OidIsValid(sources) || why_no_plain_table(sources) != nullptr || owner_of(sources) != owner) return;
    const char *sources_name = hold_name(sources, AccessShareLock);
    const char *notebooks_name = hold_name(RelationGetRelid(notebooks), RowExclusiveLock);
    for (const core::Uuid &id : ids) {
        CHECK_FOR_INTERRUPTS();
        recount(notebooks_name, sources_name, owner, to_datum(id), {TIMESTAMPOID, Datum{}, true});
    }
}

void clear_counts(Relation sources) {
    const char *notebooks = hold_name(referenced_notebooks(sources), RowExclusiveLock);
    uint64 rows = run_saved(psprintf("SELECT id FROM %s WHERE source_count OPERATOR(pg_catalog.<>) 0"
                                     " ORDER BY id USING OPERATOR(pg_catalog.<) FOR NO KEY UPDATE",
                                     notebooks),
                            {});
    SPITupleTable *found = SPI_tuptable;
    const char *sql = psprintf(
        "UPDATE %s SET source_count = 0, updated_at = GREATEST(updated_at, $2)"
        " WHERE id OPERATOR(pg_catalog.=) $1",
        notebooks);
    for (uint64 row = 0; row < rows; ++row) {
        CHECK_FOR_INTERRUPTS();
        bool is_null;
        Datum id = SPI_getbinval(found->vals[row], found->tupdesc, 1, &is_null);
        run_counting(sql, sources->rd_rel->relowner, id, {uuid_argument(id), {TIMESTAMPOID, utc_now()}});
    }
}

int64 repair_counts(const Store &store) {
    const char *sources = hold_name(hold_table(store, "sources", AccessShareLock), AccessShareLock);
    const char *notebooks = hold_name(hold_table(store, "notebooks", RowExclusiveLock), RowExclusiveLock);
    uint64 rows = run_saved(psprintf("SELECT notebook.id FROM %s AS notebook"
                                     " WHERE notebook.source_count OPERATOR(pg_catalog.<>)"
                                     " (SELECT pg_catalog.count(*) FROM %s AS source"
                                     " WHERE source.notebook_id OPERATOR(pg_catalog.=) notebook.id"
                                     " AND source.deleted_at IS NULL)"
                                     " ORDER BY notebook.id USING OPERATOR(pg_catalog.<)",
                                     notebooks, sources),
                            {});
    SPITupleTable *found = SPI_tuptable;
    int64 repaired = 0;
    for (uint64 row = 0; row < rows; ++row) {
        CHECK_FOR_INTERRUPTS();
        bool is_null;
        Datum id = SPI_getbinval(found->vals[row], found->tupdesc, 1, &is_null);
        repaired += recount(notebooks, sources, store.owner, id, {TIMESTAMPOID, Datum{}, true});
    }
    return repaired;
}

}  // namespace discovery
