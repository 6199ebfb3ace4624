// Tests reading scripts and shapes, the errors of malformed files with file and line, and the paths
// between versions.
#include "core/migrations.hpp"

#include <gtest/gtest.h>

namespace discovery::core {
namespace {

constexpr Version base{}, v1_0{1, 0}, v1_1{1, 1}, v1_2{1, 2}, v2_0{2, 0};

constexpr std::string_view first_script = R"(\echo Use CREATE EXTENSION
SELECT 1;

/* record: keeps the version,
   and the history.

CREATE TABLE @store@.record ();

COMMENT ON TABLE @store@.record IS 'x';
*/

/* step base -> 1.0: two
   tables:  of notebooks

CREATE TABLE @store@.a ();

CREATE TABLE @store@.b ();
*/

-- between them

/* step 1.0 -> base: none

DROP TABLE @store@.b, @store@.a;
*/

/* no mark of ours */
SELECT 2;
)";

// Returns a script with one step for each pair of versions. The SQL of a step names its versions.
std::string script(std::initializer_list<std::pair<const char *, const char *>> steps) {
    std::string text = "-- planted\n";
    for (auto [from, to] : steps)
        text +=
            "\n/* step " + std::string(from) + " -> " + to + ": planted\n\nSELECT '" + from + "', '" + to + "';\n*/\n";
    return text;
}

Result<Migrations> read(std::vector<File> files) { return read_migrations(files); }

Migrations planted(std::string_view text) {
    auto migrations = read({{"discovery--planted.sql", text}});
    EXPECT_TRUE(migrations);
    if (!migrations) {
        ADD_FAILURE() << migrations.error().message;
        return {};
    }
    return *migrations;
}

TEST(ReadMigrations, StepsAndTheRecord) {
    Migrations migrations = planted(first_script);
    EXPECT_EQ(migrations.record_sql, "CREATE TABLE @store@.record ();\n\nCOMMENT ON TABLE @store@.record IS 'x';");
    ASSERT_EQ(migrations.steps.size(), 2u);
    const Step &up = migrations.steps[0], &down = migrations.steps[1];
    EXPECT_EQ(up.from, base);
    EXPECT_EQ(up.to, v1_0);
    EXPECT_TRUE(up.is_up());
    EXPECT_EQ(up.description, "two tables: of notebooks");
    EXPECT_EQ(up.sql, "CREATE TABLE @store@.a ();\n\nCREATE TABLE @store@.b ();");
    EXPECT_EQ(down.from, v1_0);
    EXPECT_EQ(down.to, base);
    EXPECT_FALSE(down.is_up());
    EXPECT_EQ(down.description, "none");
    EXPECT_EQ(down.sql, "DROP TABLE @store@.b, @store@.a;");
}

TEST(ReadMigrations, ReleasesAscendByNumber) {
    auto migrations = read({{"discovery--1.10.shape", "table c: x\n"},
                            {"discovery--1.9.shape", "table b: x\n"},
                            {"discovery--1.0.shape", "table a: x\n"}});
    ASSERT_TRUE(migrations);
    ASSERT_EQ(migrations->releases.size(), 3u);
    EXPECT_EQ(migrations->releases[0].version, v1_0);
    EXPECT_EQ(migrations->releases[1].version, (Version{1, 9}));
    EXPECT_EQ(migrations->newest(), (Version{1, 10}));
    ASSERT_NE(migrations->release({1, 9}), nullptr);
    EXPECT_EQ(migrations->release({1, 9})->shape[0].name, "b");
    EXPECT_EQ(migrations->release({1, 1}), nullptr);
    EXPECT_EQ(migrations->release(base), nullptr);
}

TEST(ReadMigrations, OtherFilesAreNoneOfTheirs) {
    auto migrations =
        read({{"README.md", "/* step 1 */"}, {"other--1.0.shape", "nonsense"}, {"discovery.control", ""}});
    ASSERT_TRUE(migrations);
    EXPECT_TRUE(migrations->steps.empty());
    EXPECT_TRUE(migrations->releases.empty());
    EXPECT_EQ(migrations->newest(), base);
    ASSERT_TRUE(read({}));
}

TEST(ReadMigrations, AStepMayStandOnTheFirstLine) {
    EXPECT_EQ(planted("/* step base -> 1.0: first\n\nSELECT 1;\n*/\n").steps.size(), 1u);
}

TEST(ReadMigrations, AStepMayHaveNoSql) {
    // A release may change functions and leave the store as it is.
    Migrations migrations =
        planted("\n/* step 1.0 -> 1.1: functions only\n\n*/\n\n/* step 1.1 -> 1.0: and back\n\nSELECT 1;\n*/\n");
    ASSERT_EQ(migrations.steps.size(), 2u);
    EXPECT_EQ(migrations.steps[0].sql, "");
    EXPECT_EQ(migrations.steps[1].sql, "SELECT 1;");
}

TEST(ReadMigrations, TheSameVersionsTheOtherWayAreAnotherStep) {
    EXPECT_EQ(planted(script({{"1.0", "1.1"}, {"1.1", "1.0"}})).steps.size(), 2u);
}

struct Malformed {
    const char *name;
    std::string script;
    int line;
};

void PrintTo(const Malformed &malformed, std::ostream *out) { *out << malformed.script; }

class MalformedScript : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedScript, IsToldWithFileAndLine) {
    auto migrations = read({{"discovery--1.0.sql", first_script}, {"discovery--1.0--1.1.sql", GetParam().script}});
    ASSERT_FALSE(migrations);
    EXPECT_EQ(migrations.error().kind, ErrorKind::malformed_script);
    std::string place = "file \"discovery--1.0--1.1.sql\", line " + std::to_string(GetParam().line) + ": ";
    EXPECT_TRUE(migrations.error().message.starts_with(place)) << migrations.error().message;
    EXPECT_GT(migrations.error().message.size(), place.size());
}

