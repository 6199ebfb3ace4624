// Takes the definition of an object apart, and writes the statements that create, change and drop the
// object.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/shape.hpp"

namespace discovery::core {

/// One change. In `statement`, @store@ and @functions@ stand for the schemas. It has no semicolon
/// at its end. An empty statement is a note: `comment` says what must be done by hand.
struct Repair {
    std::string statement;
    std::string comment = {};  // a note for the reader; may be empty
};

/// The parts of a column's definition.
struct Column {
    std::string type;  // includes the collation
    bool is_not_null = false;
    bool is_valid = true;       // false: PostgreSQL 18 has not checked NOT NULL for the present rows
    std::string generated;      // the GENERATED clause, or empty
    std::string default_value;  // the DEFAULT expression, or empty

    bool is_identity() const;
};
Column take_apart(std::string_view definition);

/// A definition without the state at its end ("DISABLED", "ENABLED REPLICA", "ENABLED ALWAYS"), and
/// the state, which is empty if it is the usual one.
struct Stated {
    std::string_view definition;
    std::string_view state;
};
Stated without_state(std::string_view definition);

/// A definition without " OWNER a INSTEAD OF b" at its end, and b, the owner it should have.
struct Owned {
    std::string_view definition;
    std::string_view owner;
};
Owned without_owner(std::string_view definition);

/// Returns an index definition without WITH (...) and without INVALID.
std::string without_parameters(std::string_view definition);
std::string_view without_invalid(std::string_view definition);

/// Whether the kind is that of an object that others stand on and that belongs to no other: a table,
/// a view, a type, a sequence, a function, ...
bool stands_alone(const Object &object);
/// Whether the kind is table, view or matview.
bool is_relation(const Object &object);

/// Returns the name without the relation; empty for an object that stands alone.
std::string part_of(const Object &object);
/// Returns "@store@.name".
std::string on_store(std::string_view name);

/// Returns the statements that create the object; `shape` has the columns of a table.
std::vector<Repair> create(const Object &object, const Shape &shape);
/// Returns the statements that change the object in place; none if that is not possible.
std::vector<Repair> change(const Object &is, const Object &should_be, const Shape &shape);
/// Returns the statement that drops the object, or undoes the setting; may be empty.
std::string drop(const Object &object, const Shape &shape);

}  // namespace discovery::core
