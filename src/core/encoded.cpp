// Checks bytes that are written as text.
#include "core/encoded.hpp"

#include <algorithm>

namespace discovery::core {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

bool is_base64(std::string_view text) {
    std::size_t digits = 0, fill = 0;
    for (char c : text) {
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
        if (c == '=') {
            ++fill;
        } else if (fill > 0 || !(is_digit(c) || is_letter(c) || c == '+' || c == '/')) {
            return false;
        } else {
            ++digits;
        }
    }
    return fill <= 2 && (digits + fill) % 4 == 0 && !(fill > 0 && digits % 4 < 2);
}

bool is_hex_bytea(std::string_view text) {
    if (!text.starts_with("\\x") || text.size() % 2 != 0) return false;
    return std::all_of(text.begin() + 2, text.end(), is_hex_digit);
}

}  // namespace discovery::core
