// content_hash(bytea), content_hash(text) and content_hash_agg(bytea): SHA-256, computed with
// PostgreSQL's pg_cryptohash.
#include "sources/hash.hpp"

extern "C" {
#include "access/detoast.h"
#include "access/toast_internals.h"
#include "mb/pg_wchar.h"
}

#include "core/slices.hpp"

namespace discovery {
namespace {

using core::Slice;
using core::Slices;

// Adds text in memory, converted to UTF-8. The copy that a conversion makes can be four times as
// large, so the text is converted in slices of whole characters.
void add_text(pg_cryptohash_ctx *digest, const char *bytes, size_t size) {
    while (size > 0) {
        size_t length = Min(size, core::slice_size);
        if (length < size) length = pg_mbcliplen(bytes, static_cast<int>(size), static_cast<int>(length));
        char *converted = pg_server_to_any(bytes, static_cast<int>(length), PG_UTF8);
        add_bytes(digest, converted, converted == bytes ? length : strlen(converted));
        if (converted != bytes) pfree(converted);
        bytes += length;
        size -= length;
        CHECK_FOR_INTERRUPTS();
    }
}

// Whether the value can be read in slices from its TOAST table. Sets `size` to its size in bytes.
bool is_sliceable(struct varlena *value, Size *size) {
    if (!VARATT_IS_EXTERNAL_ONDISK(value)) return false;
    struct varatt_external pointer;
    VARATT_EXTERNAL_GET_POINTER(pointer, value);
    *size = pointer.va_rawsize - VARHDRSZ;
    return !VARATT_EXTERNAL_IS_COMPRESSED(pointer);
}

// Adds a value that may be toasted.
void add_value(pg_cryptohash_ctx *digest, Datum datum, bool is_text) {
    auto *value = reinterpret_cast<struct varlena *>(DatumGetPointer(datum));
    int encoding = GetDatabaseEncoding();
    bool as_it_is = !is_text || encoding == PG_UTF8 || encoding == PG_SQL_ASCII;
    auto add = as_it_is ? add_bytes : add_text;
    // Text that needs conversion is read in slices only in a single-byte encoding, because a slice
    // must not split a character.
    Size size;
    if ((as_it_is || pg_database_encoding_max_length() == 1) && is_sliceable(value, &size)) {
        for (Slice slice : Slices{size}) {
            struct varlena *part =
                detoast_attr_slice(value, static_cast<int32>(slice.offset), static_cast<int32>(slice.length));
            add(digest, VARDATA_ANY(part), VARSIZE_ANY_EXHDR(part));
            pfree(part);
        }
        return;
    }
    struct varlena *whole = pg_detoast_datum_packed(value);
    add(digest, VARDATA_ANY(whole), VARSIZE_ANY_EXHDR(whole));
    if (whole != value) pfree(whole);
}

text *hash_of(Datum value, bool is_text) {
    pg_cryptohash_ctx *digest = begin_sha256();
    add_value(digest, value, is_text);
    text *hash = finish_sha256(digest);
    pg_cryptohash_free(digest);
    return hash;
}

void free_digest(Datum digest) { pg_cryptohash_free(reinterpret_cast<pg_cryptohash_ctx *>(DatumGetPointer(digest))); }

}  // namespace

text *sha256_hex_of_text(Datum value) { return hash_of(value, true); }

text *sha256_hex_of_bytes(Datum value) { return hash_of(value, false); }

}  // namespace discovery

DISCOVERY_FUNCTION(discovery_content_hash_bytea) {
    PG_RETURN_TEXT_P(discovery::sha256_hex_of_bytes(PG_GETARG_DATUM(0)));
}

DISCOVERY_FUNCTION(discovery_content_hash_text) { PG_RETURN_TEXT_P(discovery::sha256_hex_of_text(PG_GETARG_DATUM(0))); }

DISCOVERY_FUNCTION(discovery_content_hash_step) {
    MemoryContext aggregate;
    if (!AggCheckCallContext(fcinfo, &aggregate))
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("content_hash_step can only be called as part of content_hash_agg"));
    auto *digest = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<pg_cryptohash_ctx *>(PG_GETARG_POINTER(0));
    if (PG_ARGISNULL(1)) {
        if (digest == nullptr) PG_RETURN_NULL();
        PG_RETURN_POINTER(digest);
    }
    if (digest == nullptr) {
        MemoryContext caller = MemoryContextSwitchTo(aggregate);
        digest = discovery::begin_sha256();
        MemoryContextSwitchTo(caller);
        // Free the digest even if the final function is never called.
        AggRegisterCallback(fcinfo, discovery::free_digest, PointerGetDatum(digest));
    }
    discovery::add_value(digest, PG_GETARG_DATUM(1), false);
    PG_RETURN_POINTER(digest);
}

DISCOVERY_FUNCTION(discovery_content_hash_final) {
    if (!AggCheckCallContext(fcinfo, nullptr))
        ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                errmsg("content_hash_final can only be called as part of content_hash_agg"));
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    PG_RETURN_TEXT_P(discovery::finish_sha256(reinterpret_cast<pg_cryptohash_ctx *>(PG_GETARG_POINTER(0))));
}
