// The arguments of a function of the extension.
#pragma once

#include "server/queries.hpp"

namespace discovery {

/// An argument of the function as one of a statement; NULL stays NULL.
Argument argument(FunctionCallInfo fcinfo, int number, Oid type);

/// An argument of type name; null if it is NULL.
const char *name_argument(FunctionCallInfo fcinfo, int number);

/// An argument of type text; nullopt if it is NULL.
std::optional<std::string_view> view_argument(FunctionCallInfo fcinfo, int number);

/// Raises 22004 if the argument is NULL.
void require_argument(FunctionCallInfo fcinfo, int number, const char *name);

/// An argument that must be one of two words. Errors: 22023, 22004.
bool is_second_word(FunctionCallInfo fcinfo, int number, const char *name, const char *first, const char *second);

}  // namespace discovery
