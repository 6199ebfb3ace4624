// The application's rules for a source, checked all at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace discovery::core {

/// What a caller gives for a new source; nullopt is NULL. Texts are in the
/// server's encoding, of which the core only needs ASCII.
struct SourceDraft {
    bool has_notebook = false;
    std::optional<std::string_view> name;
    std::size_t name_characters = 0;  // of the trimmed name, in the server's encoding
    std::optional<std::string_view> source_type;
    std::optional<std::string_view> file_type;
    std::optional<std::string_view> url;
    std::optional<std::string_view> content_hash;
    std::size_t hash_characters = 0;                  // of content_hash, likewise
    std::optional<std::string_view> hash_of_content;  // of the bytes themselves, where there are any
    std::optional<std::int64_t> file_size;
    std::optional<std::int64_t> size_of_content;
    std::string_view on_duplicate;
    std::string_view on_deleted;
};

/// `name` without the white space around it.
std::string_view trim(std::string_view text);

/// Whether it is 64 hex digits, in either case.
bool is_sha256(std::string_view hash);

/// `hash` as it is stored: 64 hex digits in lower case, anything else as it is.
std::string fold_hash(std::string_view hash);

/// The rules that the draft breaks, a sentence each; none if it is fine.
std::vector<std::string> violations(const SourceDraft &draft);

}  // namespace discovery::core
