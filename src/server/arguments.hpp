// Reads and checks the arguments of the extension's SQL functions. Arguments are numbered from 0.
#pragma once

#include "server/queries.hpp"

namespace discovery {

/// Returns an argument of the function, of type `type`, as an argument for a statement.
Argument argument(FunctionCallInfo fcinfo, int number, Oid type);

/// Returns an argument of type name, or null if it is NULL.
const char *name_argument(FunctionCallInfo fcinfo, int number);

/// Returns an argument of type text, or nullopt if it is NULL.
std::optional<std::string_view> view_argument(FunctionCallInfo fcinfo, int number);

/// Raises 22004 if the argument is NULL. `name` is the name of the argument for the message.
void require_argument(FunctionCallInfo fcinfo, int number, const char *name);

/// Reads an argument of type text that must be one of two words. Returns false for `first` and true
/// for `second`. Errors: 22023 if it is another word, 22004 if it is NULL.
bool is_second_word(FunctionCallInfo fcinfo, int number, const char *name, const char *first, const char *second);

}  // namespace discovery
