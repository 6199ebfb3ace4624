// Reads and writes versions.
#include "core/version.hpp"

#include <charconv>

namespace discovery::core {
namespace {

// Reads a non-negative integer of at most six digits without leading zeros. Returns false if
// `digits` is anything else.
bool read_number(std::string_view digits, int &number) {
    if (digits.empty() || digits.size() > 6) return false;
    if (digits.size() > 1 && digits.front() == '0') return false;
    if (digits.front() == '-') return false;
    auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return failure == std::errc{} && end == digits.data() + digits.size();
}

}  // namespace

std::string Version::text() const {
    if (is_base()) return "base";
    return std::to_string(major) + "." + std::to_string(minor);
}

Result<Version> parse_version(std::string_view text) {
    Version version;
    if (text == "base") return version;
    auto dot = text.find('.');
    if (dot != text.npos && read_number(text.substr(0, dot), version.major) &&
        read_number(text.substr(dot + 1), version.minor) && !version.is_base())
        return version;
    return Error{ErrorKind::invalid_argument, "invalid version: \"" + std::string(text) + "\"", "",
                 "A version has the form MAJOR.MINOR, such as 1.0."};
}

}  // namespace discovery::core
