// Reads the marks of a step, and rewrites its statements for a run ahead.
#include "core/preparation.hpp"

#include <algorithm>
#include <set>

#include "core/definition.hpp"
#include "core/tokens.hpp"

namespace discovery::core {
namespace {

constexpr std::string_view table_of_preparation = "discovery_preparation";

// The tokens of a text, without comments and blanks, each with its place in the text.
struct Piece {
    std::string_view text;
    std::size_t begin;

    std::size_t end() const { return begin + text.size(); }
};

std::vector<Piece> pieces_of(std::string_view sql) {
    std::vector<Piece> pieces;
    for (std::size_t at = 0; at < sql.size();) {
        Token token = first_token(sql.substr(at));
        if (token.kind != Token::Kind::blank && token.kind != Token::Kind::comment) pieces.push_back({token.text, at});
        at += token.text.size();
    }
    return pieces;
}

// The place of the first word `word` among the pieces; their number if there is none.
std::size_t find(const std::vector<Piece> &pieces, std::string_view word) {
    auto found = std::find_if(pieces.begin(), pieces.end(), [&](const Piece &piece) { return piece.text == word; });
    return static_cast<std::size_t>(found - pieces.begin());
}

constexpr std::string_view ahead_mark = "-- @ahead@", only_ahead_mark = "-- @only ahead@",
                           only_native_mark = "-- @only native@\n";

// The comment before the statement that is a mark, with the newline after it; empty if there is none.
std::string_view mark_of(std::string_view statement) {
    while (!statement.empty()) {
        Token token = first_token(statement);
        if (token.kind == Token::Kind::comment &&
            (token.text.starts_with(ahead_mark) || token.text.starts_with(only_ahead_mark)))
            return token.text;
        if (token.kind != Token::Kind::blank && token.kind != Token::Kind::comment) break;
        statement.remove_prefix(token.text.size());
    }
    return {};
}

// Whether the definition of a trigger calls discovery_prepared(), which only a preparation does.
bool is_prepared_trigger(const Object &object) {
    return object.kind == "trigger" && object.definition.find("discovery_prepared(") != std::string::npos;
}

}  // namespace

std::string batch_of_ids(std::string_view first, std::string_view last) {
    return "BETWEEN " + literal_of(first) + " AND " + literal_of(last);
}

std::string batch_of_pages(unsigned first, unsigned last) {
    // A tuple's number in its page has 16 bits.
    return "BETWEEN '(" + std::to_string(first) + ",0)' AND '(" + std::to_string(last) + ",65535)'";
}

Result<Ahead> read_ahead(std::string_view statement) {
    struct {
        std::string_view words;
        Ahead::Batch batch;
    } constexpr forms[] = {{"ids of ", Ahead::Batch::ids},
                           {"locked ids of ", Ahead::Batch::locked_ids},
                           {"pages of ", Ahead::Batch::pages}};
    std::string_view mark = mark_of(statement);
    if (mark.empty()) return Ahead{};
    std::string_view line = mark.substr(0, mark.find_last_not_of(" \n") + 1), rest = line;
    if (line == only_ahead_mark) return Ahead{Ahead::When::only_ahead};
    if (line == ahead_mark) return Ahead{Ahead::When::ahead};
    rest.remove_prefix(std::min(rest.size(), ahead_mark.size() + 1));
    for (const auto &form : forms)
        if (line.starts_with(ahead_mark) && rest.starts_with(form.words) && rest.size() > form.words.size())
            return Ahead{Ahead::When::ahead, form.batch, std::string(rest.substr(form.words.size()))};
    return Error{ErrorKind::malformed_script, "\"" + std::string(line) + "\" is not a mark of a step"};
}

std::string without_mark(std::string_view statement) {
    std::string_view mark = mark_of(statement);
    std::string text(statement);
    if (!mark.empty()) text.erase(static_cast<std::size_t>(mark.data() - statement.data()), mark.size());
    std::size_t at = text.find(only_native_mark);
    if (at < text.size() - without_comments(text).size()) text.erase(at, only_native_mark.size());
    return text.substr(std::min(text.size(), text.find_first_not_of(" \n")));
}

std::string_view without_comments(std::string_view statement) {
    while (!statement.empty()) {
        Token token = first_token(statement);
        if (token.kind != Token::Kind::blank && token.kind != Token::Kind::comment) break;
        statement.remove_prefix(token.text.size());
    }
    return statement;
}

std::string prepared_name(std::string_view index, Version version) {
    return std::string(index) + "__" + std::to_string(version.major) + "_" + std::to_string(version.minor);
}

std::string prepared_index(std::string_view statement, std::string_view name) {
    statement = without_comments(statement);
    auto pieces = pieces_of(statement);
    std::size_t index = find(pieces, "INDEX"), given = index + 1;
    // IF NOT EXISTS name
    if (given < pieces.size() && pieces[given].text == "IF") given += 3;
    if (given >= pieces.size()) return std::string(statement);
    return std::string(statement.substr(0, pieces[index].end())) + " CONCURRENTLY " + std::string(name) +
           std::string(statement.substr(pieces[given].end()));
}

std::string prepared_trigger(std::string_view statement) {
    statement = without_comments(statement);
    auto pieces = pieces_of(statement);
    // EXECUTE FUNCTION schema . name ( )
    std::size_t name = find(pieces, "FUNCTION") + 3;
    if (name >= pieces.size() || pieces[name].text == "discovery_prepared") return std::string(statement);
    return std::string(statement.substr(0, pieces[name].begin)) + "discovery_prepared('" +
           std::string(pieces[name].text) + "')";
}

std::string unless_there(std::string_view statement) {
    statement = without_comments(statement);
    auto pieces = pieces_of(statement);
    std::string text(statement);
    for (std::size_t i = pieces.size(); i-- > 1;)
        if (pieces[i - 1].text == "ADD" && pieces[i].text == "COLUMN" &&
            !(i + 1 < pieces.size() && pieces[i + 1].text == "IF"))
            text.insert(pieces[i].end(), " IF NOT EXISTS");
    return text;
}

bool is_prepared_index(const Object &is, const Object &should_be, Version version) {
    std::string name = part_of(should_be), prepared = prepared_name(name, version);
    std::string definition = should_be.definition;
    if (auto at = definition.find(name); at != std::string::npos) definition.replace(at, name.size(), prepared);
    return is.kind == "index" && part_of(is) == prepared && is.relation() == should_be.relation() &&
           is.definition == definition;
}

Shape without_preparation(const Shape &shape, const Shape &before, const Shape &after, Version version) {
    std::set<std::pair<std::string_view, std::string_view>> added;
    for (const Object &object : after) added.emplace(object.kind, object.name);
    for (const Object &object : before) added.erase({object.kind, object.name});
    std::string suffix = prepared_name("", version);
    Shape rest = shape;
    std::erase_if(rest, [&](const Object &object) {
        return object.relation() == table_of_preparation || is_prepared_trigger(object) ||
               (object.kind == "index" && object.name.ends_with(suffix)) ||
               (object.kind != "trigger" && added.contains({object.kind, object.name}));
    });
    return rest;
}

}  // namespace discovery::core
