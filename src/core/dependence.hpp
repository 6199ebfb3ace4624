// What an object of a shape needs, as its definition says.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/shape.hpp"

namespace discovery::core {

/// An object and the names in its definition.
struct Names {
    const Object *object = nullptr;
    std::string relation;                 // what it stands on, or its own name
    std::string part;                     // its name there
    std::set<std::string> words;          // all names and keywords
    std::set<std::string> mentioned;      // names of the store's schema, without the schema
    std::vector<std::string> columns;     // of an index or constraint: its columns or expressions
    std::vector<std::string> referenced;  // of a foreign key: the columns it refers to
    std::string target;                   // of a foreign key: the table it refers to
};
Names names_of(const Object &object);

/// Whether `a` can only exist while `b` exists, or must be created after it. May say so of an object
/// that only names a word like the name of `b`.
bool needs(const Names &a, const Names &b);

}  // namespace discovery::core
