// Computes SHA-256 digests with PostgreSQL's pg_cryptohash.
#include "server/sha256.hpp"

extern "C" {
#include "common/sha2.h"
}

#include "core/hex.hpp"
#include "core/slices.hpp"

namespace discovery {
namespace {

[[noreturn]] void fail(pg_cryptohash_ctx *digest, const char *action) {
    ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR),
            errmsg("could not %s SHA-256: %s", action, pg_cryptohash_error(digest)));
}

void update(pg_cryptohash_ctx *digest, const void *bytes, size_t size) {
    if (pg_cryptohash_update(digest, static_cast<const uint8 *>(bytes), size) < 0) fail(digest, "update");
}

}  // namespace

pg_cryptohash_ctx *begin_sha256() {
    pg_cryptohash_ctx *digest = pg_cryptohash_create(PG_SHA256);
    if (pg_cryptohash_init(digest) < 0) fail(digest, "initialize");
    return digest;
}

void add_bytes(pg_cryptohash_ctx *digest, const char *bytes, size_t size) {
    for (core::Slice slice : core::Slices{size}) {
        update(digest, bytes + slice.offset, slice.length);
        CHECK_FOR_INTERRUPTS();
    }
}

text *finish_sha256(pg_cryptohash_ctx *digest) {
    uint8 bytes[PG_SHA256_DIGEST_LENGTH];
    if (pg_cryptohash_final(digest, bytes, sizeof bytes) < 0) fail(digest, "finalize");
    constexpr Size size = VARHDRSZ + 2 * PG_SHA256_DIGEST_LENGTH;
    text *hash = static_cast<text *>(palloc(size));
    SET_VARSIZE(hash, size);
    core::to_hex(bytes, sizeof bytes, VARDATA(hash));
    return hash;
}

text *sha256_hex(std::string_view bytes) {
    pg_cryptohash_ctx *digest = begin_sha256();
    add_bytes(digest, bytes.data(), bytes.size());
    text *hash = finish_sha256(digest);
    pg_cryptohash_free(digest);
    return hash;
}

}  // namespace discovery
