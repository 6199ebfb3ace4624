// The triggers on sources after INSERT, UPDATE, DELETE and TRUNCATE. The row trigger adds up what a
// statement does. The statement trigger adds the sums to what is owed to the counts of the notebooks, and
// writes the deletion log, as the owner of the table. Transition tables are not used: they copy the rows with
// their texts, which these triggers do not need, and that doubled the time of a DELETE.
#include "server/queries.hpp"
#include "server/session.hpp"
#include "store/catalog.hpp"
#include "sources/counts.hpp"
#include "sources/deletions.hpp"
#include "sources/effects.hpp"
#include "sources/lost_files.hpp"

extern "C" {
#include "commands/trigger.h"
}

namespace discovery {
namespace {

struct Columns {
    AttrNumber notebook_id, created_at, updated_at, deleted_at, deletion_id;
};

// The columns of a row that affect counts and the log.
struct Source {
    bool has_notebook;  // false only if the user dropped NOT NULL
    core::Uuid notebook;
    bool is_live;
    Timestamp created;
    Timestamp newest;  // maximum of its finite timestamps
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

Columns columns_of(Relation relation) {
    return {column_number(relation, "notebook_id", UUIDOID), column_number(relation, "created_at", TIMESTAMPOID),
            column_number(relation, "updated_at", TIMESTAMPOID), column_number(relation, "deleted_at", TIMESTAMPOID),
            column_number(relation, "deletion_id", UUIDOID)};
}

// Inserts the deletions, or adds to the row count of those that an earlier statement has logged.
void log_deletions(Relation sources, const Effects *effects, Oid acting_role) {
    if (effects->deleted.empty()) return;
    const char *sql = psprintf(
        "INSERT INTO %s AS known (id, login_role, acting_role, reason, sources)"
        " VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (id) DO UPDATE SET sources = known.sources OPERATOR(pg_catalog.+) excluded.sources",
        hold_beside(sources, "discovery_deletions", "deletion log"));
    for (const auto &[id, rows] : effects->deleted) {
        const Deletion *deletion = find_deletion(id);
        if (deletion == nullptr) continue;
        run_saved(sql, {uuid_argument(to_datum(id)),
                        text_argument(GetUserNameFromId(GetSessionUserId(), false)),
                        text_argument(GetUserNameFromId(acting_role, false)),
                        text_argument(deletion->reason),
                        {INT8OID, Int64GetDatum(rows)}});
    }
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_source_change) {
    CHECK_FOR_INTERRUPTS();
    TriggerData *trigger = after_call(fcinfo, "discovery_source_change", true);
    Relation sources = trigger->tg_relation;
    const Columns &columns = once_a_statement(fcinfo, [&] { return columns_of(sources); });
    bool has_old = !TRIGGER_FIRED_BY_INSERT(trigger->tg_event), has_new = !TRIGGER_FIRED_BY_DELETE(trigger->tg_event);
    Source before{}, after{};
    if (has_old) before = read_source(trigger->tg_trigslot, columns);
    if (has_new) after = read_source(has_old ? trigger->tg_newslot : trigger->tg_trigslot, columns);
    bool was_live = has_old && before.is_live, is_live = has_new && after.is_live;
    bool has_moved = before.has_notebook != after.has_notebook || before.notebook != after.notebook;
    if (was_live == is_live && !(is_live && has_moved)) return PointerGetDatum(nullptr);

    // For a new row, use created_at only: the later changes of the source did not change updated_at
    // of its notebook. Restoring a data-only dump therefore leaves updated_at unchanged.
    Timestamp newest = !has_new ? GetCurrentTransactionStartTimestamp() : has_old ? after.newest : after.created;
    Effects *effects = &effects_here(fcinfo);
    in_core([&] {
        if (was_live && before.has_notebook) effects->tally.add(before.notebook, -1, newest, true);
        if (is_live && after.has_notebook) effects->tally.add(after.notebook, 1, newest, has_old && !has_moved);
        if (was_live && has_new && after.has_deletion) ++effects->deleted[after.deletion];
    });
    return PointerGetDatum(nullptr);
}

DISCOVERY_FUNCTION(discovery_source_statement) {
    TriggerData *trigger = after_call(fcinfo, "discovery_source_statement", false);
    Relation sources = trigger->tg_relation;
    bool is_truncate = TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event);
    // What the writes below fire, users' triggers, belongs to statements of their own.
    Effects *effects = take_effects(fcinfo);
    if (effects == nullptr && !is_truncate) return PointerGetDatum(nullptr);

    if (is_truncate) {
        clear_counts(sources);
        if (effects == nullptr) return PointerGetDatum(nullptr);
    }
    add_to_counts(sources, effects->tally);
    if (!effects->deleted.empty() || !effects->lost_files.empty()) {
        Oid acting_role = GetUserId();
        SPI_connect();
        Session session = act_as_owner_of(sources);
        log_deletions(sources, effects, acting_role);
        list_lost_files(sources, effects->lost_files);
        leave(session);
        SPI_finish();
    }
    return PointerGetDatum(nullptr);
}
