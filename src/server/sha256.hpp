// Computes SHA-256 digests with PostgreSQL's pg_cryptohash. All functions raise XX000 if the
// computation fails.
#pragma once

#include "server/guard.hpp"

extern "C" {
#include "common/cryptohash.h"
}

namespace discovery {

/// Starts a digest in CurrentMemoryContext. The caller must free it with pg_cryptohash_free().
pg_cryptohash_ctx *begin_sha256();

/// Adds `size` bytes. Checks for interrupts after each slice (core/slices.hpp).
void add_bytes(pg_cryptohash_ctx *digest, const char *bytes, size_t size);

/// Returns the digest as 64 lower-case hex digits, in CurrentMemoryContext. No more bytes can be
/// added after this call.
text *finish_sha256(pg_cryptohash_ctx *digest);

/// Returns the SHA-256 of `bytes` as 64 lower-case hex digits, in CurrentMemoryContext.
text *sha256_hex(std::string_view bytes);

}  // namespace discovery
