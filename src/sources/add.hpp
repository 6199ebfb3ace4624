// What add_source() and add_sources() have in common: how they find, restore and write a source.
#pragma once

#include "sources/new_source.hpp"

namespace discovery {

/// The number of attempts before a source is given up. An attempt fails only if another session commits a
/// row with the same content, or removes one, between our SELECT and our write.
inline constexpr int most_attempts = 100;

/// The pieces of the statements. The queries repeat the predicates of the partial indexes, so that a
/// generic plan can use them.
inline constexpr const char *is_live =
    "source.deleted_at IS NULL AND source.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text";
inline constexpr const char *is_deleted =
    "source.deleted_at IS NOT NULL AND source.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text";
inline constexpr const char *live_index = "ix_sources_notebook_hash";
inline constexpr const char *deleted_index = "ix_sources_deleted_hash";
inline constexpr const char *unless_there = R"sql(
ON CONFLICT (notebook_id, content_hash)
    WHERE deleted_at IS NULL AND content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
    DO NOTHING
RETURNING id)sql";

enum class Attempt {
    done,
    found_no_row,       // the source to restore is live by now, or we may not update it
    found_a_duplicate,  // the duplicate is not visible to us
};

/// Restores a soft-deleted source with the values of `source`. If another session has added a duplicate
/// meanwhile, the update is rolled back. Inside SPI_connect().
Attempt try_restore(const Store &store, const NewSource &source, Datum id);

/// Raises 23505: an identical source exists, `id` with that name, or null if the caller may not see it.
/// `number` is that of the source in a batch, or 0.
[[noreturn]] void raise_duplicate(const Store &store, int number, const char *id, const char *name);

/// Raises 42501 for a source that cannot be added after many attempts: an invisible duplicate or a policy
/// prevents it.
[[noreturn]] void raise_prevented(const Store &store, int number, bool has_duplicate);

}  // namespace discovery
