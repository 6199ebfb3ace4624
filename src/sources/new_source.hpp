// A source that a caller gives, checked by the application's rules.
#pragma once

#include "server/queries.hpp"
#include "sources/own_columns.hpp"

#include "core/source.hpp"

namespace discovery {

/// What the caller gives, of the types of add_source()'s arguments. `content` is bytea.
struct GivenSource {
    Argument notebook_id, name, source_type, content, extracted_text, content_hash, file_type, url, file_path,
        file_size, metadata, columns;
    text *hash_of_content = nullptr;  // computed by violations_of()
};

/// What happens if the content is there already.
struct Conflict {
    std::string_view on_duplicate, on_deleted;
};

/// The rules that a source violates, one sentence each.
using Violations = std::vector<std::string>;
const Violations *violations_of(GivenSource &given, const Conflict &conflict);

/// The values of the source to write.
struct NewSource {
    Argument notebook_id, name, source_type, extracted_text, content_hash, file_type, url, file_path, file_size,
        metadata, columns;
    const OwnColumns *own;  // the user's own columns, or null if none are given
    bool has_identity;      // content_hash is not empty
};

/// Returns the values of a source for which violations_of() has found no violation.
/// Errors: those of read_own_columns().
NewSource make_source(const GivenSource &given, const Store &store);

}  // namespace discovery
