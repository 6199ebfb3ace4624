// SHA-256 for the extension itself.
#pragma once

#include "guard.hpp"

namespace discovery {

/// 64 lower-case hex digits, in CurrentMemoryContext.
text *sha256_hex(std::string_view bytes);

}  // namespace discovery
