// The list of lost files.
#pragma once

#include <string>
#include <vector>

#include "server/guard.hpp"

namespace discovery {

/// Adds paths to the list in the schema of `sources`. Inside SPI_connect(), as the owner of the table.
/// Errors: 55000 the schema has no list of the same owner.
void list_lost_files(Relation sources, const std::vector<std::string> &paths);

}  // namespace discovery
