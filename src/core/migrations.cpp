#include "core/migrations.hpp"

#include <algorithm>

namespace discovery::core {
namespace {

constexpr std::string_view prefix = "discovery--";
constexpr std::string_view record_mark = "/* record: ";
constexpr std::string_view step_mark = "/* step ";
constexpr std::string_view arrow = " -> ";

// Takes text up to `end`, and `end` itself, off `rest`; false if it is not there.
bool take(std::string_view &rest, std::string_view end, std::string_view &taken) {
    auto at = rest.find(end);
    if (at == rest.npos) return false;
    taken = rest.substr(0, at);
    rest.remove_prefix(at + end.size());
    return true;
}

Error malformed(const File &file, std::string_view place, const char *why) {
    auto line = 1 + std::count(file.text.begin(), file.text.begin() + (place.data() - file.text.data()), '\n');
    return {ErrorKind::malformed_script,
            "file \"" + std::string(file.name) + "\", line " + std::to_string(line) + ": " + why};
}

// The description may go over several lines; in the result it is one.
std::string one_line(std::string_view text) {
    std::string line;
    for (char c : text) {
        bool space = c == '\n' || c == ' ';
        if (!space) line += c;
        else if (!line.empty() && line.back() != ' ') line += ' ';
    }
    return line;
}

Result<bool> read_script(const File &file, Migrations &migrations) {
    std::string_view rest = file.text;
    for (;;) {
        auto at = rest.find("\n/* ");
        if (at == rest.npos) return true;
        rest.remove_prefix(at + 1);
        bool is_record = rest.starts_with(record_mark);
        if (!is_record && !rest.starts_with(step_mark)) {
            rest.remove_prefix(1);
            continue;
        }
        std::string_view start = rest, head, description, sql;
        Step step;
        if (is_record) {
            rest.remove_prefix(record_mark.size());
        } else {
            rest.remove_prefix(step_mark.size());
            if (!take(rest, ": ", head)) return malformed(file, start, "a step needs a description");
            auto middle = head.find(arrow);
            if (middle == head.npos) return malformed(file, start, "a step goes FROM -> TO");
            auto from = parse_version(head.substr(0, middle));
            auto to = parse_version(head.substr(middle + arrow.size()));
            if (!from || !to || *from == *to)
                return malformed(file, start, "a step goes from one version to another");
            step.from = *from;
            step.to = *to;
        }
        if (!take(rest, "\n\n", description) || !take(rest, "\n*/", sql))
            return malformed(file, start, "a step is a description, an empty line, and SQL");
        if (is_record) {
            migrations.record_sql = sql;
            continue;
        }
        step.description = one_line(description);
        step.sql = sql;
        bool twice = std::any_of(migrations.steps.begin(), migrations.steps.end(), [&](const Step &other) {
            return other.from == step.from && other.to == step.to;
        });
        if (twice) return malformed(file, start, "this step is there already");
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
            if (!version) return version.error();
            auto shape = parse_shape(file.text);
            if (!shape) return shape.error();
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
        // Steps join neighbours, so there is one in each direction at most.
        auto next = std::find_if(migrations.steps.begin(), migrations.steps.end(), [&](const Step &step) {
            return step.from == at && step.is_up() == (from < to);
        });
        if (next == migrations.steps.end() || path.size() > migrations.steps.size() ||
            (from < to ? next->to > to : next->to < to))
            return Error{ErrorKind::unknown_version,
                         "there is no way from version " + from.text() + " to version " + to.text(),
                         "", "The versions there are: see SELECT * FROM pg_available_extension_versions WHERE name = 'discovery'."};
        path.push_back(&*next);
        at = next->to;
    }
    return path;
}

}  // namespace discovery::core
