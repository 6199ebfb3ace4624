// The rows that a set-returning function returns.
#pragma once

#include "server/queries.hpp"

namespace discovery {

/// Begins the result, of which there is no row yet. `flags`: InitMaterializedSRF()'s.
inline Tuplestorestate *begin_result(FunctionCallInfo fcinfo, bits32 flags = 0) {
    InitMaterializedSRF(fcinfo, flags);
    return reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo)->setResult;
}

/// Adds a row, with a value and whether it is NULL for each column of the function's.
inline void put_row(FunctionCallInfo fcinfo, const Datum *values, const bool *nulls) {
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    tuplestore_putvalues(result->setResult, result->setDesc, const_cast<Datum *>(values), const_cast<bool *>(nulls));
}

/// Runs a query, with search_path pinned, and returns its rows as the result of
/// the set-returning function; its columns have the types of the function's.
Datum return_rows(FunctionCallInfo fcinfo, const char *sql, std::initializer_list<Argument> arguments);

}  // namespace discovery
