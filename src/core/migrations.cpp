// Reads the scripts and shapes that the extension ships, and finds paths between versions.
#include "core/migrations.hpp"

#include <algorithm>

namespace discovery::core {
namespace {

constexpr std::string_view prefix = "discovery--";
constexpr std::string_view record_mark = "/* record: ";
constexpr std::string_view step_mark = "/* step ";
constexpr std::string_view end_mark = "*/";
constexpr std::string_view arrow = " -> ";

// Moves the text before `end` from `rest` to `taken` and removes `end`. Returns false if `rest`
// does not contain `end`.
bool take(std::string_view &rest, std::string_view end, std::string_view &taken) {
    auto at = rest.find(end);
    if (at == rest.npos) return false;
    taken = rest.substr(0, at);
    rest.remove_prefix(at + end.size());
    return true;
}

// Returns an error that names the file and the line of `place`. `place` points into `file.text`.
Error malformed(const File &file, std::string_view place, const char *why) {
    auto line = 1 + std::count(file.text.begin(), file.text.begin() + (place.data() - file.text.data()), '\n');
    return {ErrorKind::malformed_script,
            "file \"" + std::string(file.name) + "\", line " + std::to_string(line) + ": " + why};
}

// Joins the lines of a description and reduces each run of white space to one space.
std::string one_line(std::string_view text) {
    std::string line;
    for (char c : text) {
        bool space = c == '\n' || c == ' ';
        if (!space)
            line += c;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    return line;
}

// Returns the position of the first line that starts with `mark`, npos if there is none.
std::size_t find_line(std::string_view text, std::string_view mark) {
    for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + 1))
        if (at == 0 || text[at - 1] == '\n') return at;
    return text.npos;
}

Result<bool> read_script(const File &file, Migrations &migrations) {
    std::string_view rest = file.text;
    for (;;) {
        auto at = std::min(find_line(rest, record_mark), find_line(rest, step_mark));
        if (at == rest.npos) return true;
        rest.remove_prefix(at);
        std::string_view start = rest;
        bool is_record = rest.starts_with(record_mark);
        rest.remove_prefix(is_record ? record_mark.size() : step_mark.size());
        // The block ends at the next end mark. The code below reads only the block, and a block
        // that contains another start is an error. A missing empty line or end mark therefore
        // cannot swallow the next step.
        auto end = find_line(rest, end_mark);
        if (end == rest.npos) return malformed(file, start, "a step ends with */ on a line of its own");
        std::string_view block = rest.substr(0, end);
        rest.remove_prefix(end + end_mark.size());
        if ((!rest.empty() && rest.front() != '\n') || find_line(block, step_mark) != block.npos ||
            find_line(block, record_mark) != block.npos)
            return malformed(file, start, "a step ends with */ on a line of its own");

        std::string_view head, description;
        Step step;
        if (!is_record) {
            if (!take(block, ": ", head)) return malformed(file, start, "a step needs a description");
            auto middle = head.find(arrow);
            if (middle == head.npos) return malformed(file, start, "a step goes FROM -> TO");
            auto from = parse_version(head.substr(0, middle));
            auto to = parse_version(head.substr(middle + arrow.size()));
            if (!from || !to || *from == *to) return malformed(file, start, "a step goes from one version to another");
            step.from = *from;
            step.to = *to;
        }
        if (!take(block, "\n\n", description))
            return malformed(file, start, "a step is a description, an empty line, and SQL");
        step.description = one_line(description);
        if (step.description.empty()) return malformed(file, start, "a step needs a description");
        if (block.ends_with('\n')) block.remove_suffix(1);
        step.sql = block;
        if (is_record) {
            if (!migrations.record_sql.empty()) return malformed(file, start, "the record is defined twice");
            migrations.record_sql = step.sql;
            continue;
        }
        bool twice = std::any_of(migrations.steps.begin(), migrations.steps.end(),
                                 [&](const Step &other) { return other.from == step.from && other.to == step.to; });
        if (twice) return malformed(file, start, "the step is defined twice");
        migrations.steps.push_back(std::move(step));
    }
}

}  // namespace

const Release *Migrations::release(Version version) const {
    auto found = std::find_if(releases.begin(), releases.end(),
                              [&](const Release &release) { return release.version == version; });
    return found == releases.end() ? nullptr : &*found;
}

Result<Migrations> read_migrations(std::span<const File> files) {
    Migrations migrations;
    for (const File &file : files) {
        if (file.name.ends_with(".sql")) {
            auto read = read_script(file, migrations);
            if (!read) return read.error();
        } else if (file.name.starts_with(prefix) && file.name.ends_with(".shape")) {
            auto name = file.name.substr(prefix.size());
            auto version = parse_version(name.substr(0, name.size() - std::string_view(".shape").size()));
            if (!version || version->is_base()) return malformed(file, file.text, "a shape is named for its version");
            auto shape = parse_shape(file.text);
            if (!shape) {
                shape.error().message = "file \"" + std::string(file.name) + "\", " + shape.error().message;
                return shape.error();
            }
            migrations.releases.push_back({*version, std::move(*shape)});
        }
    }
    std::sort(migrations.releases.begin(), migrations.releases.end(),
              [](const Release &a, const Release &b) { return a.version < b.version; });
    return migrations;
}

Result<std::vector<const Step *>> find_path(const Migrations &migrations, Version from, Version to) {
    std::vector<const Step *> path;
    for (Version at = from; at != to;) {
        // Steps connect neighbouring versions, so each direction has at most one step.
        auto next = std::find_if(migrations.steps.begin(), migrations.steps.end(),
                                 [&](const Step &step) { return step.from == at && step.is_up() == (from < to); });
        if (next == migrations.steps.end() || (from < to ? next->to > to : next->to < to))
            return Error{
                ErrorKind::unknown_version,
                "there is no migration path from version " + from.text() + " to version " + to.text(), "",
                "To list the versions: SELECT * FROM pg_available_extension_versions WHERE name = 'discovery'."};
        path.push_back(&*next);
        at = next->to;
    }
    return path;
}

}  // namespace discovery::core
