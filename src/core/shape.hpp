// The shape of a store: its tables, columns, constraints, indexes, triggers, rules, views and
// comments, without the name of the schema. Also the differences between two shapes.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace discovery::core {

/// One object of a store. `kind` is one word ("column"). `name` is its name within the store
/// ("sources.url"), each part quoted if SQL requires it. `definition` is the definition as
/// PostgreSQL prints it.
struct Object {
    std::string kind;
    std::string name;
    std::string definition;

    auto operator<=>(const Object &) const = default;
    /// Returns the name of the table or view that the object is or belongs to.
    std::string_view relation() const;
};

/// Objects sorted by kind and name. Each pair of kind and name occurs once.
using Shape = std::vector<Object>;

/// Sorts the objects in the order that Shape requires.
void sort(Shape &shape);

/// Whether the definition is a plain text, such as that of a comment, and not SQL.
bool is_text(const Object &object);

/// Reads the canonical description: `kind name: definition`, one object per line. A newline in it is
/// written as \n, a carriage return as \r and a backslash as \\. Errors: malformed_script (F0000),
/// with the line number.
Result<Shape> parse_shape(std::string_view description);

/// Returns the line of the object in the canonical description, without a newline.
std::string describe(const Object &object);

/// A schema, the names of our objects in it, and the mark that stands for the schema in a shape.
/// Names are quoted if PostgreSQL would quote them.
struct Namespace {
    std::string schema;
    std::string mark;
    std::set<std::string, std::less<>> names;
    bool is_of_functions = false;  // the names are followed by arguments
};

inline constexpr std::string_view store_mark = "@store@";
inline constexpr std::string_view extension_mark = "@functions@";
inline constexpr std::string_view compression_mark = "@compression@";

/// Returns `definition` with "schema.name" replaced by "mark.name" for the names of `namespaces`.
/// Names of other objects in these schemas remain: a function or type with the name of one of
/// PostgreSQL's is a different object. Of the literals, only those that are the name of an object
/// ('schema.name'::regclass) are changed.
std::string mark_schemas(std::string_view definition, std::span<const Namespace> namespaces);

/// A mark in the text of a script, and its value.
struct Mark {
    std::string_view name;
    std::string_view value;
};

/// Returns `sql` with the marks replaced by their values, in one pass: a value is never searched for
/// marks. Does not replace marks inside quoted names, comments and literals, except in the name of an
/// object ('@store@.name'::regclass) and in the SQL between dollar quotes.
std::string place_marks(std::string_view sql, std::span<const Mark> values);

/// The same for the schemas alone, which the caller has quoted.
std::string place_schemas(std::string_view sql, std::string_view store, std::string_view extension);

/// Returns `definition` without the marks, for output to users.
std::string unmarked(std::string_view definition);
Object unmarked(const Object &object);

/// One difference between the present shape and the expected shape.
struct Difference {
    enum class Kind { missing, different, extra };
    Kind kind;
    Object is;         // empty if missing
    Object should_be;  // empty if extra

    const Object &object() const { return kind == Kind::missing ? should_be : is; }
    /// Returns a line such as "missing index sources.ix_sources_url: CREATE INDEX ...".
    std::string text() const;
};

/// Whether the kind is one that a user may tune without changing the store: storage, row security,
/// statistics, the order of the columns, ...
bool is_tuning(const Object &object);

/// What compare() looks at. `store` leaves out what a user may tune: objects of such kinds, and the
/// parameters of indexes.
enum class Detail { store, all };

/// Returns all differences, in the order of Shape. The objects on a missing table or view are not
/// listed.
std::vector<Difference> compare(const Shape &is, const Shape &should_be, Detail detail = Detail::store);

/// Returns what would keep a step from `before` to `after` from using tables and columns that `is` has already, as a
/// user or another program made them: tables, constraints and indexes of another definition; columns too, but for their
/// defaults, which the step may set; constraints that such a table lacks, and columns that the step does not add;
/// something else in the place of a table.
std::vector<Difference> conflicts(const Shape &is, const Shape &before, const Shape &after,
                                  const std::set<std::string, std::less<>> &added_columns);

/// Returns the missing and different objects. Extra objects, which the user added, are no
/// violation; nor is a comment, which pg_dump --no-comments leaves out.
std::vector<Difference> violations(std::vector<Difference> differences);

/// Returns the texts of the differences, one per line.
std::string list(const std::vector<Difference> &differences);

/// Something that a step between two shapes removes: a table (`column` is empty), or a column of a
/// table that remains.
struct Loss {
    std::string table;
    std::string column;

    auto operator<=>(const Loss &) const = default;
};

/// Returns the tables and columns that `from` has and `to` does not have.
std::vector<Loss> losses(const Shape &from, const Shape &to);

}  // namespace discovery::core
