// The triggers on outputs: the counts of the notebooks, updated_at, and the trash.
#include "sources/counts.hpp"
#include "sources/deletion_log.hpp"
#include "sources/own_write.hpp"
#include "sources/trash.hpp"

namespace discovery {
namespace {

struct Columns {
    AttrNumber id, notebook_id, created_at, updated_at;
};

struct Output {
    core::Uuid id;
    bool has_notebook;  // false only if the user dropped NOT NULL
    core::Uuid notebook;
    Timestamp created, updated;  // INT64_MIN if not finite
};

Output read_output(TupleTableSlot *slot, const Columns &columns) {
    Output output{};
    bool is_null;
    Datum id = slot_getattr(slot, columns.id, &is_null);
    if (!is_null) output.id = to_uuid(id);
    Datum notebook = slot_getattr(slot, columns.notebook_id, &is_null);
    output.has_notebook = !is_null;
    if (!is_null) output.notebook = to_uuid(notebook);
    output.created = finite_timestamp(slot, columns.created_at);
    output.updated = Max(output.created, finite_timestamp(slot, columns.updated_at));
    return output;
}

Columns columns_of(Relation relation) {
    return {column_number(relation, "id", UUIDOID), column_number(relation, "notebook_id", UUIDOID),
            column_number(relation, "created_at", TIMESTAMPOID), column_number(relation, "updated_at", TIMESTAMPOID)};
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_output_row) {
    TriggerData *trigger = row_call(fcinfo, "discovery_output_row");
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) return PointerGetDatum(trigger->tg_trigtuple);
    Relation outputs = trigger->tg_relation;
    RowChanges changes;
    set_updated_at(changes, trigger->tg_trigtuple, trigger->tg_newtuple, outputs,
                   column_number(outputs, "updated_at", TIMESTAMPOID));
    return PointerGetDatum(changes.apply(trigger->tg_newtuple, outputs));
}

DISCOVERY_FUNCTION(discovery_output_change) {
    CHECK_FOR_INTERRUPTS();
    TriggerData *trigger = after_call(fcinfo, "discovery_output_change", true);
    Relation outputs = trigger->tg_relation;
    const Columns &columns = once_a_statement(fcinfo, [&] { return columns_of(outputs); });
    bool has_old = !TRIGGER_FIRED_BY_INSERT(trigger->tg_event), has_new = !TRIGGER_FIRED_BY_DELETE(trigger->tg_event);
    Output before{}, after{};
    if (has_old) before = read_output(trigger->tg_trigslot, columns);
    if (has_new) after = read_output(has_old ? trigger->tg_newslot : trigger->tg_trigslot, columns);
    if (has_old && has_new && before.has_notebook == after.has_notebook && before.notebook == after.notebook)
        return PointerGetDatum(nullptr);
    const Deletion *deletion = has_new ? nullptr : deletion_keeping(before.id, before.notebook);
    if (deletion != nullptr) deletion = move_to_trash(outputs, "outputs", trigger->tg_trigtuple, deletion);
    // As for a new source, only created_at counts.
    Timestamp newest = has_old ? after.updated : after.created;
    if (!has_new || is_coming_back(trigger->tg_trigtuple, outputs)) newest = GetCurrentTransactionStartTimestamp();
    Effects *effects = &effects_here(fcinfo);
    in_core([&] {
        if (has_old && before.has_notebook)
            effects->tally.add(before.notebook, {.outputs = -1, .newest = newest, .is_free = true});
        if (has_new && after.has_notebook) effects->tally.add(after.notebook, {.outputs = 1, .newest = newest});
        if (deletion != nullptr) ++effects->deleted[deletion->id].outputs;
    });
    return PointerGetDatum(nullptr);
}

DISCOVERY_FUNCTION(discovery_output_statement) {
    TriggerData *trigger = after_call(fcinfo, "discovery_output_statement", false);
    Relation outputs = trigger->tg_relation;
    // What the writes below fire, users' triggers, belongs to statements of their own.
    Effects *effects = take_effects(fcinfo);
    if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event)) clear_counts(outputs, output_count);
    if (effects == nullptr) return PointerGetDatum(nullptr);
    add_to_counts(outputs, effects->tally);
    log_deletions(outputs, effects->deleted);
    return PointerGetDatum(nullptr);
}