INSTANTIATE_TEST_SUITE_P(
    Scripts, MalformedScript,
    testing::Values(Malformed{"NoDescription", "\n/* step 1.0 -> 1.1\n*/\n", 2},
                    Malformed{"EmptyDescription", "\n/* step 1.0 -> 1.1: \n\nSELECT 1;\n*/\n", 2},
                    Malformed{"NoArrow", "\n\n/* step 1.0 1.1: x\n\nSELECT 1;\n*/\n", 3},
                    Malformed{"NoSpaces", "\n/* step 1.0->1.1: x\n\nSELECT 1;\n*/\n", 2},
                    Malformed{"BadFrom", "\n/* step 1 -> 1.1: x\n\nSELECT 1;\n*/\n", 2},
                    Malformed{"BadTo", "\n/* step 1.0 -> next: x\n\nSELECT 1;\n*/\n", 2},
                    Malformed{"ThreeVersions", "\n/* step 1.0 -> 1.1 -> 1.2: x\n\nSELECT 1;\n*/\n", 2},
                    Malformed{"ToItself", "\n/* step 1.0 -> 1.0: x\n\nSELECT 1;\n*/\n", 2},
                    Malformed{"BaseToBase", "\n/* step base -> base: x\n\nSELECT 1;\n*/\n", 2},
                    Malformed{"NoEmptyLine", "\n/* step 1.0 -> 1.1: x\nSELECT 1;\n*/\n", 2},
                    Malformed{"NoEmptyLineButOneInTheSql",
                              "\n/* step 1.0 -> 1.1: x\nSELECT 1;\n*/\n\nSELECT 1;\n\n/* c\n*/\n", 2},
                    Malformed{"NoEnd", "\n/* step 1.0 -> 1.1: x\n\nSELECT 1;\n", 2},
                    Malformed{"EndNotAtTheStartOfALine", "\n/* step 1.0 -> 1.1: x\n\nSELECT 1; */\n", 2},
                    Malformed{"EndSharesItsLine", "\n/* step 1.0 -> 1.1: x\n\nSELECT 1;\n*/ SELECT 2;\n", 2},
                    Malformed{"EndIsOfTheNextStep",
                              "\n/* step 1.0 -> 1.1: x\n\nSELECT 1; */\n\n/* step 1.1 -> 1.0: y\n\nSELECT 2;\n*/\n", 2},
                    Malformed{"Twice", script({{"1.0", "1.1"}, {"1.1", "1.0"}, {"1.0", "1.1"}}), 13},
                    Malformed{"OfAnotherFile", "\n\n\n/* step 1.0 -> base: again\n\nSELECT 1;\n*/\n", 4},
                    Malformed{"RecordWithoutSql", "\n/* record: x\n*/\n", 2},
                    Malformed{"SecondRecord", "\n/* record: x\n\nSELECT 1;\n*/\n", 2}),
    [](const auto &param) { return param.param.name; });

