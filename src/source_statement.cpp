// The statement triggers on sources, after INSERT, UPDATE, DELETE and TRUNCATE:
// they read the transition tables once, and write the counts of the notebooks
// and the deletion log as the owner of the table.
#include "catalog.hpp"
#include "counts.hpp"
#include "deletions.hpp"
#include "queries.hpp"
#include "session.hpp"

#include <map>

namespace discovery {
namespace {

struct Columns {
    AttrNumber notebook_id, created_at, updated_at, deleted_at, deletion_id;
};

// What a statement does to counts and log.
struct Effects {
    core::Tally tally;
    std::map<core::Uuid, int64> deleted;  // rows by deletion
};

// What counts of a row.
struct Source {
    bool has_notebook;  // the user may have dropped NOT NULL
    core::Uuid notebook;
    bool is_live;
    Timestamp created;
    Timestamp newest;  // of its timestamps
    bool has_deletion;
    core::Uuid deletion;
};

void take_newest(Timestamp &newest, TupleTableSlot *slot, AttrNumber column) {
    bool is_null;
    Timestamp timestamp = DatumGetTimestamp(slot_getattr(slot, column, &is_null));
    if (!is_null && !TIMESTAMP_NOT_FINITE(timestamp)) newest = Max(newest, timestamp);
}

Source read_source(TupleTableSlot *slot, const Columns &columns) {
    Source source{};
    bool is_null;
    Datum notebook = slot_getattr(slot, columns.notebook_id, &is_null);
    source.has_notebook = !is_null;
    if (!is_null) source.notebook = to_uuid(notebook);
    slot_getattr(slot, columns.deleted_at, &is_null);
    source.is_live = is_null;
    source.newest = PG_INT64_MIN;
    take_newest(source.newest, slot, columns.created_at);
    source.created = source.newest;
    take_newest(source.newest, slot, columns.updated_at);
    take_newest(source.newest, slot, columns.deleted_at);
    Datum deletion = slot_getattr(slot, columns.deletion_id, &is_null);
    source.has_deletion = !is_null;
    if (!is_null) source.deletion = to_uuid(deletion);
    return source;
}

// Reads a transition table from its start.
struct Transition {
    Tuplestorestate *rows;
    TupleTableSlot *slot;

    Transition(Tuplestorestate *table, Relation relation) : rows(table), slot(nullptr) {
        if (rows == nullptr) return;
        slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsMinimalTuple);
        tuplestore_select_read_pointer(rows, tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND));
        tuplestore_rescan(rows);
    }
    bool next() {
        CHECK_FOR_INTERRUPTS();
        return rows != nullptr && tuplestore_gettupleslot(rows, true, false, slot);
    }
    void end() {
        if (slot != nullptr) ExecDropSingleTupleTableSlot(slot);
    }
};

void read_effects(TriggerData *trigger, Effects *effects) {
    Relation relation = trigger->tg_relation;
    Columns columns{column_number(relation, "notebook_id", UUIDOID),     column_number(relation, "created_at", TIMESTAMPOID),
                    column_number(relation, "updated_at", TIMESTAMPOID), column_number(relation, "deleted_at", TIMESTAMPOID),
                    column_number(relation, "deletion_id", UUIDOID)};
    Timestamp now = GetCurrentTransactionStartTimestamp();
    Transition old_rows(trigger->tg_oldtable, relation), new_rows(trigger->tg_newtable, relation);
    for (;;) {
        // The two tables of an UPDATE have their rows in the same order.
        bool has_old = old_rows.next(), has_new = new_rows.next();
        if (!has_old && !has_new) break;
        Source before{}, after{};
        if (has_old) before = read_source(old_rows.slot, columns);
        if (has_new) after = read_source(new_rows.slot, columns);
        bool was_live = has_old && before.is_live, is_live = has_new && after.is_live;
        bool has_moved = before.has_notebook != after.has_notebook || before.notebook != after.notebook;
        if (was_live == is_live && !(is_live && has_moved)) continue;
        // Of a new row, what changed it later has not moved its notebook: a restore
        // of data alone leaves that as it was.
        Timestamp newest = !has_new ? now : has_old ? after.newest : after.created;
        in_core([&] {
            if (was_live && before.has_notebook) effects->tally.add(before.notebook, -1, newest);
            if (is_live && after.has_notebook) effects->tally.add(after.notebook, 1, newest);
            if (was_live && has_new && after.has_deletion) ++effects->deleted[after.deletion];
        });
    }
    old_rows.end();
    new_rows.end();
}

// The log beside the table. The owner of the schema may have put something else
// in its place, whose code must not run as the owner of the sources. Errors: 55000.
Relation open_log(Relation sources) {
    Oid schema = RelationGetNamespace(sources);
    Oid log = get_relname_relid("discovery_deletions", schema);
    Relation relation = OidIsValid(log) ? try_table_open(log, RowExclusiveLock) : nullptr;
    if (relation == nullptr || relation->rd_rel->relkind != RELKIND_RELATION ||
        relation->rd_rel->relowner != sources->rd_rel->relowner)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("schema \"%s\" has no deletion log for table \"%s\"", get_namespace_name(schema),
                       RelationGetRelationName(sources)),
                errdetail("It must have a table \"discovery_deletions\" of the same owner."));
    return relation;
}

// A deletion that goes over several statements grows with each.
void log_deletions(Relation sources, const Effects *effects, Oid acting_role) {
    if (effects->deleted.empty()) return;
    Relation log = open_log(sources);
    const char *store = quoted_schema(RelationGetNamespace(sources));
    const char *sql = psprintf(
        "INSERT INTO %s.discovery_deletions AS known (id, login_role, acting_role, reason, sources)"
        " VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (id) DO UPDATE SET sources = known.sources OPERATOR(pg_catalog.+) excluded.sources",
        store);
    for (const auto &[id, rows] : effects->deleted) {
        const Deletion *deletion = find_deletion(id);
        if (deletion == nullptr) continue;
        run_saved(sql, {uuid_argument(to_datum(id)), text_argument(GetUserNameFromId(GetSessionUserId(), false)),
                        text_argument(GetUserNameFromId(acting_role, false)), text_argument(deletion->reason),
                        {INT8OID, Int64GetDatum(rows)}});
    }
    table_close(log, NoLock);
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_source_statement) {
    TriggerData *trigger = statement_call(fcinfo, "discovery_source_statement");
    Relation sources = trigger->tg_relation;
    Effects *effects = in_core([] { return Effects{}; });
    bool is_truncate = TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event);
    if (!is_truncate) read_effects(trigger, effects);

    Oid acting_role = GetUserId();
    SPI_connect();
    Identity identity = act_as(sources->rd_rel->relowner);
    if (is_truncate)
        clear_counts(sources);
    else
        add_to_counts(sources, effects->tally);
    log_deletions(sources, effects, acting_role);
    stop_acting(identity);
    SPI_finish();
    return PointerGetDatum(nullptr);
}
