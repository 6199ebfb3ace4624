// The statements of a step, and how the step runs on a store: whole, or without what has run ahead.
#pragma once

#include "store/catalog.hpp"
#include "store/scripts.hpp"

#include "core/preparation.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace discovery {

/// A statement of a script.
struct Statement {
    int number;        // in the script, from 1; 0 if a preparation makes it necessary
    const char *text;  // with the comment before it
    Node *tree;
    const core::Ahead *ahead;
};

/// Returns the statements of a script for the store in `schema`, with the schemas and the values that depend
/// on the server filled in. `batch` is the range that @batch@ stands for.
/// Errors: F0000 a mark of another form.
List *read_statements(const std::string &sql, Oid schema, std::string_view batch = core::all_rows);

/// The same for one statement that a preparation makes necessary.
Statement *make_statement(const char *text);

/// Runs a statement of a step, inside SPI_connect(). What a SELECT of two columns returns is told to the
/// user, as a warning and its hint.
void run_and_tell(const Statement *statement);

/// Returns the name of the index, table or trigger that the statement creates; null for another one.
const char *name_of_new(const Statement *statement);

/// Returns the definition of the index `name` in a shape, or null.
const core::Object *find_index(const core::Shape &shape, const char *name);

}  // namespace discovery
