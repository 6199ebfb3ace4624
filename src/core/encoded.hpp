// Bytes that are written as text.
#pragma once

#include <string_view>

namespace discovery::core {

/// Whether the text is base64 (RFC 4648, section 4): groups of four digits, the last one filled up with =.
/// White space is allowed, as in PostgreSQL's decode().
bool is_base64(std::string_view text);

/// Whether the text is \x and an even number of hex digits, as PostgreSQL prints bytea.
bool is_hex_bytea(std::string_view text);

}  // namespace discovery::core
