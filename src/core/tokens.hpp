// Splits SQL into tokens, as PostgreSQL does when standard_conforming_strings is on. What must not be
// changed inside a literal, a quoted name or a comment is told apart by these tokens, never by a
// search in the text.
#pragma once

#include <string>
#include <string_view>

namespace discovery::core {

/// A piece of SQL. The tokens of a text, one after the other, are the text.
struct Token {
    enum class Kind {
        blank,    // one or more blanks and newlines
        comment,  // -- to the end of the line, or /* */, also nested
        literal,  // 'x', E'x', U&'x', B'1', X'f', $tag$x$tag$
        quoted,   // "name", U&"name"
        word,     // a keyword, an unquoted name or a number
        other     // one byte: an operator, a bracket, ...
    };
    Kind kind;
    std::string_view text;

    /// Whether the content is not SQL.
    bool is_opaque() const { return kind == Kind::comment || kind == Kind::literal || kind == Kind::quoted; }
};

/// Returns the first token of `sql`, which must not be empty. A token that is not ended reaches to
/// the end of the text.
Token first_token(std::string_view sql);

/// Returns the number of bytes of the tag at the start and at the end of a dollar-quoted literal, or
/// 0 if the literal is not dollar-quoted.
std::size_t length_of_dollar_tag(std::string_view literal);

/// Whether a plain literal ('x') is the name of an object: whether a cast to one of PostgreSQL's
/// types for that, such as regclass, follows it in `rest`.
bool is_name_literal(const Token &literal, std::string_view rest);

/// Returns the content of a plain literal, with its quotes no longer doubled; and a plain literal with
/// that content. A backslash is a byte like any other.
std::string content_of(std::string_view literal);
std::string literal_of(std::string_view content);

/// Returns `sql` on one line: a newline outside literals, quoted names and comments becomes a blank,
/// together with the blanks around it. Removes blanks at both ends.
std::string on_one_line(std::string_view sql);

/// Returns `sql` with each literal and quoted name that contains one of the marks (@store@, ...) or
/// the start or end of a comment (/* */) written with Unicode escapes. The meaning is the same, and a
/// tool that replaces marks in the text, or a script inside a comment, does no harm to it.
std::string shielded(std::string_view sql);

}  // namespace discovery::core
