// The triggers on notebooks. Before each row of INSERT and UPDATE: discards a source_count that a client
// writes, and sets updated_at when the row's own data changes. After a row is deleted or gets another id:
// keeps its count for the row that has the id next.
#include "sources/counts.hpp"
#include "sources/triggers.hpp"

extern "C" {
#include "commands/trigger.h"
}

using namespace discovery;

DISCOVERY_FUNCTION(discovery_notebook_row) {
    TriggerData *trigger = row_call(fcinfo, "discovery_notebook_row");
    Relation relation = trigger->tg_relation;
    AttrNumber source_count = column_number(relation, "source_count", INT4OID);
    RowChanges changes;
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) {
        changes.set(source_count, Int32GetDatum(0));
        return PointerGetDatum(changes.apply(trigger->tg_trigtuple, relation));
    }
    AttrNumber id = column_number(relation, "id", UUIDOID);
    HeapTuple before = trigger->tg_trigtuple, after = trigger->tg_newtuple;
    Value old_id = value_of(before, id, relation), new_id = value_of(after, id, relation);
    if (is_counting(fcinfo, relation, old_id)) return PointerGetDatum(after);
    if (is_same(old_id, new_id, TupleDescAttr(RelationGetDescr(relation), id - 1))) {
        Value count = value_of(before, source_count, relation);
        changes.set(source_count, count.datum, count.is_null);
    } else {
        changes.set(source_count, Int32GetDatum(0));
    }
    set_updated_at(changes, before, after, relation, column_number(relation, "updated_at", TIMESTAMPOID), source_count);
    return PointerGetDatum(changes.apply(after, relation));
}

DISCOVERY_FUNCTION(discovery_notebook_change) {
    TriggerData *trigger = after_call(fcinfo, "discovery_notebook_change", true);
    Relation relation = trigger->tg_relation;
    AttrNumber id_column = column_number(relation, "id", UUIDOID);
    Value id = value_of(trigger->tg_trigtuple, id_column, relation);
    if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && is_same(id, value_of(trigger->tg_newtuple, id_column, relation),
                                                              TupleDescAttr(RelationGetDescr(relation), id_column - 1)))
        return PointerGetDatum(nullptr);
    Value count = value_of(trigger->tg_trigtuple, column_number(relation, "source_count", INT4OID), relation);
    if (!id.is_null && !count.is_null && DatumGetInt32(count.datum) != 0)
        owe_count_of(relation, to_uuid(id.datum), DatumGetInt32(count.datum));
    return PointerGetDatum(nullptr);
}
