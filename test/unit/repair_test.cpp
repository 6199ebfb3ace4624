// Tests that the statements between two shapes lead from one to the other, in an order in which
// they can run. Also tests renames, views that block a change, differences that cannot be repaired,
// the repair of a single difference, and the repair of a detached store.
#include "core/repair.hpp"

#include <gtest/gtest.h>

#include <random>

#include "apply.hpp"

namespace discovery::core {
namespace {

using testing_ground::Refused;
using testing_ground::Store;

Shape parsed(std::string_view description) {
    auto shape = parse_shape(description);
    EXPECT_TRUE(shape) << description;
    return shape ? *shape : Shape{};
}

std::string text(const std::vector<Repair> &statements) {
    std::string lines;
    for (const Repair &one : statements)
        lines += one.statement + ";" + (one.comment.empty() ? "" : "  -- " + one.comment) + "\n";
    return lines;
}

void expect_repaired(const Shape &is, const Shape &should_be, bool drops_relations = true) {
    auto statements = repair(is, should_be, drops_relations);
    Store store(is);
    try {
        for (const Repair &one : statements) store.run(one.statement);
    } catch (const Refused &why) {
        ADD_FAILURE() << why.what() << "\n" << text(statements);
        return;
    }
    auto left = compare(store.shape(), should_be);
    EXPECT_EQ(list(drops_relations ? left : violations(left)), "") << text(statements);
}

void expect_both_ways(const Shape &one, const Shape &other) {
    expect_repaired(one, other);
    expect_repaired(other, one);
}

// The shape of a small store: two tables with a foreign key between them, and a view.
constexpr std::string_view small =
    "table notebooks: permanent\n"
    "table sources: permanent\n"
    "column notebooks.description: text\n"
    "column notebooks.id: uuid NOT NULL\n"
    "column notebooks.name: character varying(255) NOT NULL\n"
    "column sources.id: uuid NOT NULL DEFAULT @functions@.uuid_v7()\n"
    "column sources.name: character varying(500) NOT NULL\n"
    "column sources.notebook_id: uuid NOT NULL\n"
    "column sources.size: integer NOT NULL DEFAULT 0\n"
    "constraint notebooks.notebooks_pkey: PRIMARY KEY (id)\n"
    "constraint sources.sources_notebook_id_fkey: FOREIGN KEY (notebook_id) REFERENCES @store@.notebooks(id) ON DELETE "
    "CASCADE\n"
    "constraint sources.sources_pkey: PRIMARY KEY (id)\n"
    "index sources.ix_sources_name: CREATE INDEX ix_sources_name ON @store@.sources USING btree (name)\n"
    "trigger sources.count: CREATE TRIGGER count AFTER INSERT ON @store@.sources FOR EACH STATEMENT EXECUTE FUNCTION "
    "@functions@.count()\n"
    "view live: AS SELECT source.id, source.name FROM @store@.sources source\n"
    "comment live: what lives\n"
    "comment sources: what is filed\n";

// Returns `small` without the lines that start with one of `out`, and with the lines `in`.
Shape altered(std::initializer_list<std::string_view> out, std::string_view in = {}) {
    Shape shape = parsed(small);
    for (std::string_view start : out)
        EXPECT_GT(std::erase_if(shape, [&](const Object &object) { return describe(object).starts_with(start); }), 0u)
            << start;
    for (const Object &object : parsed(in)) shape.push_back(object);
    sort(shape);
    return shape;
}

std::string up(const Shape &shape) { return text(repair(parsed(small), shape, true)); }

TEST(Repair, NothingToDo) {
    EXPECT_EQ(up(parsed(small)), "");
    EXPECT_TRUE(repair({}, {}, true).empty());
}

TEST(Repair, FromNothingAndToNothing) {
    expect_both_ways({}, parsed(small));
    auto statements = repair({}, parsed(small), true);
    EXPECT_EQ(
        statements.front().statement,
        "CREATE TABLE @store@.notebooks (description text, id uuid NOT NULL, name character varying(255) NOT NULL)");
}

// A manual change: the lines removed from `small`, the lines added, and the statements that make
// the change.
struct Change {
    const char *name;
    std::vector<std::string_view> out;
    std::string_view in;
    std::string_view statements;
};

class HandChange : public testing::TestWithParam<Change> {
protected:
    static Shape shape() {
        Shape shape = parsed(small);
        for (std::string_view start : GetParam().out)
            std::erase_if(shape, [&](const Object &object) { return describe(object).starts_with(start); });
        for (const Object &object : parsed(GetParam().in)) shape.push_back(object);
        sort(shape);
        return shape;
    }
};

TEST_P(HandChange, LeadsThereAndBack) { expect_both_ways(parsed(small), shape()); }
TEST_P(HandChange, HasTheseStatements) { EXPECT_EQ(up(shape()), GetParam().statements); }

INSTANTIATE_TEST_SUITE_P(
    Each, HandChange,
    testing::Values(
        Change{"AddColumn",
               {},
               "column sources.language: text\n",
               "ALTER TABLE @store@.sources ADD COLUMN language text;\n"},
        Change{"AddColumnNotNull",
               {},
               "column sources.pages: integer NOT NULL DEFAULT 1\n",
               "ALTER TABLE @store@.sources ADD COLUMN pages integer NOT NULL DEFAULT 1;\n"},
        Change{"DropColumn",
               {"column notebooks.description"},
               "",
               "ALTER TABLE @store@.notebooks DROP COLUMN description;\n"},
        Change{"WidenType",
               {"column notebooks.name"},
               "column notebooks.name: character varying(900) NOT NULL\n",
               "ALTER TABLE @store@.notebooks ALTER COLUMN name TYPE character varying(900);\n"},
        Change{"TypeUnderAView",
               {"column sources.name"},
               "column sources.name: text NOT NULL\n",
               "DROP VIEW @store@.live;\n"
               "ALTER TABLE @store@.sources ALTER COLUMN name TYPE text;\n"
               "CREATE VIEW @store@.live AS SELECT source.id, source.name FROM @store@.sources source;\n"
               "COMMENT ON VIEW @store@.live IS 'what lives';\n"},
        Change{"SetNotNull",
               {"column notebooks.description"},
               "column notebooks.description: text NOT NULL\n",
               "ALTER TABLE @store@.notebooks ALTER COLUMN description SET NOT NULL;\n"},
        Change{"DropNotNull",
               {"column notebooks.name"},
               "column notebooks.name: character varying(255)\n",
               "ALTER TABLE @store@.notebooks ALTER COLUMN name DROP NOT NULL;\n"},
        Change{"ChangeDefault",
               {"column sources.size"},
               "column sources.size: integer NOT NULL DEFAULT 7\n",
               "ALTER TABLE @store@.sources ALTER COLUMN size SET DEFAULT 7;\n"},
        Change{"DropDefault",
               {"column sources.id"},
               "column sources.id: uuid NOT NULL\n",
               "ALTER TABLE @store@.sources ALTER COLUMN id DROP DEFAULT;\n"},
        Change{"TypeAndDefault",
               {"column sources.size"},
               "column sources.size: text DEFAULT 'x'::text\n",
               "ALTER TABLE @store@.sources ALTER COLUMN size DROP DEFAULT, ALTER COLUMN size TYPE text,"
               " ALTER COLUMN size SET DEFAULT 'x'::text, ALTER COLUMN size DROP NOT NULL;\n"},
        Change{"Collation",
               {"column notebooks.description"},
               "column notebooks.description: text COLLATE \"C\"\n",
               "ALTER TABLE @store@.notebooks ALTER COLUMN description TYPE text COLLATE \"C\";\n"},
        Change{"BecomesIdentity",
               {"column sources.size"},
               "column sources.size: integer NOT NULL GENERATED ALWAYS AS IDENTITY\n",
               "ALTER TABLE @store@.sources ALTER COLUMN size DROP DEFAULT, ALTER COLUMN size ADD GENERATED ALWAYS AS "
               "IDENTITY;\n"},
        Change{"AddIndex",
               {},
               "index sources.ix: CREATE UNIQUE INDEX ix ON @store@.sources USING btree (size) WHERE (size > 0)\n",
               "CREATE UNIQUE INDEX ix ON @store@.sources USING btree (size) WHERE (size > 0);\n"},
        Change{"DropIndex", {"index"}, "", "DROP INDEX @store@.ix_sources_name;\n"},
        Change{"AnotherIndex",
               {"index"},
               "index sources.ix_sources_name: CREATE INDEX ix_sources_name ON @store@.sources USING hash (name)\n",
               "DROP INDEX @store@.ix_sources_name;\nCREATE INDEX ix_sources_name ON @store@.sources USING hash "
               "(name);\n"},
        Change{"AddCheck",
               {},
               "constraint sources.positive: CHECK ((size >= 0))\n",
               "ALTER TABLE @store@.sources ADD CONSTRAINT positive CHECK ((size >= 0));\n"},
        Change{
            "AnotherForeignKey",
            {"constraint sources.sources_notebook_id_fkey"},
            "constraint sources.sources_notebook_id_fkey: FOREIGN KEY (notebook_id) REFERENCES @store@.notebooks(id)\n",
            "ALTER TABLE @store@.sources DROP CONSTRAINT sources_notebook_id_fkey;\n"
            "ALTER TABLE @store@.sources ADD CONSTRAINT sources_notebook_id_fkey FOREIGN KEY (notebook_id) REFERENCES "
            "@store@.notebooks(id);\n"},
        Change{
            "AddTable",
            {},
            "table outputs: permanent\ncolumn outputs.id: uuid NOT NULL\ncolumn outputs.notebook_id: uuid\n"
            "constraint outputs.outputs_notebook_id_fkey: FOREIGN KEY (notebook_id) REFERENCES @store@.notebooks(id)\n"
            "constraint outputs.outputs_pkey: PRIMARY KEY (id)\n"
            "index outputs.ix_outputs: CREATE INDEX ix_outputs ON @store@.outputs USING btree (notebook_id)\ncomment "
            "outputs: it's made\n",
            "CREATE TABLE @store@.outputs (id uuid NOT NULL, notebook_id uuid);\n"
            "ALTER TABLE @store@.outputs ADD CONSTRAINT outputs_pkey PRIMARY KEY (id);\n"
            "ALTER TABLE @store@.outputs ADD CONSTRAINT outputs_notebook_id_fkey FOREIGN KEY (notebook_id) REFERENCES "
            "@store@.notebooks(id);\n"
            "CREATE INDEX ix_outputs ON @store@.outputs USING btree (notebook_id);\n"
            "COMMENT ON TABLE @store@.outputs IS 'it''s made';\n"},
        // On the way down, nothing of a table that goes holds what it refers to.
        Change{
            "AddTableAndWhatItRefersTo",
            {},
            "table outputs: permanent\ncolumn notebooks.number: bigint\ncolumn outputs.number: bigint\n"
            "constraint notebooks.numbers: UNIQUE (number)\n"
            "constraint outputs.of_number: FOREIGN KEY (number) REFERENCES @store@.notebooks(number)\n",
            "CREATE TABLE @store@.outputs (number bigint);\nALTER TABLE @store@.notebooks ADD COLUMN number bigint;\n"
            "ALTER TABLE @store@.notebooks ADD CONSTRAINT numbers UNIQUE (number);\n"
            "ALTER TABLE @store@.outputs ADD CONSTRAINT of_number FOREIGN KEY (number) REFERENCES "
            "@store@.notebooks(number);\n"},
        // Only dropped together, once nothing ties them.
        Change{"AddTablesInARing",
               {},
               "table a: permanent\ntable b: permanent\ncolumn a.b: uuid\ncolumn b.a: uuid\n"
               "constraint a.a_b: FOREIGN KEY (b) REFERENCES @store@.b(a)\nconstraint b.b_a: FOREIGN KEY (a) "
               "REFERENCES @store@.a(b)\n",
               "CREATE TABLE @store@.a (b uuid);\nCREATE TABLE @store@.b (a uuid);\n"
               "ALTER TABLE @store@.a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES @store@.b(a);\n"
               "ALTER TABLE @store@.b ADD CONSTRAINT b_a FOREIGN KEY (a) REFERENCES @store@.a(b);\n"},
        Change{
            "Unlogged", {"table sources"}, "table sources: unlogged\n", "ALTER TABLE @store@.sources SET UNLOGGED;\n"},
        Change{"DropTrigger", {"trigger"}, "", "DROP TRIGGER count ON @store@.sources;\n"},
        Change{"AddRule",
               {},
               "rule sources.keep: CREATE RULE keep AS ON DELETE TO @store@.sources DO INSTEAD NOTHING\n",
               "CREATE RULE keep AS ON DELETE TO @store@.sources DO INSTEAD NOTHING;\n"},
        // A view that is made again gets its comment again.
        Change{"AnotherView",
               {"view"},
               "view live: AS SELECT source.id FROM @store@.sources source\n",
               "DROP VIEW @store@.live;\nCREATE VIEW @store@.live AS SELECT source.id FROM @store@.sources source;\n"
               "COMMENT ON VIEW @store@.live IS 'what lives';\n"},
        Change{"DropView", {"view", "comment live"}, "", "DROP VIEW @store@.live;\n"},
        Change{"AnotherComment",
               {"comment sources"},
               "comment sources: it's \\\\ ' quoted\n",
               "COMMENT ON TABLE @store@.sources IS 'it''s \\ '' quoted';\n"},
        Change{"CommentOnColumn",
               {},
               "comment sources.size: in bytes\n",
               "COMMENT ON COLUMN @store@.sources.size IS 'in bytes';\n"},
        Change{"QuotedNames",
               {},
               "column sources.\"a.b\": text\nindex sources.\"an \"\"ix\"\"\": CREATE INDEX \"an \"\"ix\"\"\" ON "
               "@store@.sources USING btree (\"a.b\")\n",
               "ALTER TABLE @store@.sources ADD COLUMN \"a.b\" text;\nCREATE INDEX \"an \"\"ix\"\"\" ON "
               "@store@.sources USING btree (\"a.b\");\n"}),
    [](const auto &info) { return info.param.name; });

TEST(Rename, OneColumnThatGoesAndOneThatComes) {
    Shape renamed = altered({"column notebooks.description"}, "column notebooks.summary: text\n");
    EXPECT_EQ(
        up(renamed),
        "ALTER TABLE @store@.notebooks RENAME COLUMN description TO summary;  -- Taken for a rename. If it is another"
        " column: ALTER TABLE @store@.notebooks DROP COLUMN description; ALTER TABLE @store@.notebooks ADD COLUMN "
        "summary text;\n");
    expect_both_ways(parsed(small), renamed);
}

TEST(Rename, WithAnotherDefaultAndNull) {
    Shape renamed = altered({"column sources.size"}, "column sources.bytes: integer\n");
    auto statements = repair(parsed(small), renamed, true);
    ASSERT_EQ(statements.size(), 2u) << text(statements);
    EXPECT_EQ(statements[1].statement,
              "ALTER TABLE @store@.sources ALTER COLUMN bytes DROP DEFAULT, ALTER COLUMN bytes DROP NOT NULL");
    EXPECT_EQ(statements[1].comment, "");
    expect_both_ways(parsed(small), renamed);
}

TEST(Rename, OfWhatOthersName) {
    Shape renamed =
        altered({"column sources.name", "index", "view"},
                "column sources.title: character varying(500) NOT NULL\n"
                "index sources.ix_sources_name: CREATE INDEX ix_sources_name ON @store@.sources USING btree (title)\n"
                "view live: AS SELECT source.id, source.title AS name FROM @store@.sources source\n");
    EXPECT_NE(up(renamed).find("RENAME COLUMN name TO title"), std::string::npos) << up(renamed);
    expect_both_ways(parsed(small), renamed);
}

TEST(Rename, NotWhereItIsNotPlain) {
    const std::pair<std::vector<std::string_view>, std::string_view> cases[] = {
        {{"column notebooks.description"}, "column notebooks.summary: integer\n"},                   // another type
        {{"column notebooks.description"}, "column sources.description: text\n"},                    // another table
        {{"column notebooks.description"}, "column notebooks.a: text\ncolumn notebooks.b: text\n"},  // two that come
        {{"column notebooks.description"},
         "column notebooks.summary: text GENERATED ALWAYS AS (name) STORED\n"},  // it computes itself
        {{"column notebooks.description"}, ""},
        {{}, "column notebooks.summary: text\n"}};
    for (const auto &[out, in] : cases) {
        Shape shape = parsed(small);
        for (std::string_view start : out)
            std::erase_if(shape, [&](const Object &object) { return describe(object).starts_with(start); });
        for (const Object &object : parsed(in)) shape.push_back(object);
        sort(shape);
        EXPECT_EQ(up(shape).find("RENAME"), std::string::npos) << up(shape);
        expect_both_ways(parsed(small), shape);
    }
    // Two that go, one that comes.
    Shape two = altered({}, "column notebooks.note: text\n");
    Shape one = altered({"column notebooks.description"}, "column notebooks.summary: text\n");
    EXPECT_EQ(text(repair(two, one, true)).find("RENAME"), std::string::npos);
    expect_both_ways(two, one);
}

TEST(ViewsInTheWay, OnlyThoseThatShowTheColumn) {
    Shape shape = altered({"column sources.size"});
    EXPECT_EQ(up(shape), "ALTER TABLE @store@.sources DROP COLUMN size;\n");
    shape = altered({"column notebooks.name"}, "column notebooks.name: text NOT NULL\n");
    EXPECT_EQ(up(shape).find("VIEW"), std::string::npos) << up(shape);
    // Another default, or NULL, a view does not see.
    shape = altered({"column sources.name"}, "column sources.name: character varying(500) DEFAULT 'x'::text\n");
    EXPECT_EQ(up(shape).find("VIEW"), std::string::npos) << up(shape);
}

TEST(Repair, LeavesRelationsThatAreNotItsOwn) {
    Shape is = altered({"index"},
                       "table own: permanent\ncolumn own.id: uuid\nview mine: AS SELECT 1\nindex own.i: CREATE INDEX i "
                       "ON @store@.own USING btree (id)\n");
    EXPECT_EQ(text(repair(is, parsed(small), false)),
              "CREATE INDEX ix_sources_name ON @store@.sources USING btree (name);\n");
    expect_repaired(is, parsed(small), false);
    expect_repaired(is, parsed(small), true);
}

TEST(Repair, NeverDropsATableToMakeItAgain) {
    for (const char *definition :
         {"unlogged", "permanent partitioned", "permanent foreign", "inheritance permanent", "temporary"}) {
        Shape is = altered({"table sources"}, "table sources: " + std::string(definition) + "\n");
        std::string statements = text(repair(is, parsed(small), true)) + text(repair(parsed(small), is, true));
        EXPECT_EQ(statements.find("DROP TABLE"), std::string::npos) << statements;
        for (const Difference &difference : compare(is, parsed(small)))
            EXPECT_EQ(repair(difference, is, parsed(small)).find("DROP TABLE"), std::string::npos);
    }
}

TEST(Repair, KeepsTheValuesOfAColumn) {
    // Each way but that to an expression, which has values of its own.
    const char *definitions[] = {"integer",
                                 "integer NOT NULL DEFAULT 3",
                                 "integer NOT NULL GENERATED ALWAYS AS IDENTITY",
                                 "integer NOT NULL GENERATED BY DEFAULT AS IDENTITY",
                                 "integer GENERATED ALWAYS AS (1) STORED",
                                 "bigint NOT NULL"};
    for (std::string from : definitions)
        for (std::string to : definitions) {
            Shape is = altered({"column sources.size"}, "column sources.size: " + from + "\n");
            Shape should_be = altered({"column sources.size"}, "column sources.size: " + to + "\n");
            expect_repaired(is, should_be);
            bool computes_itself = to.find("STORED") != to.npos && to != from;
            EXPECT_EQ(text(repair(is, should_be, true)).find("DROP COLUMN") != std::string::npos, computes_itself)
                << from << " to " << to;
        }
}

TEST(Repair, AColumnThatIsMadeAgainKeepsWhatStoodOnIt) {
    constexpr std::string_view on_size =
        "constraint sources.positive: CHECK ((size >= 0))\nindex sources.ix_size: CREATE INDEX ix_size ON "
        "@store@.sources"
        " USING btree (size)\ncomment sources.size: in bytes\n";
    Shape is = altered({}, on_size);
    Shape should_be =
        altered({"column sources.size"},
                "column sources.size: integer GENERATED ALWAYS AS (length(name)) STORED\n" + std::string(on_size));
    expect_both_ways(is, should_be);
}

// The repair of one difference must leave the others unchanged.
TEST(RepairOne, EachByItselfAndAllOfThem) {
    Shape is =
        altered({"column notebooks.description", "column sources.name", "view", "comment live",
                 "constraint sources.sources_pkey", "index", "trigger"},
                "column sources.name: text NOT NULL\ncolumn sources.own: text\nview live: AS SELECT source.name FROM "
                "@store@.sources source\n"
                "index sources.ix_sources_name: CREATE INDEX ix_sources_name ON @store@.sources USING hash (name)\n");
    Shape should_be = parsed(small);
    auto differences = compare(is, should_be);
    ASSERT_EQ(differences.size(), 8u) << list(differences);
    for (const Difference &difference : differences) {
        std::string statements = repair(difference, is, should_be);
        EXPECT_EQ(statements.empty(), difference.kind == Difference::Kind::extra) << difference.text();
        if (statements.empty()) continue;
        Store store(is);
        for (std::size_t end; !statements.empty(); statements.erase(0, end == statements.npos ? end : end + 2)) {
            end = statements.find("; ");
            store.run(statements.substr(0, end));
        }
        auto left = compare(store.shape(), should_be);
        EXPECT_EQ(left.size(), differences.size() - 1) << difference.text() << "\n" << list(left);
    }
}

TEST(RepairOne, AMissingTableComesWithAllThatStandsOnIt) {
    Shape is =
        altered({"table sources", "column sources", "constraint sources", "index", "trigger", "view", "comment"});
    auto differences = compare(is, parsed(small));
    ASSERT_FALSE(differences.empty());
    EXPECT_EQ(differences.front().text(), "missing table sources: permanent");
    std::string statements = repair(differences.front(), is, parsed(small));
    for (const char *part : {"CREATE TABLE", "sources_pkey", "sources_notebook_id_fkey", "ix_sources_name",
                             "CREATE TRIGGER", "COMMENT ON TABLE"})
        EXPECT_NE(statements.find(part), std::string::npos) << part << " in " << statements;
}

TEST(RepairOne, AnIndexWithTheNameOfTheConstraintBecomesIt) {
    Shape should_be = altered({}, "constraint notebooks.uq: UNIQUE (name)\n");
    auto fix = [&](std::string_view there) {
        Shape is = altered({}, there);
        for (const Difference &difference : compare(is, should_be))
            if (difference.kind == Difference::Kind::missing) return repair(difference, is, should_be);
        return std::string("nothing is missing");
    };
    EXPECT_EQ(fix("index notebooks.uq: CREATE UNIQUE INDEX uq ON @store@.notebooks USING btree (name)\n"),
              "ALTER TABLE @store@.notebooks ADD CONSTRAINT uq UNIQUE USING INDEX uq");
    // One of other columns, or not unique, is replaced.
    EXPECT_EQ(fix("index notebooks.uq: CREATE INDEX uq ON @store@.notebooks USING btree (name)\n"),
              "DROP INDEX @store@.uq; ALTER TABLE @store@.notebooks ADD CONSTRAINT uq UNIQUE (name)");
    // What is no part of the table is only named.
    EXPECT_EQ(fix("table uq: permanent\n"),
              "-- In the way is table uq, which has the same name: rename or drop it first.");
}

TEST(RepairOne, AConstraintThatIsNotValidIsValidated) {
    Shape should_be = parsed(small);
    Shape is = altered({"constraint sources.sources_notebook_id_fkey"},
                       "constraint sources.sources_notebook_id_fkey: FOREIGN KEY (notebook_id) REFERENCES "
                       "@store@.notebooks(id) ON DELETE CASCADE NOT VALID\n");
    EXPECT_EQ(repair(compare(is, should_be).front(), is, should_be),
              "ALTER TABLE @store@.sources VALIDATE CONSTRAINT sources_notebook_id_fkey");
}

TEST(Order, AfterWhatTheDefinitionNames) {
    // A generated column after its source, and a foreign key after the unique index it refers to.
    EXPECT_EQ(
        up(altered({}, "column sources.a: integer GENERATED ALWAYS AS ((z * 2)) STORED\ncolumn sources.z: integer\n")),
        "ALTER TABLE @store@.sources ADD COLUMN z integer;\n"
        "ALTER TABLE @store@.sources ADD COLUMN a integer GENERATED ALWAYS AS ((z * 2)) STORED;\n");
    EXPECT_EQ(up(altered({},
                         "column notebooks.slug: text\ncolumn sources.slug: text\n"
                         "index notebooks.uq: CREATE UNIQUE INDEX uq ON @store@.notebooks USING btree (slug)\n"
                         "constraint sources.fk: FOREIGN KEY (slug) REFERENCES @store@.notebooks(slug)\n")),
              "ALTER TABLE @store@.notebooks ADD COLUMN slug text;\n"
              "ALTER TABLE @store@.sources ADD COLUMN slug text;\n"
              "CREATE UNIQUE INDEX uq ON @store@.notebooks USING btree (slug);\n"
              "ALTER TABLE @store@.sources ADD CONSTRAINT fk FOREIGN KEY (slug) REFERENCES @store@.notebooks(slug);\n");
}

TEST(Statements, ShieldMarksInLiterals) {
    EXPECT_EQ(up(altered({}, "column sources.\"@store@\": text DEFAULT '@store@.x */'::text\n")),
              "ALTER TABLE @store@.sources ADD COLUMN U&\"\\0040store\\0040\" text DEFAULT "
              "U&'\\0040store\\0040.x \\002A/'::text;\n");
}

TEST(RepairLostFunctions, TriggersAndDefaultsThatCalledFunctions) {
    Shape is = altered({"trigger", "column sources.id"}, "column sources.id: uuid NOT NULL\n");
    EXPECT_EQ(repair_lost_functions(compare(is, parsed(small))),
              (std::vector<std::string>{"ALTER TABLE @store@.sources ALTER COLUMN id SET DEFAULT @functions@.uuid_v7()",
                                        "CREATE TRIGGER count AFTER INSERT ON @store@.sources FOR EACH STATEMENT "
                                        "EXECUTE FUNCTION @functions@.count()"}));
}

TEST(RepairLostFunctions, NothingElse) {
    EXPECT_TRUE(repair_lost_functions(compare(parsed(small), parsed(small))).empty());
    // What differs otherwise is the user's doing.
    for (const Shape &is :
         {altered({"column sources.size"}, "column sources.size: integer NOT NULL\n"),
          altered({"column sources.id"}, "column sources.id: uuid NOT NULL DEFAULT gen_random_uuid()\n"),
          altered({"column sources.id"}, "column sources.id: uuid\n"),
          altered({"column sources.id"}, "column sources.id: text NOT NULL\n"),
          altered({"column notebooks.description"}), altered({"index"}), altered({"constraint sources.sources_pkey"}),
          altered({},
                  "trigger sources.own: CREATE TRIGGER own AFTER INSERT ON @store@.sources FOR EACH ROW EXECUTE "
                  "FUNCTION own()\n")})
        EXPECT_TRUE(repair_lost_functions(compare(is, parsed(small))).empty()) << list(compare(is, parsed(small)));
}

// Repairs random parts of the shape toward other random parts.
TEST(Repair, AnySubsetToAnyOther) {
    const Shape whole = parsed(small);
    std::mt19937 random(7);
    auto some = [&] {
        Shape shape;
        auto has = [&](std::string_view kind, std::string_view name) {
            return std::any_of(shape.begin(), shape.end(),
                               [&](const Object &other) { return other.kind == kind && other.name == name; });
        };
        auto can_stand = [&](const Object &object) {
            if (object.kind == "view" || object.kind == "index") return has("column", "sources.name");
            if (object.kind == "table") return true;
            if (object.name == "sources.sources_notebook_id_fkey")
                return has("column", "sources.notebook_id") && has("column", "notebooks.id");
            if (object.kind == "constraint") return has("column", std::string(object.relation()) + ".id");
            return has("table", object.relation()) || has("view", object.relation());
        };
        for (const Object &object : whole)
            if (can_stand(object) && random() % 4) shape.push_back(object);
        return shape;
    };
    for (int i = 0; i < 500 && !HasFailure(); ++i) expect_repaired(some(), some());
}

}  // namespace
}  // namespace discovery::core
