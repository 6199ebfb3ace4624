// The migrations that the extension ships: its scripts, read into steps, and
// its shapes; and the way from one version to another.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/shape.hpp"
#include "core/version.hpp"

namespace discovery::core {

/// A file as shipped, without its directory.
struct File {
    std::string_view name;
    std::string_view text;
};

/// The SQL that takes a store from one version to a neighbouring one.
struct Step {
    Version from;
    Version to;
    std::string description;
    std::string sql;  // with @store@ and @functions@ in place of the schemas

    bool is_up() const { return from < to; }
};

struct Release {
    Version version;
    Shape shape;
};

struct Migrations {
    std::string record_sql;  // makes the table discovery_migrations
    std::vector<Step> steps;
    std::vector<Release> releases;  // ascending

    Version newest() const { return releases.empty() ? Version{} : releases.back().version; }
    /// Null if there is no such release.
    const Release *release(Version version) const;
};

/// Reads "discovery--….sql" and "discovery--….shape". In a script a step is a
/// comment `/* step FROM -> TO: description`, an empty line, SQL, and `*/` on a
/// line of its own; the record's is `/* record: description`.
/// Errors: malformed_script, naming file and line.
Result<Migrations> read_migrations(std::span<const File> files);

/// The steps from one version to another, in order; none if they are the same.
/// Errors: unknown_version.
Result<std::vector<const Step *>> find_path(const Migrations &migrations, Version from, Version to);

}  // namespace discovery::core
