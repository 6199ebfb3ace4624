// The SQL between two shapes: what repairs a store that differs from its version,
// and what makes a migration of a store that was altered by hand.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/shape.hpp"

namespace discovery::core {

/// One change, as a statement with @store@ and @functions@ for the schemas, no
/// semicolon at its end.
struct Repair {
    std::string statement;
    std::string comment = {};  // what a reader should know; may be empty
};

/// The statements that turn `is` into `should_be`, in an order in which they can
/// run: what stands in the way is dropped first, tables are made before what
/// refers to them. Of relations that `should_be` does not have nothing is
/// dropped unless `drops_relations`. Columns dropped and added of one type in one
/// table are taken for renamed, with the other possibility in the comment.
std::vector<Repair> repair(const Shape &is, const Shape &should_be, bool drops_relations);

/// The statements that repair one difference between the two by itself, the rest
/// of `is` staying as it is; empty where none can, as with the user's extras.
std::string repair(const Difference &difference, const Shape &is, const Shape &should_be);

/// Whether something that calls functions of the extension is not among `there`:
/// "trigger NAME" of every trigger, "column NAME" of every column with a default,
/// names as in a shape.
bool is_detached(const Shape &should_be, const std::set<std::string, std::less<>> &there);

/// The statements that put back what a store loses when the functions of the
/// extension are dropped under it: triggers, and defaults of columns.
std::vector<std::string> repair_lost_functions(const std::vector<Difference> &differences);

}  // namespace discovery::core
