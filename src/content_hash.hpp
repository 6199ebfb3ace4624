// SHA-256 for the extension itself.
#pragma once

#include "guard.hpp"

namespace discovery {

/// 64 lower-case hex digits, in CurrentMemoryContext.
text *sha256_hex(std::string_view bytes);

/// The same of a value of type text, which may be toasted; of its UTF-8 bytes.
text *sha256_hex_of_text(Datum value);

/// The same of a value of type bytea.
text *sha256_hex_of_bytes(Datum value);

}  // namespace discovery
