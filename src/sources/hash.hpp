// The content hash, for use inside the extension.
#pragma once

#include "server/sha256.hpp"

namespace discovery {

/// SHA-256 of the UTF-8 bytes of a text value (SQL_ASCII: of its bytes as they are), which may be
/// toasted. Returns 64 hex digits.
text *sha256_hex_of_text(Datum value);

/// The same for the bytes of a bytea value.
text *sha256_hex_of_bytes(Datum value);

}  // namespace discovery
