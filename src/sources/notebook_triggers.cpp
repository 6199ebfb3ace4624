// The triggers on notebooks. Before each row of INSERT and UPDATE: discards the counts that a client writes,
// and sets updated_at when the row's own data changes. After a row is deleted or gets another id: keeps its
// counts for the row that has the id next; and moves a deleted row to the trash, if it is to be kept.
//
// From version 1.2 on, the triggers have the argument 'output_count': before, the client keeps that count.
#include "sources/counts.hpp"
#include "sources/deletion_log.hpp"
#include "sources/own_write.hpp"
#include "sources/trash.hpp"
#include "store/preparation.hpp"

extern "C" {
#include "commands/trigger.h"
}

namespace discovery {
namespace {

struct Columns {
    AttrNumber id, source_count, output_count;  // the last is invalid if the client keeps it
};

Columns columns_of(Relation notebooks, bool keeps_outputs) {
    return {column_number(notebooks, "id", UUIDOID), column_number(notebooks, "source_count", INT4OID),
            keeps_outputs ? column_number(notebooks, "output_count", INT4OID) : AttrNumber{InvalidAttrNumber}};
}

bool keeps_outputs(const TriggerData *trigger) {
    const Trigger *definition = trigger->tg_trigger;
    return definition->tgnargs > 0 && strcmp(definition->tgargs[0], "output_count") == 0;
}

// Keeps a count as it was; a row with a new id begins with 0.
void keep_count(RowChanges &changes, AttrNumber count, HeapTuple before, Relation notebooks) {
    if (count == InvalidAttrNumber) return;
    Value kept = before ? value_of(before, count, notebooks) : Value{Int32GetDatum(0), false};
    changes.set(count, kept.datum, kept.is_null);
}

int64 count_in(HeapTuple row, AttrNumber column, Relation notebooks) {
    if (column == InvalidAttrNumber) return 0;
    Value count = value_of(row, column, notebooks);
    return count.is_null ? 0 : DatumGetInt32(count.datum);
}

void owe_counts_in(HeapTuple row, Relation notebooks, const Columns &columns) {
    Value id = value_of(row, columns.id, notebooks);
    if (id.is_null) return;
    owe_counts_of(notebooks, to_uuid(id.datum),
                  {.sources = count_in(row, columns.source_count, notebooks),
                   .outputs = count_in(row, columns.output_count, notebooks)});
}

bool has_same_id(HeapTuple before, HeapTuple after, Relation notebooks, AttrNumber id) {
    return is_same(value_of(before, id, notebooks), value_of(after, id, notebooks),
                   TupleDescAttr(RelationGetDescr(notebooks), id - 1));
}

}  // namespace

}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_notebook_row) {
    TriggerData *trigger = row_call(fcinfo, "discovery_notebook_row");
    Relation relation = trigger->tg_relation;
    const Columns columns = columns_of(relation, keeps_outputs(trigger));
    RowChanges changes;
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) {
        keep_count(changes, columns.source_count, nullptr, relation);
        keep_count(changes, columns.output_count, nullptr, relation);
        return PointerGetDatum(changes.apply(trigger->tg_trigtuple, relation));
    }
    HeapTuple before = trigger->tg_trigtuple, after = trigger->tg_newtuple;
    // Neither a count that is written nor a preparation that corrects one changes the notebook.
    if (is_in_batch() || is_counting(fcinfo, relation, value_of(before, columns.id, relation)))
        return PointerGetDatum(after);
    HeapTuple kept = has_same_id(before, after, relation, columns.id) ? before : nullptr;
    keep_count(changes, columns.source_count, kept, relation);
    keep_count(changes, columns.output_count, kept, relation);
    set_updated_at(changes, before, after, relation, column_number(relation, "updated_at", TIMESTAMPOID),
                   {columns.source_count, columns.output_count});
    return PointerGetDatum(changes.apply(after, relation));
}

// Not a function of SQL: where version 1.2 is prepared, it guards output_count beside the trigger of version 1.1.
DISCOVERY_FUNCTION(discovery_output_count) {
    TriggerData *trigger = row_call(fcinfo, "discovery_prepared");
    Relation relation = trigger->tg_relation;
    const Columns columns = columns_of(relation, true);
    RowChanges changes;
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) {
        keep_count(changes, columns.output_count, nullptr, relation);
        return PointerGetDatum(changes.apply(trigger->tg_trigtuple, relation));
    }
    HeapTuple before = trigger->tg_trigtuple, after = trigger->tg_newtuple;
    // The trigger of the version before asks after this one.
    if (is_counting(fcinfo, relation, value_of(before, columns.id, relation), false)) return PointerGetDatum(after);
    bool is_same_row = has_same_id(before, after, relation, columns.id);
    keep_count(changes, columns.output_count, is_same_row ? before : nullptr, relation);
    return PointerGetDatum(changes.apply(after, relation));
}

DISCOVERY_FUNCTION(discovery_notebook_change) {
    TriggerData *trigger = after_call(fcinfo, "discovery_notebook_change", true);
    Relation relation = trigger->tg_relation;
    const Columns columns = columns_of(relation, keeps_outputs(trigger));
    if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ||
        !has_same_id(trigger->tg_trigtuple, trigger->tg_newtuple, relation, columns.id))
        owe_counts_in(trigger->tg_trigtuple, relation, columns);
    return PointerGetDatum(nullptr);
}

DISCOVERY_FUNCTION(discovery_notebook_delete) {
    TriggerData *trigger = after_call(fcinfo, "discovery_notebook_delete", true);
    if (!TRIGGER_FIRED_BY_DELETE(trigger->tg_event)) return PointerGetDatum(nullptr);
    Relation relation = trigger->tg_relation;
    const Columns columns = columns_of(relation, true);
    Value id = value_of(trigger->tg_trigtuple, columns.id, relation);
    const Deletion *deletion = id.is_null ? nullptr : deletion_keeping(to_uuid(id.datum), to_uuid(id.datum));
    if (deletion != nullptr) {
        deletion = move_to_trash(relation, "notebooks", trigger->tg_trigtuple, deletion);
        auto *deleted = in_core([&] { return std::map<core::Uuid, Deleted>{{deletion->id, {.notebooks = 1}}}; });
        log_deletions(relation, *deleted);
    }
    owe_counts_in(trigger->tg_trigtuple, relation, columns);
    return PointerGetDatum(nullptr);
}
