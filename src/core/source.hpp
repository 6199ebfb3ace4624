// The application's rules for a source. All rules are checked at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace discovery::core {

/// The arguments of a caller for a new source; nullopt is NULL. Texts are in the server encoding.
/// The core interprets only their ASCII characters.
struct SourceDraft {
    bool has_notebook = false;
    std::optional<std::string_view> name;
    std::size_t name_characters = 0;  // of the trimmed name
    std::optional<std::string_view> source_type;
    std::optional<std::string_view> file_type;
    std::optional<std::string_view> url;
    std::optional<std::string_view> content_hash;
    std::size_t hash_characters = 0;                  // of content_hash
    std::optional<std::string_view> hash_of_content;  // computed from the content, if it is given
    std::optional<std::int64_t> file_size;            // in bytes
    std::optional<std::int64_t> size_of_content;      // in bytes
    std::string_view on_duplicate;                    // return or error
    std::string_view on_deleted;                      // restore or add
};

/// Returns `text` without leading and trailing white space.
std::string_view trim(std::string_view text);

/// Whether `hash` consists of 64 hex digits, in upper or lower case.
bool is_sha256(std::string_view hash);

/// Returns `hash` as it is stored: 64 hex digits in lower case, any other text unchanged.
std::string fold_hash(std::string_view hash);

/// Returns one sentence for each rule that the draft violates. The result is empty if there is
/// none.
std::vector<std::string> violations(const SourceDraft &draft);

}  // namespace discovery::core
