// Splits SQL into tokens.
#include "core/tokens.hpp"

#include <algorithm>

namespace discovery::core {
namespace {

using Kind = Token::Kind;

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool starts_word(char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

bool in_word(char c) { return starts_word(c) || c == '$' || (c >= '0' && c <= '9'); }

template <class Fits>
std::size_t length_while(std::string_view text, Fits fits) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), fits) - text.begin());
}

// Returns the length up to the end of the quotes, which open before `from`. A doubled quote does not
// end them, nor does an escaped one if `has_escapes`.
std::size_t length_of_quotes(std::string_view sql, std::size_t from, bool has_escapes = false) {
    char quote = sql[from - 1];
    for (std::size_t at = from; at < sql.size(); ++at) {
        if (has_escapes && sql[at] == '\\') {
            ++at;
        } else if (sql[at] == quote) {
            if (at + 1 == sql.size() || sql[at + 1] != quote) return at + 1;
            ++at;
        }
    }
    return sql.size();
}

std::size_t length_of_comment(std::string_view sql) {
    if (sql.starts_with("--")) return std::min(sql.size(), length_while(sql, [](char c) { return c != '\n'; }) + 1);
    std::size_t depth = 0, at = 0;
    while (at < sql.size()) {
        bool opens = sql.substr(at, 2) == "/*", closes = sql.substr(at, 2) == "*/";
        at += opens || closes ? 2 : 1;
        if (opens) ++depth;
        if (closes && --depth == 0) break;
    }
    return at;
}

constexpr std::string_view marks[] = {"@store@", "@functions@", "@compression@", "@extschema", "@extowner", "/*", "*/"};

bool has_mark(std::string_view text) {
    return std::any_of(std::begin(marks), std::end(marks),
                       [&](std::string_view mark) { return text.find(mark) != text.npos; });
}

}  // namespace

std::size_t length_of_dollar_tag(std::string_view literal) {
    if (!literal.starts_with('$')) return 0;
    std::size_t length = 1;
    if (literal.size() > 1 && starts_word(literal[1]))
        length += length_while(literal.substr(1), [](char c) { return in_word(c) && c != '$'; });
    return literal.substr(length, 1) == "$" ? length + 1 : 0;
}

Token first_token(std::string_view sql) {
    auto token = [&](Kind kind, std::size_t length) { return Token{kind, sql.substr(0, length)}; };
    char c = sql.front();
    auto next = [&](std::size_t at) { return at < sql.size() ? sql[at] : '\0'; };
    if (is_blank(c)) return token(Kind::blank, length_while(sql, is_blank));
    if (sql.starts_with("--") || sql.starts_with("/*")) return token(Kind::comment, length_of_comment(sql));
    if (c == '\'') return token(Kind::literal, length_of_quotes(sql, 1));
    if (c == '"') return token(Kind::quoted, length_of_quotes(sql, 1));
    if (next(1) == '\'') {
        if (c == 'e' || c == 'E') return token(Kind::literal, length_of_quotes(sql, 2, true));
        if (std::string_view("bBxXnN").find(c) != std::string_view::npos)
            return token(Kind::literal, length_of_quotes(sql, 2));
    }
    if ((c == 'u' || c == 'U') && next(1) == '&' && (next(2) == '\'' || next(2) == '"'))
        return token(next(2) == '"' ? Kind::quoted : Kind::literal, length_of_quotes(sql, 3));
    if (std::size_t tag = length_of_dollar_tag(sql)) {
        auto end = sql.find(sql.substr(0, tag), tag);
        return token(Kind::literal, end == sql.npos ? sql.size() : end + tag);
    }
    if (in_word(c) && c != '$') return token(Kind::word, length_while(sql, in_word));
    return token(Kind::other, 1);
}

bool is_name_literal(const Token &literal, std::string_view rest) {
    return literal.kind == Kind::literal && literal.text.starts_with('\'') && rest.starts_with("::reg");
}

std::string content_of(std::string_view literal) {
    std::string content;
    for (std::size_t at = 1; at + 1 < literal.size(); ++at) {
        content += literal[at];
        if (literal[at] == '\'') ++at;
    }
    return content;
}

std::string literal_of(std::string_view content) {
    std::string literal = "'";
    for (char c : content) {
        if (c == '\'') literal += c;
        literal += c;
    }
    return literal + "'";
}

std::string on_one_line(std::string_view sql) {
    std::string line;
    while (!sql.empty()) {
        Token token = first_token(sql);
        sql.remove_prefix(token.text.size());
        if (token.kind != Kind::blank)
            line += token.text;
        else if (!line.empty() && !sql.empty())
            line += token.text.find('\n') == token.text.npos ? token.text : " ";
    }
    return line;
}

std::string shielded(std::string_view sql) {
    std::string result;
    while (!sql.empty()) {
        Token token = first_token(sql);
        sql.remove_prefix(token.text.size());
        char quote = token.text.front();
        bool is_plain = (token.kind == Kind::literal && quote == '\'') || token.kind == Kind::quoted;
        if (!is_plain || quote == 'u' || quote == 'U' || !has_mark(token.text) || is_name_literal(token, sql)) {
            result += token.text;
            continue;
        }
        result += "U&";
        for (char c : token.text) {
            if (c == '@')
                result += "\\0040";
            else if (c == '*')
                result += "\\002A";
            else if (c == '\\')
                result += "\\\\";
            else
                result += c;
        }
    }
    return result;
}

}  // namespace discovery::core