TEST(ReadMigrations, AMalformedShapeIsToldWithFileAndLine) {
    auto migrations = read({{"discovery--1.0.shape", "table a: x\nnonsense\n"}});
    ASSERT_FALSE(migrations);
    EXPECT_EQ(migrations.error().kind, ErrorKind::malformed_script);
    EXPECT_NE(migrations.error().message.find("\"discovery--1.0.shape\""), std::string::npos)
        << migrations.error().message;
    EXPECT_NE(migrations.error().message.find("line 2"), std::string::npos) << migrations.error().message;
}

TEST(ReadMigrations, AShapeOfNoVersionIsToldWithItsFile) {
    for (const char *name : {"discovery--.shape", "discovery--next.shape", "discovery--1.0--1.1.shape"}) {
        auto migrations = read({{name, "table a: x\n"}});
        ASSERT_FALSE(migrations) << name;
        EXPECT_EQ(migrations.error().kind, ErrorKind::malformed_script);
        EXPECT_NE(migrations.error().message.find(name), std::string::npos) << migrations.error().message;
    }
}

TEST(ReadMigrations, BaseHasNoShape) {
    // "base" is a version, but no release: as one it would be adopted over an empty schema.
    EXPECT_FALSE(read({{"discovery--base.shape", ""}}));
}

// Returns the path in the form "base > 1.0 > 1.1", or the error message.
std::string way(const Migrations &migrations, Version from, Version to) {
    auto path = find_path(migrations, from, to);
    if (!path) {
        EXPECT_EQ(path.error().kind, ErrorKind::unknown_version);
        EXPECT_FALSE(path.error().hint.empty());
        return path.error().message;
    }
    std::string text = from.text();
    Version at = from;
    for (const Step *step : *path) {
        EXPECT_EQ(step->from, at);
        EXPECT_EQ(step->sql, "SELECT '" + at.text() + "', '" + step->to.text() + "';");
        at = step->to;
        text += " > " + at.text();
    }
    return text;
}

TEST(FindPath, UpAndDownInOneOrSeveralSteps) {
    // not in order, so that the order of the files does not matter
    Migrations migrations = planted(script({{"1.1", "1.2"},
                                            {"1.2", "2.0"},
                                            {"base", "1.0"},
                                            {"2.0", "1.2"},
                                            {"1.0", "1.1"},
                                            {"1.1", "1.0"},
                                            {"1.0", "base"},
                                            {"1.2", "1.1"}}));
    EXPECT_EQ(way(migrations, base, v1_0), "base > 1.0");
    EXPECT_EQ(way(migrations, base, v2_0), "base > 1.0 > 1.1 > 1.2 > 2.0");
    EXPECT_EQ(way(migrations, v1_1, v2_0), "1.1 > 1.2 > 2.0");
    EXPECT_EQ(way(migrations, v2_0, base), "2.0 > 1.2 > 1.1 > 1.0 > base");
    EXPECT_EQ(way(migrations, v1_2, v1_1), "1.2 > 1.1");
}

TEST(FindPath, NothingToDo) {
    Migrations migrations = planted(script({{"base", "1.0"}}));
    for (Version version : {base, v1_0}) {
        auto path = find_path(migrations, version, version);
        ASSERT_TRUE(path);
        EXPECT_TRUE(path->empty());
    }
}

TEST(FindPath, NoWay) {
    Migrations migrations = planted(script({{"base", "1.0"}, {"1.0", "1.2"}, {"1.2", "2.0"}, {"2.0", "1.2"}}));
    // unknown versions, at either end
    EXPECT_EQ(way(migrations, v1_0, {3, 0}), "there is no migration path from version 1.0 to version 3.0");
    EXPECT_EQ(way(migrations, {3, 0}, v1_0), "there is no migration path from version 3.0 to version 1.0");
    EXPECT_EQ(way(migrations, {0, 5}, v1_0), "there is no migration path from version 0.5 to version 1.0");
    // a step that goes past the target
    EXPECT_EQ(way(migrations, base, v1_1), "there is no migration path from version base to version 1.1");
    EXPECT_EQ(way(migrations, v2_0, {1, 9}), "there is no migration path from version 2.0 to version 1.9");
    // up is not down
    EXPECT_EQ(way(migrations, v1_0, base), "there is no migration path from version 1.0 to version base");
    EXPECT_EQ(way(migrations, v2_0, v1_0), "there is no migration path from version 2.0 to version 1.0");
    // nothing at all
    EXPECT_EQ(way({}, base, v1_0), "there is no migration path from version base to version 1.0");
}

}  // namespace
}  // namespace discovery::core
