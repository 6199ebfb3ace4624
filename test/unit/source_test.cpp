// Tests the application's rules for a source, one by one and all at once, and the handling of
// hashes.
#include "core/source.hpp"

#include <gtest/gtest.h>

namespace discovery::core {
namespace {

using Sentences = std::vector<std::string>;

constexpr std::string_view hash_of_hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

SourceDraft valid_draft() {
    SourceDraft draft;
    draft.has_notebook = true;
    draft.name = "Paper";
    draft.name_characters = 5;
    draft.source_type = "file";
    draft.on_duplicate = "return";
    draft.on_deleted = "restore";
    return draft;
}

template <class Change>
Sentences violations_with(Change change) {
    SourceDraft draft = valid_draft();
    change(draft);
    return violations(draft);
}

TEST(SourceRules, AllowASourceWithTheLeastOfArguments) { EXPECT_EQ(violations(valid_draft()), Sentences{}); }

TEST(SourceRules, WantANotebook) {
    EXPECT_EQ(violations_with([](SourceDraft &draft) { draft.has_notebook = false; }),
              Sentences{"notebook_id must not be null."});
}

TEST(SourceRules, WantANameOf1To500Characters) {
    auto named = [](std::optional<std::string_view> name, std::size_t characters) {
        return violations_with([&](SourceDraft &draft) { draft.name = name, draft.name_characters = characters; });
    };
    EXPECT_EQ(named(std::nullopt, 0), Sentences{"name must not be null."});
    EXPECT_EQ(named("", 0), Sentences{"name must not be empty."});
    EXPECT_EQ(named("x", 1), Sentences{});
    // What counts are the characters, which only the server can count: not the bytes.
    std::string bytes(2000, '\xf0');
    EXPECT_EQ(named(bytes, 500), Sentences{});
    EXPECT_EQ(named(bytes, 501), Sentences{"name must have at most 500 characters, not 501."});
}

TEST(SourceRules, WantOneOfThreeSourceTypes) {
    auto typed = [](std::optional<std::string_view> type) {
        return violations_with([&](SourceDraft &draft) { draft.source_type = type, draft.url = "http://a"; });
    };
    for (const char *type : {"file", "url", "text"}) EXPECT_EQ(typed(type), Sentences{}) << type;
    EXPECT_EQ(typed(std::nullopt), Sentences{"source_type must not be null."});
    for (const char *type : {"", "File", "files", " file"})
        EXPECT_EQ(typed(type), Sentences{"source_type must be file, url or text, not \"" + std::string(type) + "\"."});
}

TEST(SourceRules, WantOneOfFiveFileTypesForFilesAlone) {
    auto typed = [](std::string_view source_type, std::string_view file_type) {
        return violations_with([&](SourceDraft &draft) {
            draft.source_type = source_type, draft.file_type = file_type, draft.url = "http://a";
        });
    };
    for (const char *type : {"pdf", "docx", "doc", "txt", "md"}) EXPECT_EQ(typed("file", type), Sentences{}) << type;
    for (const char *type : {"", "PDF", "exe"})
        EXPECT_EQ(typed("file", type),
                  Sentences{"file_type must be pdf, docx, doc, txt or md, not \"" + std::string(type) + "\"."});
    EXPECT_EQ(typed("url", "pdf"), Sentences{"file_type must be null unless source_type is file."});
    EXPECT_EQ(typed("text", "md"), Sentences{"file_type must be null unless source_type is file."});
    EXPECT_EQ(violations_with([](SourceDraft &draft) { draft.source_type.reset(), draft.file_type = "pdf"; }),
              Sentences{"source_type must not be null."})
        << "what the missing type would allow is not known";
}

TEST(SourceRules, WantAUrlWithItsScheme) {
    auto with_url = [](std::string_view source_type, std::optional<std::string_view> url) {
        return violations_with([&](SourceDraft &draft) { draft.source_type = source_type, draft.url = url; });
    };
    for (const char *url : {"http://example.org", "https://example.org/a?b#c", "HTTPS://EXAMPLE.ORG", "Http://x"})
        EXPECT_EQ(with_url("url", url), Sentences{}) << url;
    for (const char *url :
         {"", "http", "http:/", "http:/x", "https:/x", "httpss://x", "ftp://x", " http://x", "example.org"})
        EXPECT_EQ(with_url("url", url), Sentences{"url must begin with http:// or https://."}) << url;
    EXPECT_EQ(with_url("url", std::nullopt), Sentences{"url must not be null for a source of type url."});
    // The others may say where they come from.
    EXPECT_EQ(with_url("file", "https://example.org/paper.pdf"), Sentences{});
    EXPECT_EQ(with_url("text", "paper"), Sentences{"url must begin with http:// or https://."});
}

TEST(SourceRules, WantAPositiveFileSize) {
    auto sized = [](std::int64_t size) { return violations_with([&](SourceDraft &draft) { draft.file_size = size; }); };
    EXPECT_EQ(sized(1), Sentences{});
    EXPECT_EQ(sized(INT64_MAX), Sentences{});
    EXPECT_EQ(sized(0), Sentences{"file_size must be positive, not 0."});
    EXPECT_EQ(sized(INT64_MIN), Sentences{"file_size must be positive, not -9223372036854775808."});
}

TEST(SourceRules, WantTheSizeThatTheContentHas) {
    auto sized = [](std::int64_t given, std::int64_t actual) {
        return violations_with([&](SourceDraft &draft) { draft.file_size = given, draft.size_of_content = actual; });
    };
    EXPECT_EQ(sized(5, 5), Sentences{});
    EXPECT_EQ(sized(6, 5), Sentences{"file_size does not match the size of content, 5 bytes."});
    EXPECT_EQ(violations_with([](SourceDraft &draft) { draft.size_of_content = 5; }), Sentences{});
}

TEST(SourceRules, WantContentThatHasBytes) {
    // Two empty files would be each other's duplicate, and a file's size is positive.
    EXPECT_EQ(violations_with([](SourceDraft &draft) { draft.size_of_content = 0; }),
              Sentences{"content must not be empty."});
}

TEST(SourceRules, WantTheHashThatTheContentHas) {
    auto hashed = [](std::string_view given) {
        return violations_with(
            [&](SourceDraft &draft) { draft.content_hash = given, draft.hash_of_content = hash_of_hello; });
    };
    std::string upper(hash_of_hello);
    for (char &c : upper) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(hashed(hash_of_hello), Sentences{});
    EXPECT_EQ(hashed(upper), Sentences{});
    EXPECT_EQ(hashed("abc123hash"),
              Sentences{"content_hash does not match the hash of content, " + std::string(hash_of_hello) + "."});
}

TEST(SourceRules, WantAHashOfAtMost64Characters) {
    auto hashed = [](std::string_view hash) {
        return violations_with(
            [&](SourceDraft &draft) { draft.content_hash = hash, draft.hash_characters = hash.size(); });
    };
    // Not its format: the application's own tests use such hashes.
    EXPECT_EQ(hashed("abc123hash"), Sentences{});
    EXPECT_EQ(hashed(""), Sentences{});
    EXPECT_EQ(hashed(std::string(64, 'g')), Sentences{});
    EXPECT_EQ(hashed(std::string(65, 'a')), Sentences{"content_hash must have at most 64 characters."});
    // Characters, as those of the name.
    EXPECT_EQ(violations_with([](SourceDraft &draft) {
                  draft.content_hash =
                      "64 characters of two bytes each, which would be too long if bytes were what counts",
                  draft.hash_characters = 64;
              }),
              Sentences{});
}

TEST(SourceRules, WantKnownWordsForWhatToDo) {
    auto words = [](std::string_view on_duplicate, std::string_view on_deleted) {
        return violations_with(
            [&](SourceDraft &draft) { draft.on_duplicate = on_duplicate, draft.on_deleted = on_deleted; });
    };
    EXPECT_EQ(words("error", "add"), Sentences{});
    EXPECT_EQ(words("Return", "restore"), Sentences{"on_duplicate must be return or error."});
    EXPECT_EQ(words("return", ""), Sentences{"on_deleted must be restore or add."});
}

TEST(SourceRules, AreAllToldAtOnce) {
    SourceDraft draft;
    draft.name = "";
    draft.source_type = "web";
    draft.file_type = "exe";
    draft.url = "gopher://x";
    draft.file_size = -1;
    draft.content_hash = std::string_view("0123456789012345678901234567890123456789012345678901234567890123456789");
    draft.hash_characters = draft.content_hash->size();
    draft.on_duplicate = "ignore";
    draft.on_deleted = "purge";
    EXPECT_EQ(
        violations(draft),
        (Sentences{"notebook_id must not be null.", "name must not be empty.",
                   "source_type must be file, url or text, not \"web\".",
                   "file_type must be pdf, docx, doc, txt or md, not \"exe\".",
                   "file_type must be null unless source_type is file.", "url must begin with http:// or https://.",
                   "file_size must be positive, not -1.", "content_hash must have at most 64 characters.",
                   "on_duplicate must be return or error.", "on_deleted must be restore or add."}));
}

TEST(Trim, TakesWhiteSpaceOffBothEnds) {
    EXPECT_EQ(trim("  a b\t\n"), "a b");
    EXPECT_EQ(trim("\v\f\r a"), "a");
    EXPECT_EQ(trim("a"), "a");
    EXPECT_EQ(trim(" \t\r\n"), "");
    EXPECT_EQ(trim(""), "");
    // No byte of another character is one of these.
    EXPECT_EQ(trim("\u00e4\u3000"), "\u00e4\u3000");
}

TEST(Hash, IsSha256WithItsDigitsInEitherCase) {
    EXPECT_TRUE(is_sha256(hash_of_hello));
    EXPECT_TRUE(is_sha256(std::string(64, 'F')));
    EXPECT_FALSE(is_sha256(""));
    EXPECT_FALSE(is_sha256(std::string(63, 'a')));
    EXPECT_FALSE(is_sha256(std::string(65, 'a')));
    // The neighbours of the digits in ASCII, and what is no ASCII.
    for (char c : {'/', ':', '@', 'G', '`', 'g', ' ', '\0', '\xe4'})
        EXPECT_FALSE(is_sha256(std::string(63, 'a') + c)) << int{c};
}

TEST(Hash, IsFoldedOnlyIfItIsOne) {
    EXPECT_EQ(fold_hash(std::string(60, '0') + "AbFf"), std::string(60, '0') + "abff");
    EXPECT_EQ(fold_hash("ABC123hash"), "ABC123hash");
    EXPECT_EQ(fold_hash(std::string(63, 'A')), std::string(63, 'A'));
    EXPECT_EQ(fold_hash(std::string(63, 'A') + "g"), std::string(63, 'A') + "g");
    EXPECT_EQ(fold_hash(""), "");
}

}  // namespace
}  // namespace discovery::core
