// The migrations that the extension ships: the steps in its scripts, the shapes of its versions,
// and the path from one version to another.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/shape.hpp"
#include "core/version.hpp"

namespace discovery::core {

/// A shipped file. `name` has no directory.
struct File {
    std::string_view name;
    std::string_view text;
};

/// The SQL that migrates a store from one version to a neighbouring version.
struct Step {
    Version from;
    Version to;
    std::string description;
    std::string sql;  // @store@ and @functions@ stand for the schemas

    bool is_up() const { return from < to; }
};

/// A version and the shape that a store of this version has.
struct Release {
    Version version;
    Shape shape;
};

struct Migrations {
    std::string record_sql;  // creates the table discovery_migrations
    std::vector<Step> steps;
    std::vector<Release> releases;  // in ascending order of versions

    /// Returns the newest version, or base if there is no release.
    Version newest() const { return releases.empty() ? Version{} : releases.back().version; }
    /// Returns null if the release does not exist.
    const Release *release(Version version) const;
};

/// Reads the scripts (*.sql) and the shapes (discovery--VERSION.shape) among `files`, and ignores
/// all other files. A step in a script is a block comment. It consists of
/// `/* step FROM -> TO: description`, an empty line, SQL, and `*/` on a line of its own. The block
/// of the record starts with `/* record: description`. Errors: malformed_script (F0000), with file
/// and line.
Result<Migrations> read_migrations(std::span<const File> files);

/// Returns the steps from one version to another, in order. The result is empty if the versions are
/// the same, and it points into `migrations`. Errors: unknown_version (22023) if there is no path.
Result<std::vector<const Step *>> find_path(const Migrations &migrations, Version from, Version to);

}  // namespace discovery::core
