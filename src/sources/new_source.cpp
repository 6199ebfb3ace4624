// Checks a source that a caller gives, and computes its hash.
#include "sources/new_source.hpp"

#include "sources/hash.hpp"

extern "C" {
#include "access/detoast.h"
#include "mb/pg_wchar.h"
}

namespace discovery {
namespace {

std::optional<std::string_view> text_of(const Argument &given) {
    if (given.is_null) return std::nullopt;
    return view_of(DatumGetTextPP(given.value));
}

std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(pg_mbstrlen_with_len(text.data(), static_cast<int>(text.size())));
}

int64 size_of(const Argument &given) { return static_cast<int64>(toast_raw_datum_size(given.value) - VARHDRSZ); }

// The hash comes from the content, else from the client, else from the text, as in the row trigger.
std::string_view hash_of(const GivenSource &given) {
    if (given.hash_of_content != nullptr) return view_of(given.hash_of_content);
    std::optional<std::string_view> hash = text_of(given.content_hash);
    if (hash && !hash->empty()) return *in_core([&] { return core::fold_hash(*hash); });
    if (*text_of(given.source_type) != "file" && !given.extracted_text.is_null && size_of(given.extracted_text) > 0)
        return view_of(sha256_hex_of_text(given.extracted_text.value));
    return {};
}

}  // namespace

const Violations *violations_of(GivenSource &given, const Conflict &conflict) {
    core::SourceDraft draft;
    draft.has_notebook = !given.notebook_id.is_null;
    draft.name = text_of(given.name);
    if (draft.name) {
        draft.name = core::trim(*draft.name);
        draft.name_characters = characters_of(*draft.name);
    }
    draft.source_type = text_of(given.source_type);
    draft.file_type = text_of(given.file_type);
    draft.url = text_of(given.url);
    draft.content_hash = text_of(given.content_hash);
    if (draft.content_hash) draft.hash_characters = characters_of(*draft.content_hash);
    if (!given.file_size.is_null) draft.file_size = DatumGetInt64(given.file_size.value);
    if (!given.content.is_null) {
        given.hash_of_content = sha256_hex_of_bytes(given.content.value);
        draft.hash_of_content = view_of(given.hash_of_content);
        draft.size_of_content = size_of(given.content);
    }
    draft.on_duplicate = conflict.on_duplicate;
    draft.on_deleted = conflict.on_deleted;
    return in_core([&] { return core::violations(draft); });
}

NewSource make_source(const GivenSource &given, const Store &store) {
    std::string_view hash = hash_of(given);
    NewSource source;
    source.notebook_id = given.notebook_id;
    source.name = text_argument(core::trim(*text_of(given.name)));
    source.source_type = given.source_type;
    source.extracted_text = given.extracted_text;
    source.content_hash = text_argument(hash);
    source.file_type = given.file_type;
    source.url = given.url;
    source.file_path = given.file_path;
    source.file_size =
        given.content.is_null ? given.file_size : Argument{INT8OID, Int64GetDatum(size_of(given.content))};
    source.metadata = given.metadata;
    source.columns = given.columns;
    source.own = given.columns.is_null ? nullptr : read_own_columns(store, given.columns.value);
    source.has_identity = !hash.empty();
    return source;
}

}  // namespace discovery
