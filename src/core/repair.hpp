// Generates SQL from the differences between two shapes. The SQL repairs a store that differs from
// its version, or turns manual changes of a store into a migration.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/shape.hpp"

namespace discovery::core {

/// One change. In `statement`, @store@ and @functions@ stand for the schemas. It has no semicolon
/// at its end.
struct Repair {
    std::string statement;
    std::string comment = {};  // a note for the reader; may be empty
};

/// Returns the statements that turn `is` into `should_be`, in an order in which they can run.
/// Objects that block other changes are dropped first, and tables are created before objects that
/// refer to them. Relations that `should_be` does not have are left unchanged unless
/// `drops_relations` is true. If exactly one column of a type is dropped from a table and one is
/// added to it, this is treated as a rename. The comment then gives the alternative.
std::vector<Repair> repair(const Shape &is, const Shape &should_be, bool drops_relations);

/// Returns the statements that repair only this difference between `is` and `should_be`, separated
/// by "; ". The result is empty if no statement can repair it, and always for extra objects, which
/// belong to the user.
std::string repair(const Difference &difference, const Shape &is, const Shape &should_be);

/// Whether a trigger or a default of `should_be` that calls a function of the extension does not
/// exist in the store. `there` lists what exists: "trigger NAME" for each trigger and "column NAME"
/// for each column with a default, with names as in a shape.
bool is_detached(const Shape &should_be, const std::set<std::string, std::less<>> &there);

/// Returns the statements that restore the triggers and column defaults that a store loses when the
/// functions of the extension are dropped.
std::vector<std::string> repair_lost_functions(const std::vector<Difference> &differences);

}  // namespace discovery::core
