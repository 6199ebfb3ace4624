// What the functions about data have in common: they work on the store that
// comes first in the caller's search_path, with the caller's rights.
#pragma once

#include "catalog.hpp"
#include "queries.hpp"
#include "result.hpp"
#include "uuid.hpp"

namespace discovery {

/// The caller's store. Errors: 42P01 none in search_path; 55000 it is not of the
/// extension's version, which is named with the way to bring it up.
Store current_store();

/// `sql` with @store@ replaced by the quoted schema, in CurrentMemoryContext.
const char *placed(const char *sql, const Store &store);

/// Runs a query, with search_path pinned, and returns its rows as the result of
/// the set-returning function; its columns have the types of the function's.
Datum return_rows(FunctionCallInfo fcinfo, const char *sql, std::initializer_list<Argument> arguments);

/// An argument of the function as one of a statement; NULL stays NULL.
Argument argument(FunctionCallInfo fcinfo, int number, Oid type);

/// An argument of type name; null if it is NULL.
const char *name_argument(FunctionCallInfo fcinfo, int number);

/// Raises 22004 if the argument is NULL.
void require_argument(FunctionCallInfo fcinfo, int number, const char *name);

/// An argument that must be one of two words. Errors: 22023, 22004.
bool is_second_word(FunctionCallInfo fcinfo, int number, const char *name, const char *first, const char *second);

}  // namespace discovery
