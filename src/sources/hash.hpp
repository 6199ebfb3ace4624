// The content hash, for the extension itself.
#pragma once

#include "server/sha256.hpp"

namespace discovery {

/// SHA-256 of a value of type text, which may be toasted, in hex; of its UTF-8 bytes.
text *sha256_hex_of_text(Datum value);

/// The same of a value of type bytea.
text *sha256_hex_of_bytes(Datum value);

}  // namespace discovery
