// Versions of the store and of the extension: "1.0", "1.1", ...
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace discovery::core {

/// A version. "base", the state before the first release, compares lower than every other version.
struct Version {
    int major = 0;
    int minor = 0;

    auto operator<=>(const Version &) const = default;
    bool is_base() const { return *this == Version{}; }
    /// Returns "MAJOR.MINOR" or "base".
    std::string text() const;
};

/// Reads "MAJOR.MINOR" (decimal numbers of at most six digits, without sign or leading zeros) or
/// "base". Errors: invalid_argument (22023) for any other text.
Result<Version> parse_version(std::string_view text);

}  // namespace discovery::core
