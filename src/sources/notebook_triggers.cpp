// The row trigger on notebooks, before INSERT and UPDATE. It discards a source_count that a client
// writes, and sets updated_at when the row's own data changes.
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
        // No source can refer to a new notebook yet.
        changes.set(source_count, Int32GetDatum(0));
        return PointerGetDatum(changes.apply(trigger->tg_trigtuple, relation));
    }
    HeapTuple before = trigger->tg_trigtuple, after = trigger->tg_newtuple;
    if (is_counting(relation, value_of(before, column_number(relation, "id", UUIDOID), relation)))
        return PointerGetDatum(after);
    Value count = value_of(before, source_count, relation);
    changes.set(source_count, count.datum, count.is_null);
    set_updated_at(changes, before, after, relation, column_number(relation, "updated_at", TIMESTAMPOID), source_count);
    return PointerGetDatum(changes.apply(after, relation));
}
