// What of a step can run ahead of it, while clients of the version before write to the store. Marks in
// the step's script say so: it is in one place, for the step and for its preparation.
#pragma once

#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/shape.hpp"
#include "core/version.hpp"

namespace discovery::core {

/// What the comment before a statement says:
///
///     -- @ahead@                     the statement may run ahead; the step then leaves it out
///     -- @ahead@ ids of TABLE        the same, in batches: `column @batch@` in the statement stands for a
///                                    range of TABLE's ids
///     -- @ahead@ locked ids of TABLE the same; the rows of TABLE in the range are locked first
///     -- @ahead@ pages of TABLE      the same; `ctid @batch@` stands for a range of TABLE's pages
///     -- @only ahead@                the statement belongs to the preparation, not to the step
///     -- @only native@               the SQL-only edition (sql/portable) leaves it out; beside one of the others
struct Ahead {
    enum class When { step, ahead, only_ahead };
    enum class Batch { none, ids, locked_ids, pages };
    When when = When::step;
    Batch batch = Batch::none;
    std::string table = {};  // of the batches

    bool is_in_batches() const { return batch != Batch::none; }
};

inline constexpr std::string_view batch_mark = "@batch@";
/// What @batch@ stands for where the statement runs for all rows at once.
inline constexpr std::string_view all_rows = "IS NOT NULL";
/// A range of ids or pages, in the place of @batch@.
std::string batch_of_ids(std::string_view first, std::string_view last);
std::string batch_of_pages(unsigned first, unsigned last);

/// Reads the comment before a statement. Errors: malformed_script (F0000) a mark of another form.
Result<Ahead> read_ahead(std::string_view statement);

/// Returns the statement without the lines of such marks.
std::string without_mark(std::string_view statement);

/// Returns the statement without the comments and blanks before it.
std::string_view without_comments(std::string_view statement);

/// Returns the name of a prepared index until the step to `version` renames it.
std::string prepared_name(std::string_view index, Version version);

/// Returns a CREATE INDEX statement for the prepared index, built CONCURRENTLY.
std::string prepared_index(std::string_view statement, std::string_view name);

/// Returns a CREATE TRIGGER statement whose trigger calls its function by way of discovery_prepared(),
/// which the version before the step has too.
std::string prepared_trigger(std::string_view statement);

/// Returns an ALTER TABLE statement that adds only those of its columns that the table does not have.
std::string unless_there(std::string_view statement);

/// Whether `is`, an index under its prepared name, is valid and otherwise defined as `should_be`.
bool is_prepared_index(const Object &is, const Object &should_be, Version version);

/// Returns `shape` without what the preparation of the step from `before` to `after` has put there.
Shape without_preparation(const Shape &shape, const Shape &before, const Shape &after, Version version);

}  // namespace discovery::core
