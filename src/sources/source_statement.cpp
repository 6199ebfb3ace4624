// The triggers on sources after INSERT, UPDATE, DELETE and TRUNCATE. The row triggers add up what a statement
// does; from version 1.2 on, one of its own for DELETE also moves the row to the trash. The statement trigger
// adds the sums to what is owed to the counts of the notebooks, and writes the deletion log, as the owner of the
// table. Transition tables are not used: they copy the rows with their texts, which these triggers do not need,
// and that doubled the time of a DELETE.
#include "server/queries.hpp"
#include "server/session.hpp"
#include "store/catalog.hpp"
#include "sources/counts.hpp"
#include "sources/deletion_log.hpp"
#include "sources/effects.hpp"
#include "sources/lost_files.hpp"
#include "sources/own_write.hpp"
#include "sources/trash.hpp"

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

Source read_source(TupleTableSlot *slot, const Columns &columns) {
    Source source{};
    bool is_null;
    Datum notebook = slot_getattr(slot, columns.notebook_id, &is_null);
    source.has_notebook = !is_null;
    if (!is_null) source.notebook = to_uuid(notebook);
    slot_getattr(slot, columns.deleted_at, &is_null);
    source.is_live = is_null;
    source.created = finite_timestamp(slot, columns.created_at);
    source.newest = Max(source.created, finite_timestamp(slot, columns.updated_at));
    source.newest = Max(source.newest, finite_timestamp(slot, columns.deleted_at));
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
    Timestamp newest = has_old ? after.newest : after.created;
    if (!has_new || is_coming_back(trigger->tg_trigtuple, sources)) newest = GetCurrentTransactionStartTimestamp();
    Effects *effects = &effects_here(fcinfo);
    in_core([&] {
        if (was_live && before.has_notebook)
            effects->tally.add(before.notebook, {.sources = -1, .newest = newest, .is_free = true});
        if (is_live && after.has_notebook)
            effects->tally.add(after.notebook, {.sources = 1, .newest = newest, .is_free = has_old && !has_moved});
        if (was_live && has_new && after.has_deletion) ++effects->deleted[after.deletion].sources;
    });
    return PointerGetDatum(nullptr);
}

DISCOVERY_FUNCTION(discovery_source_delete) {
    CHECK_FOR_INTERRUPTS();
    TriggerData *trigger = after_call(fcinfo, "discovery_source_delete", true);
    if (!TRIGGER_FIRED_BY_DELETE(trigger->tg_event)) return PointerGetDatum(nullptr);
    Relation sources = trigger->tg_relation;
    struct DeletedColumns {
        Columns of_all;
        AttrNumber id, file_path;
    };
    const DeletedColumns &columns = once_a_statement(fcinfo, [&] {
        return DeletedColumns{columns_of(sources), column_number(sources, "id", UUIDOID),
                              column_number(sources, "file_path", TEXTOID)};
    });
    const Source source = read_source(trigger->tg_trigslot, columns.of_all);
    Value id = value_of(trigger->tg_trigtuple, columns.id, sources);
    const Deletion *deletion = id.is_null ? nullptr : deletion_keeping(to_uuid(id.datum), source.notebook);
    if (deletion != nullptr) {
        deletion = move_to_trash(sources, "sources", trigger->tg_trigtuple, deletion);
    } else {
        Value path = value_of(trigger->tg_trigtuple, columns.file_path, sources);
        if (!path.is_null) lose_file(fcinfo, path);
    }
    if (deletion == nullptr && !source.is_live) return PointerGetDatum(nullptr);
    const Timestamp now = GetCurrentTransactionStartTimestamp();
    Effects *effects = &effects_here(fcinfo);
    in_core([&] {
        if (source.is_live && source.has_notebook)
            effects->tally.add(source.notebook, {.sources = -1, .newest = now, .is_free = true});
        if (deletion != nullptr) ++effects->deleted[deletion->id].sources;
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
        clear_counts(sources, source_count);
        if (effects == nullptr) return PointerGetDatum(nullptr);
    }
    add_to_counts(sources, effects->tally);
    log_deletions(sources, effects->deleted);
    list_lost_files(sources, effects->lost_files);
    return PointerGetDatum(nullptr);
}
