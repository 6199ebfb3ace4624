// What the triggers of a store have in common.
#pragma once

#include "server/guard.hpp"
#include "sources/uuid.hpp"

extern "C" {
#include "commands/trigger.h"
}

namespace discovery {

/// The call of a trigger before each row of INSERT or UPDATE, after each row, or
/// after each statement. Errors: 39P01 if the function was called in another way.
TriggerData *row_call(FunctionCallInfo fcinfo, const char *function);
TriggerData *after_call(FunctionCallInfo fcinfo, const char *function, bool for_each_row);

/// What `find` returns, a plain struct, for the trigger that is called: looked up
/// once a statement.
template <class Find>
const auto &once_a_statement(FunctionCallInfo fcinfo, Find find) {
    using T = decltype(find());
    if (fcinfo->flinfo->fn_extra == nullptr) {
        T found = find();
        fcinfo->flinfo->fn_extra = new (MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(T))) T(found);
    }
    return *static_cast<const T *>(fcinfo->flinfo->fn_extra);
}

/// The number of a column of the trigger's table, whose values can be read as
/// that type: anybody may put our triggers on a table of his own, whatever its
/// columns are. Errors: 42703, 42804.
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

/// Whether both are stored alike. Values that are equal may be stored otherwise.
bool is_same(const Value &a, const Value &b, Form_pg_attribute attribute);

/// The clock of the transaction in UTC, as a timestamp without time zone.
inline Datum utc_now() { return TimestampGetDatum(GetCurrentTransactionStartTimestamp()); }

/// Replaces columns of a row, up to a handful, in one copy.
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

/// While add_source() brings this source back, its hash stands, whatever text
/// comes along: it is that of the content that was asked for. Null ends it.
void keep_hash_of(const pg_uuid_t *source);

/// Sets updated_at to now where the update leaves it as it was although it
/// changes other columns of the row, `kept_by_us` aside.
void set_updated_at(RowChanges &changes, HeapTuple before, HeapTuple after, Relation relation, AttrNumber updated_at,
                    AttrNumber kept_by_us);

}  // namespace discovery
