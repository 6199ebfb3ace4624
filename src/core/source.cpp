// Checks the application's rules for a source.
#include "core/source.hpp"

#include <algorithm>
#include <initializer_list>

namespace discovery::core {
namespace {

constexpr std::string_view white_space = " \t\n\r\f\v";

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool begins_with_http(std::string_view url) {
    std::string start(url.substr(0, 8));
    std::transform(start.begin(), start.end(), start.begin(), to_lower);
    return start.starts_with("http://") || start == "https://";
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

std::string_view trim(std::string_view text) {
    auto start = text.find_first_not_of(white_space);
    if (start == text.npos) return {};
    return text.substr(start, text.find_last_not_of(white_space) - start + 1);
}

bool is_sha256(std::string_view hash) {
    return hash.size() == 64 && std::all_of(hash.begin(), hash.end(), [](char c) {
               return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
           });
}

std::string fold_hash(std::string_view hash) {
    std::string folded(hash);
    if (is_sha256(hash)) std::transform(folded.begin(), folded.end(), folded.begin(), to_lower);
    return folded;
}

std::vector<std::string> violations(const SourceDraft &draft) {
    std::vector<std::string> broken;
    auto require = [&](bool holds, std::string sentence) {
        if (!holds) broken.push_back(std::move(sentence));
    };
    bool is_file = draft.source_type == "file";

    require(draft.has_notebook, "notebook_id must not be null.");
    require(draft.name.has_value(), "name must not be null.");
    if (draft.name) {
        require(draft.name_characters > 0, "name must not be empty.");
        require(draft.name_characters <= 500,
                "name must have at most 500 characters, not " + std::to_string(draft.name_characters) + ".");
    }
    require(draft.source_type.has_value(), "source_type must not be null.");
    if (draft.source_type)
        require(is_one_of(*draft.source_type, {"file", "url", "text"}),
                "source_type must be file, url or text, not " + quoted(*draft.source_type) + ".");
    if (draft.file_type) {
        require(is_one_of(*draft.file_type, {"pdf", "docx", "doc", "txt", "md"}),
                "file_type must be pdf, docx, doc, txt or md, not " + quoted(*draft.file_type) + ".");
        if (draft.source_type) require(is_file, "file_type must be null unless source_type is file.");
    }
    if (draft.source_type == "url") require(draft.url.has_value(), "url must not be null for a source of type url.");
    if (draft.url) require(begins_with_http(*draft.url), "url must begin with http:// or https://.");
    if (draft.file_size)
        require(*draft.file_size > 0, "file_size must be positive, not " + std::to_string(*draft.file_size) + ".");
    if (draft.size_of_content) {
        require(*draft.size_of_content > 0, "content must not be empty.");
        require(!draft.file_size || *draft.file_size == *draft.size_of_content,
                "file_size does not match the size of content, " + std::to_string(*draft.size_of_content) + " bytes.");
    }
    if (draft.content_hash) {
        require(draft.hash_characters <= 64, "content_hash must have at most 64 characters.");
        require(!draft.hash_of_content || fold_hash(*draft.content_hash) == *draft.hash_of_content,
                "content_hash does not match the hash of content, " + std::string(draft.hash_of_content.value_or("")) +
                    ".");
    }
    require(is_one_of(draft.on_duplicate, {"return", "error"}), "on_duplicate must be return or error.");
    require(is_one_of(draft.on_deleted, {"restore", "add"}), "on_deleted must be restore or add.");
    return broken;
}

}  // namespace discovery::core
