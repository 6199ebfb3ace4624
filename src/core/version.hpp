// Versions of the store and of the extension: "1.0", "1.1", …
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace discovery::core {

/// `base`, the state before the first release, compares below every other.
struct Version {
    int major = 0;
    int minor = 0;

    auto operator<=>(const Version &) const = default;
    bool is_base() const { return *this == Version{}; }
    std::string text() const;
};

/// Reads "MAJOR.MINOR" (decimal, no sign, no leading zeros, at most six digits
/// each) or "base"; everything else is an invalid_argument.
Result<Version> parse_version(std::string_view text);

}  // namespace discovery::core
