// What of a store that was altered by hand belongs into a migration, and what must be done by hand.
#pragma once

#include <string>
#include <vector>

#include "core/definition.hpp"
#include "core/shape.hpp"

namespace discovery::core {

/// What a relation needs or is used by outside the store's schema.
struct Surrounding {
    std::string relation;
    std::string what;  // "needs extension citext"
};

/// The statements of a migration, each direction with notes of what it does not bring along.
struct Migration {
    std::vector<Repair> up;
    std::vector<Repair> down;
};

/// Returns the migration from `version` to the altered store `is`. It takes along what stands on the
/// tables and views of the version, the tables that refer to them, the views over them, and the types,
/// sequences, functions and tables that these need. What it cannot take along, it says in a note.
Migration migration(const Shape &version, const Shape &is, const std::vector<Surrounding> &surroundings);

}  // namespace discovery::core
