// Takes definitions apart: columns, indexes and lists of options.
#pragma once

#include "core/definition.hpp"

namespace discovery::core {

/// Returns the statements that alter a column in place; none if it must become a generated column: an
/// expression computes its values then, so the present values cannot be kept.
std::vector<Repair> change_column(const Object &is, const Object &should_be);

/// Returns the items of a list: the text between commas outside brackets, literals and quoted names.
std::vector<std::string> split_list(std::string_view list);

/// Returns the content of WITH (...) of an index; may be empty.
std::string parameters_of(std::string_view index);

/// Returns "DISABLE ROW LEVEL SECURITY, ..." for "ENABLE ROW LEVEL SECURITY, ...".
std::string opposite_of_security(std::string_view actions);

}  // namespace discovery::core
