// SHA-256 by PostgreSQL's pg_cryptohash.
#pragma once

#include "server/guard.hpp"

extern "C" {
#include "common/cryptohash.h"
}

namespace discovery {

/// A digest in CurrentMemoryContext, which its user frees with pg_cryptohash_free().
pg_cryptohash_ctx *begin_sha256();

/// Adds bytes that are in memory. Checks for interrupts between slices.
void add_bytes(pg_cryptohash_ctx *digest, const char *bytes, size_t size);

/// The digest as 64 lower-case hex digits, in CurrentMemoryContext. Nothing can be added after it.
text *finish_sha256(pg_cryptohash_ctx *digest);

/// The same of bytes at once.
text *sha256_hex(std::string_view bytes);

}  // namespace discovery
