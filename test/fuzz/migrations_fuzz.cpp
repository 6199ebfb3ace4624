// Fuzzes read_migrations() and find_path() with files of any name and content. Each part of the
// input is a file: its name on the first line, then its text.
#include "check.hpp"

#include "core/migrations.hpp"

#include <algorithm>
#include <set>

using namespace discovery::core;

namespace {

void check_paths(const Migrations &migrations) {
    std::set<Version> versions = {Version{}, Version{1, 1}};
    for (const Step &step : migrations.steps) versions.insert({step.from, step.to});
    for (Version from : versions) {
        for (Version to : versions) {
            auto path = find_path(migrations, from, to);
            if (!path) {
                CHECK(path.error().kind == ErrorKind::unknown_version);
                CHECK(from != to);
                continue;
            }
            Version at = from;
            for (const Step *step : *path) {
                CHECK(step->from == at);
                CHECK(step->is_up() == (from < to));
                at = step->to;
            }
            CHECK(at == to);
        }
    }
}

// Whether `text` contains no start and no end of a step.
bool is_block(std::string_view text) {
    return !text.starts_with("*/") && text.find("\n*/") == text.npos && text.find("\n/* step ") == text.npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    auto rest = as_text(data, size);
    std::vector<File> files;
    while (!rest.empty() && files.size() < 8) {
        auto file = take_part(rest);
        auto name = take_part(file, '\n');
        files.push_back({name, file});
    }
    auto migrations = read_migrations(files);
    if (!migrations) {
        const Error &error = migrations.error();
        CHECK(error.kind == ErrorKind::malformed_script);
        CHECK(error.message.find(", line ") != std::string::npos);
        CHECK(std::any_of(files.begin(), files.end(), [&](const File &file) {
            return error.message.find("\"" + std::string(file.name) + "\"") != std::string::npos;
        }));
        return 0;
    }
    std::set<std::pair<Version, Version>> pairs;
    for (const Step &step : migrations->steps) {
        CHECK(step.from != step.to);
        CHECK(pairs.insert({step.from, step.to}).second);
        CHECK(!step.description.empty() && step.description.find('\n') == std::string::npos);
        CHECK(is_block(step.sql));
    }
    CHECK(is_block(migrations->record_sql));
    auto &releases = migrations->releases;
    CHECK(std::is_sorted(releases.begin(), releases.end(),
                         [](const Release &a, const Release &b) { return a.version < b.version; }));
    for (const Release &release : releases) {
        CHECK(!release.version.is_base());
        CHECK(migrations->release(release.version)->version == release.version);
        CHECK(release.version <= migrations->newest());
    }
    check_paths(*migrations);
    return 0;
}
