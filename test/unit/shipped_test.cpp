// Tests the rules for the scripts and shapes in sql/: for example, one step up and one step down
// between neighbouring versions, and a shape for each version.
#include "core/migrations.hpp"
#include "core/preparation.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace discovery::core {
namespace {

class Shipped : public testing::Test {
protected:
    static void SetUpTestSuite() {
        for (const auto &entry : std::filesystem::directory_iterator(DISCOVERY_SQL_DIR)) {
            std::string extension = entry.path().extension();
            if (extension != ".sql" && extension != ".shape") continue;
            std::ifstream file(entry.path(), std::ios::binary);
            files[entry.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
        }
        std::vector<File> views;
        for (const auto &[name, text] : files) views.push_back({name, text});
        auto read = read_migrations(views);
        ASSERT_TRUE(read) << read.error().message;
        migrations = *read;
        ASSERT_FALSE(migrations.releases.empty()) << "no shapes in " << DISCOVERY_SQL_DIR;
    }

    static std::vector<Version> versions() {
        std::vector<Version> all;
        for (const Release &release : migrations.releases) all.push_back(release.version);
        return all;
    }

    static inline std::map<std::string, std::string> files;
    static inline Migrations migrations;
};

TEST_F(Shipped, EachVersionHasAShapeOfAStore) {
    for (const Release &release : migrations.releases) {
        std::set<std::string> tables;
        for (const Object &object : release.shape)
            if (object.kind == "table") tables.insert(object.name);
        EXPECT_TRUE(tables.contains("notebooks")) << release.version.text();
        EXPECT_TRUE(tables.contains("sources")) << release.version.text();
        EXPECT_TRUE(tables.contains("discovery_migrations")) << release.version.text();
    }
}

TEST_F(Shipped, ShapesAreWrittenAsTheyAreDescribed) {
    for (const Release &release : migrations.releases) {
        std::string lines;
        for (const Object &object : release.shape) lines += describe(object) + "\n";
        EXPECT_EQ(lines, files["discovery--" + release.version.text() + ".shape"]);
    }
}

TEST_F(Shipped, AShapeSaysItsVersion) {
    // The default of this column is the version of a store.
    for (const Release &release : migrations.releases) {
        auto column = std::find_if(release.shape.begin(), release.shape.end(), [](const Object &object) {
            return object.kind == "column" && object.name == "discovery_migrations.version";
        });
        ASSERT_NE(column, release.shape.end());
        EXPECT_EQ(column->definition, "text NOT NULL DEFAULT '" + release.version.text() + "'::text");
    }
}

TEST_F(Shipped, ShapesOfTwoVersionsDiffer) {
    for (const Release &a : migrations.releases)
        for (const Release &b : migrations.releases)
            EXPECT_EQ(compare(a.shape, b.shape).empty(), a.version == b.version)
                << a.version.text() << " and " << b.version.text();
}

TEST_F(Shipped, EveryVersionIsReachedFromEveryOther) {
    std::vector<Version> all = versions();
    all.insert(all.begin(), Version{});
    for (Version from : all)
        for (Version to : all) {
            auto path = find_path(migrations, from, to);
            ASSERT_TRUE(path) << path.error().message;
            auto distance = std::find(all.begin(), all.end(), to) - std::find(all.begin(), all.end(), from);
            EXPECT_EQ(path->size(), static_cast<std::size_t>(std::abs(distance)));
        }
}

TEST_F(Shipped, StepsJoinNeighboursEachWithItsWayDown) {
    std::vector<Version> all = versions();
    all.insert(all.begin(), Version{});
    std::set<std::pair<Version, Version>> should_be, is;
    for (std::size_t i = 1; i < all.size(); ++i) {
        should_be.insert({all[i - 1], all[i]});
        should_be.insert({all[i], all[i - 1]});
    }
    for (const Step &step : migrations.steps) {
        is.insert({step.from, step.to});
        EXPECT_TRUE(should_be.contains({step.from, step.to}))
            << step.from.text() << " -> " << step.to.text() << " does not join neighbours, or one has no shape";
    }
    EXPECT_EQ(is.size(), should_be.size());
    EXPECT_EQ(is.size(), migrations.steps.size());
}

TEST_F(Shipped, EachStepSaysWhatItDoesAndHasSql) {
    EXPECT_NE(migrations.record_sql.find("CREATE TABLE @store@.discovery_migrations"), std::string::npos);
    for (const Step &step : migrations.steps) {
        EXPECT_GT(step.description.size(), 10u) << step.from.text() << " -> " << step.to.text();
        EXPECT_TRUE(step.sql.ends_with(";")) << step.from.text() << " -> " << step.to.text();
    }
}

TEST_F(Shipped, NoScriptIsReadPast) {
    // What looks like a step to a person has been read as one.
    std::size_t marks = 0;
    for (const auto &[name, text] : files) {
        if (!name.ends_with(".sql")) continue;
        static const std::regex mark(R"((^|\n)\s*/\*+\s*step\b)");
        auto count = std::distance(std::sregex_iterator(text.begin(), text.end(), mark), std::sregex_iterator());
        EXPECT_GT(count, 0) << name << " has no step";
        marks += static_cast<std::size_t>(count);
    }
    EXPECT_EQ(marks, migrations.steps.size());
}

TEST_F(Shipped, ScriptsAreNamedForTheVersionsTheyJoin) {
    // One base script, else only neighbours: PostgreSQL would take a shortcut.
    std::vector<Version> all = versions();
    std::set<std::string> names = {"discovery--" + all.front().text() + ".sql"};
    for (std::size_t i = 1; i < all.size(); ++i) {
        names.insert("discovery--" + all[i - 1].text() + "--" + all[i].text() + ".sql");
        names.insert("discovery--" + all[i].text() + "--" + all[i - 1].text() + ".sql");
    }
    for (Version version : all) names.insert("discovery--" + version.text() + ".shape");
    std::set<std::string> found;
    for (const auto &[name, text] : files) found.insert(name);
    EXPECT_EQ(found, names);
}

TEST_F(Shipped, ScriptsFixTheirSearchPathFirst) {
    for (const auto &[name, text] : files) {
        if (!name.ends_with(".sql")) continue;
        auto first = text.find("\nSET LOCAL search_path TO pg_catalog, pg_temp;\n");
        EXPECT_TRUE(text.starts_with("\\echo Use \"") && first != text.npos && first == text.find('\n')) << name;
    }
}

TEST_F(Shipped, StepsNameTheSchemaOfEachTable) {
    // The runner's search_path has no schema of the user's.
    static const std::regex bare(
        R"((TABLE|REFERENCES|ON|INTO|UPDATE|FROM|JOIN)\s+(IF (NOT )?EXISTS\s+)?(notebooks|sources|discovery_\w+)\b)");
    for (const Step &step : migrations.steps) {
        std::smatch found;
        EXPECT_FALSE(std::regex_search(step.sql, found, bare))
            << step.from.text() << " -> " << step.to.text() << ": " << found.str();
    }
}

TEST_F(Shipped, MarksStandInNoLiteral) {
    // A schema is put in as a quoted identifier; in a literal it could end it. The runner doubles the quotes in the
    // name of an object.
    auto check = [](const std::string &script) {
        static const std::regex comment(R"(--[^\n]*)");
        static const std::regex object(R"('@store@\.\w+'::regclass)");
        std::string sql = std::regex_replace(std::regex_replace(script, comment, ""), object, "");
        static const std::regex literal(R"('([^']|'')*')");
        for (std::sregex_iterator it(sql.begin(), sql.end(), literal), end; it != end; ++it)
            EXPECT_EQ(it->str().find("@store@"), std::string::npos) << it->str();
        // what the runner puts something in for; another word would be run as it stands
        static const std::regex known("@(store|functions|compression|batch)@"), leftover(R"(@\w+@)");
        EXPECT_FALSE(std::regex_search(std::regex_replace(sql, known, ""), leftover));
    };
    check(migrations.record_sql);
    for (const Step &step : migrations.steps) check(step.sql);
}

TEST_F(Shipped, IndexesThatRunAheadQualifyTheirOperators) {
    // A session with its own search_path builds them.
    int indexes = 0;
    for (const Step &step : migrations.steps) {
        if (!step.is_up()) continue;
        std::istringstream lines(step.sql);
        std::string statement;
        for (std::string line; std::getline(lines, line);) {
            statement += line + "\n";
            if (!line.ends_with(';')) continue;
            std::string_view sql = without_comments(statement);
            bool is_index = sql.starts_with("CREATE INDEX ") || sql.starts_with("CREATE UNIQUE INDEX ");
            auto ahead = read_ahead(statement);
            ASSERT_TRUE(ahead) << ahead.error().message;
            if (is_index && ahead->when == Ahead::When::ahead) {
                ++indexes;
                static const std::regex qualified(R"(OPERATOR\(pg_catalog\.[^)]+\)|'[^']*')"), bare("[-+*/<>=~!#%^&|]");
                std::string left = std::regex_replace(std::string(sql), qualified, "");
                EXPECT_FALSE(std::regex_search(left, bare)) << sql;
            }
            statement.clear();
        }
    }
    EXPECT_GT(indexes, 0);
}

}  // namespace
}  // namespace discovery::core
