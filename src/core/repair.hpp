// Generates SQL from the differences between two shapes. The SQL repairs a store that differs from
// its version, or turns manual changes of a store into a migration.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/definition.hpp"
#include "core/shape.hpp"

namespace discovery::core {

/// Returns the statements that turn `is` into `should_be`, in an order in which they can run: an object
/// is created after what its definition names, and dropped before it. What blocks a change (a view over
/// a column whose type changes) is dropped first and created again. Relations that `should_be` does not
/// have are left unchanged unless `drops_relations` is true. If exactly one column of a type is dropped
/// from a table and one is added to it, this is treated as a rename. The comment then gives the
/// alternative.
std::vector<Repair> repair(const Shape &is, const Shape &should_be, bool drops_relations);

/// Returns the statements that repair only this difference between `is` and `should_be`, separated
/// by "; ". An index that has the name of a missing constraint, and its columns, becomes the constraint;
/// another index or constraint of the table with the name of a missing one is dropped first. The result
/// is a comment if something else has the name. It is empty if no statement can repair the difference,
/// and always for extra objects, which belong to the user.
std::string repair(const Difference &difference, const Shape &is, const Shape &should_be);

/// A column that one shape has and the other has under another name.
struct Rename {
    const Object *from;
    const Object *to;
};
/// Returns what repair() takes for renames. The pointers are into the differences.
std::vector<Rename> find_renames(const std::vector<Difference> &differences);

/// Whether the store has all that its guarantees rest on: the tables, constraints, unique indexes,
/// triggers, and defaults that call a function of the extension, of `should_be`. `there` lists what is
/// in force, as "KIND NAME" with names as in a shape.
bool is_guarded(const Shape &should_be, const std::set<std::string, std::less<>> &there);

/// Returns the statements that restore the triggers and column defaults that a store loses when the
/// functions of the extension are dropped.
std::vector<std::string> repair_lost_functions(const std::vector<Difference> &differences);

}  // namespace discovery::core
