// Writes notebooks.source_count.
#include "sources/counts.hpp"

#include "server/queries.hpp"
#include "server/session.hpp"
#include "store/catalog.hpp"
#include "sources/uuid.hpp"

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

// The quoted name of the table, with its schema.
const char *qualified_name(Oid table) {
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
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

}  // namespace

bool is_counting(Relation notebooks, const Value &id) {
    if (!counting.is_under_way || id.is_null || notebooks->rd_rel->relowner != counting.owner ||
        memcmp(DatumGetUUIDP(id.datum), &counting.notebook, UUID_LEN) != 0)
        return false;
    counting.is_under_way = false;
    return true;
}

void add_to_counts(Relation sources, const core::Tally &tally) {
    const char *notebooks = qualified_name(referenced_notebooks(sources));
    // GREATEST() ignores NULL, so updated_at does not change if no row has a finite timestamp.
    const char *sql = psprintf(
        "UPDATE %s SET source_count = source_count OPERATOR(pg_catalog.+) $2,"
        " updated_at = GREATEST(updated_at, $3) WHERE id OPERATOR(pg_catalog.=) $1",
        notebooks);
    for (const auto &[notebook, change] : tally) {
        if (change.sources == 0) continue;
        CHECK_FOR_INTERRUPTS();
        Datum id = to_datum(notebook);
        run_counting(sql, sources->rd_rel->relowner, id,
                     {uuid_argument(id),
                      {INT4OID, Int32GetDatum(static_cast<int32>(change.sources))},
                      {TIMESTAMPOID, TimestampGetDatum(change.newest), change.newest == no_timestamp}});
    }
}

void clear_counts(Relation sources) {
    const char *notebooks = qualified_name(referenced_notebooks(sources));
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
    const char *schema = quoted_schema(store.schema);
    uint64 rows = run_saved(psprintf("SELECT notebook.id FROM %s.notebooks AS notebook"
                                     " WHERE notebook.source_count OPERATOR(pg_catalog.<>)"
                                     " (SELECT pg_catalog.count(*) FROM %s.sources AS source"
                                     " WHERE source.notebook_id OPERATOR(pg_catalog.=) notebook.id"
                                     " AND source.deleted_at IS NULL)"
                                     " ORDER BY notebook.id USING OPERATOR(pg_catalog.<)",
                                     schema, schema),
                            {});
    SPITupleTable *found = SPI_tuptable;
    const char *lock =
        psprintf("SELECT FROM %s.notebooks WHERE id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE", schema);
    const char *count = psprintf(
        "UPDATE %s.notebooks AS notebook SET source_count = actual.sources"
        " FROM (SELECT pg_catalog.count(*)::pg_catalog.int4 AS sources FROM %s.sources AS source"
        " WHERE source.notebook_id OPERATOR(pg_catalog.=) $1 AND source.deleted_at IS NULL) AS actual"
        " WHERE notebook.id OPERATOR(pg_catalog.=) $1"
        " AND notebook.source_count OPERATOR(pg_catalog.<>) actual.sources",
        schema, schema);
    int64 repaired = 0;
    for (uint64 row = 0; row < rows; ++row) {
        CHECK_FOR_INTERRUPTS();
        bool is_null;
        Datum id = SPI_getbinval(found->vals[row], found->tupdesc, 1, &is_null);
        run_saved(lock, {uuid_argument(id)});
        run_counting(count, store.owner, id, {uuid_argument(id)});
        repaired += static_cast<int64>(SPI_processed);
    }
    return repaired;
}

}  // namespace discovery
