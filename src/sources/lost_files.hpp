// The list of lost files.
#pragma once

#include <string>
#include <vector>

#include "sources/triggers.hpp"

namespace discovery {

/// Collects the path of a file that a source loses, which is not NULL, for the trigger of the statement.
void lose_file(FunctionCallInfo trigger, const Value &path);

/// Adds paths to the list in the schema of `sources`. Acts as the owner of the table.
/// Errors: 55000 the schema has no list of the same owner.
void list_lost_files(Relation sources, const std::vector<std::string> &paths);

}  // namespace discovery
