// What the triggers of a store have in common.
#pragma once

#include "server/session.hpp"
#include "sources/uuid.hpp"

extern "C" {
#include "commands/trigger.h"
#include "executor/tuptable.h"
}

namespace discovery {

/// The trigger data of a call before each row of INSERT or UPDATE (row_call), or after each row or
/// statement (after_call). `function` is the function's name for the error message.
/// Errors: 39P01 if the function was called in another way.
TriggerData *row_call(FunctionCallInfo fcinfo, const char *function);
TriggerData *after_call(FunctionCallInfo fcinfo, const char *function, bool for_each_row);

/// The result of `find`, a plain struct. It is computed once per statement and trigger.
template <class Find>
const auto &once_a_statement(FunctionCallInfo fcinfo, Find find) {
    using T = decltype(find());
    if (fcinfo->flinfo->fn_extra == nullptr) {
        T found = find();
        fcinfo->flinfo->fn_extra = new (MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(T))) T(found);
    }
    return *static_cast<const T *>(fcinfo->flinfo->fn_extra);
}

/// The number of a column of the trigger's table, after checking that its values can be read as
/// `type`. The check is necessary because any role may put our triggers on its own table.
/// Errors: 42703 no such column; 42804 another type.
AttrNumber column_number(Relation relation, const char *name, Oid type);

/// A column's value in a row.
struct Value {
    Datum datum;
    bool is_null;
};
inline Value value_of(HeapTuple row, AttrNumber column, Relation relation) {
    Value value;
    value.datum = heap_getattr(row, column, RelationGetDescr(relation), &value.is_null);
    return value;
}

/// A timestamp of a row, or PG_INT64_MIN if it is NULL or infinite.
inline Timestamp finite_timestamp(TupleTableSlot *row, AttrNumber column) {
    bool is_null;
    Timestamp timestamp = DatumGetTimestamp(slot_getattr(row, column, &is_null));
    return is_null || TIMESTAMP_NOT_FINITE(timestamp) ? PG_INT64_MIN : timestamp;
}

/// Whether both values are NULL or stored identically. Equal values can be stored differently.
bool is_same(const Value &a, const Value &b, Form_pg_attribute attribute);

/// The start time of the transaction in UTC, as a timestamp without time zone.
inline Datum utc_now() { return TimestampGetDatum(GetCurrentTransactionStartTimestamp()); }

/// Collects new values for at most `most` columns and applies them to a row in one copy.
class RowChanges {
public:
    void set(AttrNumber column, Datum value, bool is_null = false) {
        Assert(count_ < most);
        columns_[count_] = column;
        values_[count_] = value;
        nulls_[count_++] = is_null;
    }
    HeapTuple apply(HeapTuple row, Relation relation) {
        if (count_ == 0) return row;
        return heap_modify_tuple_by_cols(row, RelationGetDescr(relation), count_, columns_, values_, nulls_);
    }

private:
    static constexpr int most = 4;
    int count_ = 0;
    int columns_[most];
    Datum values_[most];
    bool nulls_[most];
};

/// act_as() for the owner of a trigger's table: for what the trigger of a user's statement writes into
/// the other tables of the store. Deferred triggers of the owner are allowed, as the statement is the
/// user's. Restore by leave().
Session act_as_owner_of(Relation table);

/// The quoted name of a table in the schema of the trigger's table, which must be a plain table of the
/// same owner; both are locked until the transaction ends. The owner of the schema may have replaced it
/// with another object, whose code must not run as the owner of the trigger's table.
/// Errors: 55000, saying that the schema has no `what`.
const char *hold_beside(Relation table, const char *name, const char *what);

/// Sets updated_at to now if the update changes other columns but not updated_at. A change of columns that are
/// `kept_by_us` alone does not count.
void set_updated_at(RowChanges &changes, HeapTuple before, HeapTuple after, Relation relation, AttrNumber updated_at,
                    std::initializer_list<AttrNumber> kept_by_us = {});

}  // namespace discovery
