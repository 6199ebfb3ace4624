// The shape of a store: what its tables, columns, constraints, indexes,
// triggers, views and comments are, free of the schema's name; and what sets
// two shapes apart.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace discovery::core {

/// One object of a store. `kind` is a word ("column"), `name` its place in the
/// store ("sources.url"), each part quoted where SQL needs it, `definition` how
/// PostgreSQL prints it.
struct Object {
    std::string kind;
    std::string name;
    std::string definition;

    auto operator<=>(const Object &) const = default;
    /// The table or view that the object is, or belongs to.
    std::string_view relation() const;
};

/// Sorted by kind and name, each of which occurs once.
using Shape = std::vector<Object>;

/// Puts objects in the order that Shape promises.
void sort(Shape &shape);

/// Reads the canonical description: `kind name: definition`, one object a line.
/// Errors: malformed_script, with the number of the line.
Result<Shape> parse_shape(std::string_view description);

/// The line of the canonical description, without a newline.
std::string describe(const Object &object);

/// A schema, those of its objects that are ours, and the mark that stands for it
/// in a shape; names quoted where PostgreSQL would quote them.
struct Namespace {
    std::string schema;
    std::string mark;
    std::set<std::string, std::less<>> names;
    bool is_of_functions = false;  // which are followed by their arguments
};

inline constexpr std::string_view store_mark = "@store@";
inline constexpr std::string_view extension_mark = "@functions@";

/// `definition` with "mark.name" for "schema.name", for the names of
/// `namespaces`. What else stands in these schemas stays as it is: a function or
/// type of the same name as one of PostgreSQL's is another one.
std::string mark_schemas(std::string_view definition, std::span<const Namespace> namespaces);

/// The opposite: `sql` with the quoted schemas in the places of the marks; not
/// inside literals, quoted names and comments.
std::string place_schemas(std::string_view sql, std::string_view store, std::string_view extension);

/// `definition` for people: without the marks.
std::string unmarked(std::string_view definition);

/// A sentence's worth of difference between what is and what should be.
struct Difference {
    enum class Kind { missing, different, extra };
    Kind kind;
    Object is;         // empty if missing
    Object should_be;  // empty if extra

    const Object &object() const { return kind == Kind::missing ? should_be : is; }
    /// "missing index sources.ix_sources_url: CREATE INDEX …"
    std::string text() const;
};

/// All differences, in the order of Shape. A missing table stands for itself:
/// the objects on it are not listed one by one.
std::vector<Difference> compare(const Shape &is, const Shape &should_be);

/// What is missing or different, without the extras: nobody's shape is broken
/// by what the user added.
std::vector<Difference> violations(std::vector<Difference> differences);

/// The texts, one a line.
std::string list(const std::vector<Difference> &differences);

/// What a step between two shapes takes away: a table (column is empty) or a
/// column of a table that stays.
struct Loss {
    std::string table;
    std::string column;

    auto operator<=>(const Loss &) const = default;
};

/// The losses of the way from one shape to another.
std::vector<Loss> losses(const Shape &from, const Shape &to);

}  // namespace discovery::core
