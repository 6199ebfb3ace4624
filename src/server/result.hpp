// Builds the result of a set-returning function.
#pragma once

#include "server/queries.hpp"

namespace discovery {

/// Starts an empty result and returns where its rows go. Its columns are those that the caller expects, not asked of
/// the catalog: an update of the extension may have replaced the function since the call began.
inline Rows begin_result(FunctionCallInfo fcinfo) {
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    return {result->setResult, result->setDesc};
}

/// Adds a row to the result. `values` and `nulls` have one element for each column of the function.
inline void put_row(FunctionCallInfo fcinfo, const Datum *values, const bool *nulls) {
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    tuplestore_putvalues(result->setResult, result->setDesc, const_cast<Datum *>(values), const_cast<bool *>(nulls));
}

/// Runs a query, which qualifies every name and operator, and returns its rows as the result of the
/// set-returning function.
/// Errors: 42804 a column has not the type of the function's.
Datum return_rows(FunctionCallInfo fcinfo, const char *sql, std::initializer_list<Argument> arguments);

}  // namespace discovery
