// Tests that SQL is split into tokens as PostgreSQL splits it.
#include "core/tokens.hpp"

#include <gtest/gtest.h>

namespace discovery::core {
namespace {

using Kind = Token::Kind;

TEST(Tokens, TheFirstOne) {
    const std::tuple<const char *, Kind, const char *> cases[] = {
        {"'a''b' c", Kind::literal, "'a''b'"},
        {"'a\\' b", Kind::literal, "'a\\'"},
        {"E'a\\'b' c", Kind::literal, "E'a\\'b'"},
        {"U&'\\0040' c", Kind::literal, "U&'\\0040'"},
        {"b'1' c", Kind::literal, "b'1'"},
        {"$$a'b$$ c", Kind::literal, "$$a'b$$"},
        {"$f$ $$ $f$ c", Kind::literal, "$f$ $$ $f$"},
        {"$1 c", Kind::other, "$"},
        {"\"a\"\"b\" c", Kind::quoted, "\"a\"\"b\""},
        {"U&\"a\" c", Kind::quoted, "U&\"a\""},
        {"-- a'\nb", Kind::comment, "-- a'\n"},
        {"/* a /* b */ c */ d", Kind::comment, "/* a /* b */ c */"},
        {"a$b1 c", Kind::word, "a$b1"},
        {"été x", Kind::word, "été"},
        {" \n\tx", Kind::blank, " \n\t"},
        {"'open", Kind::literal, "'open"},
        {"E'\\", Kind::literal, "E'\\"},
        {"/* open", Kind::comment, "/* open"},
        {"u & b", Kind::word, "u"},
    };
    for (const auto &[sql, kind, text] : cases) {
        Token token = first_token(sql);
        EXPECT_EQ(token.text, text) << sql;
        EXPECT_EQ(token.kind, kind) << sql;
    }
}

TEST(OnOneLine, OnlyBetweenTokens) {
    EXPECT_EQ(on_one_line(" SELECT a,\n    'x\n  y'\n   FROM t "), "SELECT a, 'x\n  y' FROM t");
    EXPECT_EQ(on_one_line("AS $$\n a\n$$"), "AS $$\n a\n$$");
    EXPECT_EQ(on_one_line(""), "");
}

TEST(Literals, ThereAndBack) {
    for (const char *content : {"", "a", "it's", "''", "\\"}) EXPECT_EQ(content_of(literal_of(content)), content);
}

TEST(Shielded, OnlyWhatHasAMark) {
    EXPECT_EQ(shielded("SELECT '@store@', @store@.t, 'x'"), "SELECT U&'\\0040store\\0040', @store@.t, 'x'");
    EXPECT_EQ(shielded("nextval('@store@.t'::regclass)"), "nextval('@store@.t'::regclass)");
    EXPECT_EQ(shielded("'/* \\'"), "U&'/\\002A \\\\'");
}

}  // namespace
}  // namespace discovery::core
