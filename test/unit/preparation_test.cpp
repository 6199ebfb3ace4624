// Tests the marks of a step, and the statements of a preparation.
#include "core/preparation.hpp"

#include <gtest/gtest.h>

namespace discovery::core {
namespace {

using When = Ahead::When;
using Batch = Ahead::Batch;

TEST(ReadAhead, Forms) {
    struct {
        const char *statement;
        When when;
        Batch batch;
        const char *table;
    } cases[] = {
        {"CREATE INDEX i ON @store@.t (a)", When::step, Batch::none, ""},
        {"-- @ahead@\nCREATE INDEX i ON @store@.t (a)", When::ahead, Batch::none, ""},
        {"-- Why.\n\n-- @ahead@  \n-- More.\nCREATE TABLE t ()", When::ahead, Batch::none, ""},
        {"-- @only ahead@\nCREATE TRIGGER t", When::only_ahead, Batch::none, ""},
        {"-- @ahead@ ids of notebooks\nUPDATE t", When::ahead, Batch::ids, "notebooks"},
        {"-- @ahead@ locked ids of notebooks\nUPDATE t", When::ahead, Batch::locked_ids, "notebooks"},
        {"-- @ahead@ pages of sources\nUPDATE t", When::ahead, Batch::pages, "sources"},
        // Not before the statement, and not a mark
        {"UPDATE t -- @ahead@\nSET a = 1", When::step, Batch::none, ""},
        {"SELECT '-- @ahead@'", When::step, Batch::none, ""},
        {"-- see @ahead@\nSELECT 1", When::step, Batch::none, ""},
        {"", When::step, Batch::none, ""},
        {"-- @ahead@", When::ahead, Batch::none, ""},
    };
    for (const auto &one : cases) {
        auto read = read_ahead(one.statement);
        ASSERT_TRUE(read) << one.statement << ": " << read.error().message;
        EXPECT_EQ(read->when, one.when) << one.statement;
        EXPECT_EQ(read->batch, one.batch) << one.statement;
        EXPECT_EQ(read->table, one.table) << one.statement;
        EXPECT_EQ(read->is_in_batches(), one.batch != Batch::none) << one.statement;
    }
}

TEST(ReadAhead, OtherFormsAreErrors) {
    for (const char *mark : {"-- @ahead@ rows of t", "-- @ahead@ ids of ", "-- @ahead@ ids of", "-- @ahead@x",
                             "-- @ahead@ locked pages of t", "-- @only ahead@ ids of t"}) {
        auto read = read_ahead(std::string(mark) + "\nUPDATE t");
        ASSERT_FALSE(read) << mark;
        EXPECT_EQ(read.error().kind, ErrorKind::malformed_script);
        EXPECT_NE(read.error().message.find("is not a mark of a step"), std::string::npos) << read.error().message;
    }
}

TEST(WithoutMark, RemovesItsLineOnly) {
    EXPECT_EQ(without_mark("-- Why.\n-- @ahead@\n-- More.\nSELECT 1"), "-- Why.\n-- More.\nSELECT 1");
    EXPECT_EQ(without_mark("\n-- @only ahead@\nSELECT 1"), "SELECT 1");
    EXPECT_EQ(without_mark("SELECT 1 -- @ahead@"), "SELECT 1 -- @ahead@");
    EXPECT_EQ(without_mark("-- @only native@\n-- @ahead@\nSELECT 1"), "SELECT 1");
    EXPECT_EQ(without_mark("-- Why.\n-- @only native@\nSELECT '-- @only native@\n'"),
              "-- Why.\nSELECT '-- @only native@\n'");
    EXPECT_EQ(without_mark("-- @only native@\n-- @ahead@\nSELECT 1"), "SELECT 1");
    EXPECT_EQ(without_mark("-- Why.\n-- @only native@\nSELECT '-- @only native@\n'"),
              "-- Why.\nSELECT '-- @only native@\n'");
    EXPECT_EQ(without_mark("-- @ahead@"), "");
    EXPECT_EQ(without_mark(""), "");
    EXPECT_EQ(without_comments("-- a\n/* b */ SELECT 1 -- c"), "SELECT 1 -- c");
}

TEST(PreparedIndex, IsBuiltConcurrentlyUnderAnotherName) {
    EXPECT_EQ(prepared_name("ix", {1, 12}), "ix__1_12");
    EXPECT_EQ(prepared_index("-- Why.\nCREATE INDEX ix ON s.t (a)", "ix__1_2"),
              "CREATE INDEX CONCURRENTLY ix__1_2 ON s.t (a)");
    EXPECT_EQ(
        prepared_index("CREATE UNIQUE INDEX \"the INDEX\" ON s.t (a)\n    WHERE a <> 'INDEX'", "\"the INDEX__1_2\""),
        "CREATE UNIQUE INDEX CONCURRENTLY \"the INDEX__1_2\" ON s.t (a)\n    WHERE a <> 'INDEX'");
    EXPECT_EQ(prepared_index("CREATE INDEX IF NOT EXISTS ix ON s.t (a)", "ix__1_2"),
              "CREATE INDEX CONCURRENTLY ix__1_2 ON s.t (a)");
}

TEST(PreparedIndex, IsTheSameButForItsName) {
    const Object wanted{"index", "t.ix", "CREATE UNIQUE INDEX ix ON @store@.t USING btree (ix)"};
    auto is = [&](const char *kind, const char *name, const char *definition) {
        return is_prepared_index({kind, name, definition}, wanted, {1, 2});
    };
    EXPECT_TRUE(is("index", "t.ix__1_2", "CREATE UNIQUE INDEX ix__1_2 ON @store@.t USING btree (ix)"));
    EXPECT_FALSE(is("index", "t.ix__1_2", "CREATE INDEX ix__1_2 ON @store@.t USING btree (ix)"));
    EXPECT_FALSE(is("index", "t.ix__1_2", "CREATE UNIQUE INDEX ix__1_2 ON @store@.t USING btree (ix) INVALID"));
    EXPECT_FALSE(is("index", "t.ix__1_3", "CREATE UNIQUE INDEX ix__1_3 ON @store@.t USING btree (ix)"));
    EXPECT_FALSE(is("index", "u.ix__1_2", "CREATE UNIQUE INDEX ix__1_2 ON @store@.t USING btree (ix)"));
    EXPECT_FALSE(is("constraint", "t.ix__1_2", "CREATE UNIQUE INDEX ix__1_2 ON @store@.t USING btree (ix)"));
}

TEST(PreparedTrigger, NamesItsFunction) {
    EXPECT_EQ(prepared_trigger("-- Why.\nCREATE TRIGGER t AFTER INSERT ON s.t FOR EACH ROW WHEN (f(new.a))\n"
                               "    EXECUTE FUNCTION ext.discovery_row()"),
              "CREATE TRIGGER t AFTER INSERT ON s.t FOR EACH ROW WHEN (f(new.a))\n"
              "    EXECUTE FUNCTION ext.discovery_prepared('discovery_row')");
    EXPECT_EQ(prepared_trigger("CREATE TRIGGER t AFTER INSERT ON s.t EXECUTE FUNCTION ext.discovery_prepared('a')"),
              "CREATE TRIGGER t AFTER INSERT ON s.t EXECUTE FUNCTION ext.discovery_prepared('a')");
}

TEST(UnlessThere, AddsWhatIsMissing) {
    EXPECT_EQ(
        unless_there("-- Why.\nALTER TABLE s.t\n    ADD COLUMN a integer,\n    ADD COLUMN b text DEFAULT 'ADD COLUMN'"),
        "ALTER TABLE s.t\n    ADD COLUMN IF NOT EXISTS a integer,\n"
        "    ADD COLUMN IF NOT EXISTS b text DEFAULT 'ADD COLUMN'");
    EXPECT_EQ(unless_there("ALTER TABLE s.t ADD COLUMN IF NOT EXISTS a integer"),
              "ALTER TABLE s.t ADD COLUMN IF NOT EXISTS a integer");
}

TEST(Batches, AreRanges) {
    EXPECT_EQ(batch_of_ids("a", "b'c"), "BETWEEN 'a' AND 'b''c'");
    EXPECT_EQ(batch_of_pages(0, 63), "BETWEEN '(0,0)' AND '(63,65535)'");
    EXPECT_EQ(batch_of_pages(64, 4294967294u), "BETWEEN '(64,0)' AND '(4294967294,65535)'");
}

TEST(WithoutPreparation, LeavesTheUsersObjects) {
    const Shape before{{"column", "t.a", "integer"}, {"table", "t", "permanent"}};
    const Shape after{{"column", "t.a", "integer"},
                      {"column", "t.b", "integer"},
                      {"table", "log", "permanent"},
                      {"table", "t", "permanent"},
                      {"trigger", "t.row", "CREATE TRIGGER row"}};
    const Shape is{{"column", "discovery_preparation.proof", "text"},
                   {"column", "t.a", "integer"},
                   {"column", "t.b", "integer"},
                   {"column", "t.mine", "integer"},
                   {"index", "t.ix__1_2", "CREATE INDEX"},
                   {"index", "t.ix__1_3", "CREATE INDEX"},
                   {"table", "discovery_preparation", "permanent"},
                   {"table", "log", "permanent"},
                   {"table", "t", "permanent"},
                   {"trigger", "t.own", "CREATE TRIGGER own EXECUTE FUNCTION own()"},
                   {"trigger", "t.row", "CREATE TRIGGER row EXECUTE FUNCTION @functions@.discovery_prepared('row')"}};
    const Shape rest{{"column", "t.a", "integer"},
                     {"column", "t.mine", "integer"},
                     {"index", "t.ix__1_3", "CREATE INDEX"},
                     {"table", "t", "permanent"},
                     {"trigger", "t.own", "CREATE TRIGGER own EXECUTE FUNCTION own()"}};
    EXPECT_EQ(without_preparation(is, before, after, {1, 2}), rest);
}

}  // namespace
}  // namespace discovery::core
