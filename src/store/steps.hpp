// Runs the steps of the migrations on a store, as its owner. Whoever calls this
// has checked that the owner may be acted for.
#pragma once

#include "store/catalog.hpp"
#include "store/scripts.hpp"

namespace discovery {

/// Makes the record in a schema whose tables have none, and notes the adoption.
/// Nothing else in the schema is touched.
void record_adoption(const core::Migrations *migrations, Oid schema, Oid owner, core::Version version,
                     const char *description);

/// Takes the store in `schema`, of `owner`, from one version to another, step
/// by step; `base` is no store. Each step is noted in the history, and followed
/// by a check of the shape.
/// Errors: 22023 no such way; 55000 rows or values would be lost and
/// discovery.allow_data_loss is off; 42P17 another shape than the release's came
/// out; for a statement that fails, its own SQLSTATE.
void run_steps(const core::Migrations *migrations, Oid schema, Oid owner, core::Version from, core::Version to);

/// Writes another version into the record, running nothing.
void stamp(Oid schema, Oid owner, core::Version from, core::Version to);

/// SHA-256 of a step as it stands in its script, in hex.
const char *step_checksum(const core::Step *step);

/// A step with the quoted schemas, and what else depends on the server, put in.
const char *place_step(const std::string &sql, const char *store, const char *extension);

/// The text of one of the statements, counted from 0, of a parsed script, with
/// the comment before it.
const char *text_of_statement(const char *script, const List *statements, int number);

/// Locks the tables of the store, which must be plain tables of its owner, and
/// raises 55000 if the way to version `to` would take rows, or values that are
/// not null, from them, unless discovery.allow_data_loss is on. `refused` is the
/// message.
void refuse_data_loss(const core::Migrations *migrations, const Store &store, core::Version to, const char *refused);

}  // namespace discovery
