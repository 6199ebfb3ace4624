// Tests reading, writing and comparing shapes, and replacing the schemas in definitions.
#include "core/shape.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace discovery::core {
namespace {

std::string text(const Shape &shape) {
    std::string lines;
    for (const Object &object : shape) lines += describe(object) + "\n";
    return lines;
}

Shape parsed(std::string_view description) {
    auto shape = parse_shape(description);
    EXPECT_TRUE(shape) << description;
    return shape ? *shape : Shape{};
}

// Objects of every kind, in the order that Shape requires.
constexpr std::string_view everything =
    "table notebooks: permanent\n"
    "table sources: permanent\n"
    "column notebooks.id: uuid NOT NULL\n"
    "column sources.id: uuid NOT NULL\n"
    "column sources.url: text DEFAULT 'http://a: b'::text\n"
    "constraint sources.sources_pkey: PRIMARY KEY (id)\n"
    "index sources.ix_sources_url: CREATE INDEX ix_sources_url ON sources USING btree (url)\n"
    "trigger sources.count: CREATE TRIGGER count AFTER INSERT ON sources EXECUTE FUNCTION count()\n"
    "rule sources.keep: CREATE RULE keep AS ON DELETE TO sources DO INSTEAD NOTHING\n"
    "view live_sources: SELECT sources.id FROM sources\n"
    "comment sources: what is filed\n"
    "comment sources.url: where it was\n";

TEST(Object, RelationIsWhatStandsBeforeTheDot) {
    EXPECT_EQ((Object{"column", "sources.url", "text"}.relation()), "sources");
    EXPECT_EQ((Object{"table", "sources", "permanent"}.relation()), "sources");
    EXPECT_EQ((Object{"column", "sources.a.b", "text"}.relation()), "sources");
    EXPECT_EQ((Object{"table", "", ""}.relation()), "");
    // a user's, whose name has a dot
    EXPECT_EQ((Object{"table", "sources.old", "permanent"}.relation()), "sources.old");
    EXPECT_EQ((Object{"view", "sources.old", "SELECT 1"}.relation()), "sources.old");
}

TEST(ParseShape, GivesBackWhatWasDescribed) { EXPECT_EQ(text(parsed(everything)), everything); }

TEST(ParseShape, TakesTheObjectApart) {
    Shape shape = parsed("index sources.ix: CREATE INDEX ix ON sources USING btree (url) WHERE (a: b)");
    ASSERT_EQ(shape.size(), 1u);
    EXPECT_EQ(shape[0], (Object{"index", "sources.ix", "CREATE INDEX ix ON sources USING btree (url) WHERE (a: b)"}));
}

TEST(ParseShape, KeepsUnusualNamesAndDefinitions) {
    for (const Object &object :
         {Object{"column", "my table.a column", "text"}, Object{"column", "t.a:b", "text"}, Object{"column", "t.a", ""},
          Object{"column", "t.é\"", "text DEFAULT ''::text"}, Object{"comment", "t", " two  spaces "}}) {
        Shape shape = parsed(describe(object));
        ASSERT_EQ(shape.size(), 1u);
        EXPECT_EQ(shape[0], object);
    }
}

TEST(ParseShape, AnObjectIsOneLine) {
    for (const Object &object :
         {Object{"comment", "t", "one\ntwo\\n\r\n"}, Object{"column", "t.\"a: b\nc\"", "text DEFAULT '\n: \\'::text"},
          Object{"column", "t.\"a \"\": \"", "text"}}) {
        std::string line = describe(object);
        EXPECT_EQ(line.find('\n'), line.npos) << line;
        Shape shape = parsed(line);
        ASSERT_EQ(shape.size(), 1u);
        EXPECT_EQ(shape[0], object);
    }
}

TEST(ParseShape, OrderOfTheLinesDoesNotMatter) {
    Shape shape = parsed(everything);
    std::mt19937 random(1);
    for (int i = 0; i < 20; ++i) {
        Shape shuffled = shape;
        std::shuffle(shuffled.begin(), shuffled.end(), random);
        EXPECT_EQ(text(parsed(text(shuffled))), everything);
        sort(shuffled);
        EXPECT_EQ(shuffled, shape);
    }
}

TEST(ParseShape, UnknownKindsComeLastAndByName) {
    EXPECT_EQ(text(parsed("sequence b: x\ndomain z: x\ncomment a: x\nsequence a: x\ntable z: x\n")),
              "table z: x\ncomment a: x\ndomain z: x\nsequence a: x\nsequence b: x\n");
}

TEST(ParseShape, EmptyLinesAreNothing) {
    EXPECT_TRUE(parsed("").empty());
    EXPECT_TRUE(parsed("\n\n").empty());
    EXPECT_EQ(text(parsed("\ntable a: x\n\ntable b: y")), "table a: x\ntable b: y\n");
}

TEST(ParseShape, TheSameNameMayBeOfTwoKinds) {
    EXPECT_EQ(parsed("table a: permanent\ncomment a: x\nview a: SELECT 1\n").size(), 3u);
}

class NoObject : public testing::TestWithParam<std::string_view> {};

TEST_P(NoObject, IsToldWithItsLine) {
    auto shape = parse_shape("table a: x\n\n" + std::string(GetParam()) + "\ntable b: y\n");
    ASSERT_FALSE(shape) << GetParam();
    EXPECT_EQ(shape.error().kind, ErrorKind::malformed_script);
    EXPECT_NE(shape.error().message.find("line 3 "), std::string::npos) << shape.error().message;
    EXPECT_NE(shape.error().detail.find(GetParam()), std::string::npos) << shape.error().detail;
}

INSTANTIATE_TEST_SUITE_P(Lines, NoObject,
                         testing::Values("table", "table a", "table a:x", "table: x", "a:b", ":", ": ", " ",
                                         "nonsense here",
                                         // without a kind, without a name
                                         " a: x", "table : x",
                                         // an escape that is none
                                         "table a: \\x", "table a: \\"));

TEST(ParseShape, AnObjectTwiceIsAnErrorWithItsLine) {
    auto shape = parse_shape("table a: x\ntable b: y\n\ntable a: z\n");
    ASSERT_FALSE(shape);
    EXPECT_EQ(shape.error().kind, ErrorKind::malformed_script);
    EXPECT_NE(shape.error().message.find("table a"), std::string::npos) << shape.error().message;
    EXPECT_NE(shape.error().message.find("twice"), std::string::npos) << shape.error().message;
    EXPECT_NE(shape.error().message.find("line 4 "), std::string::npos) << shape.error().message;
}

// Returns a schema with the names of our objects in it.
Namespace space(std::string schema, std::set<std::string, std::less<>> names, std::string_view mark = store_mark) {
    return {std::move(schema), std::string(mark), std::move(names)};
}

const std::vector<Namespace> usual = {space("s", {"t", "notebooks", "\"a b\"", "\"q\"\"t\""}),
                                      space("functions", {"count"}, extension_mark)};

std::string marked(std::string_view definition, const std::vector<Namespace> &namespaces = usual) {
    return mark_schemas(definition, namespaces);
}

TEST(MarkSchemas, WhereverTheSchemaQualifies) {
    EXPECT_EQ(marked("s.t"), "@store@.t");
    EXPECT_EQ(marked("FOREIGN KEY (a) REFERENCES s.t(id)"), "FOREIGN KEY (a) REFERENCES @store@.t(id)");
    EXPECT_EQ(marked("s.t=s.t(s.t),'x'::s.t[s.t]"), "@store@.t=@store@.t(@store@.t),'x'::@store@.t[@store@.t]");
    EXPECT_EQ(marked("nextval('s.t'::regclass)"), "nextval('@store@.t'::regclass)");
    EXPECT_EQ(marked("ON s.t EXECUTE FUNCTION functions.count()"), "ON @store@.t EXECUTE FUNCTION @functions@.count()");
    EXPECT_EQ(marked("s.\"a b\" s.\"q\"\"t\""), "@store@.\"a b\" @store@.\"q\"\"t\"");
}

TEST(MarkSchemas, NotOtherObjectsOfTheSchema) {
    // A planted function or type is not one of PostgreSQL's.
    for (const char *definition : {"s.lower(x)", "s.count()", "functions.t", "x::s.integer", "s.t1", "s.tt", "s.t_",
                                   "s.t$", "s.\"t\"", "s.\"a b c\"", "s.\"a b\"\"\"", "s.\"a b", "s.\"", "s.", "s.T"})
        EXPECT_EQ(marked(definition), definition);
}

TEST(MarkSchemas, NotWhatOnlyLooksLikeTheSchema) {
    for (const char *definition : {"as.t", "a_s.t", "1s.t", "A$s.t", "és.t", "\"s.t\"", "\"s\".t", "sa.t", "s", "t.s",
                                   "t.s ", "s .t", "s. t", "(s)", "xs.s1", "S.t",
                                   // s is a column or a table here
                                   "x.s.t", "\"x\".s.t"})
        EXPECT_EQ(marked(definition), definition);
}

TEST(MarkSchemas, QuotedSchemas) {
    const std::vector<Namespace> odd = {space("\"My Store\"", {"t"}), space("\"a\"\"b\"", {"t"}),
                                        space("\"ünï\"", {"\"ünï\""})};
    EXPECT_EQ(marked("x \"My Store\".t", odd), "x @store@.t");
    EXPECT_EQ(marked("(\"a\"\"b\".t)", odd), "(@store@.t)");
    EXPECT_EQ(marked("\"ünï\".\"ünï\"", odd), "@store@.\"ünï\"");
    // the end of a longer name, and the same words unquoted
    EXPECT_EQ(marked("\"x\"\"a\"\"b\".t", odd), "\"x\"\"a\"\"b\".t");
    EXPECT_EQ(marked("My Store.t", odd), "My Store.t");
}

TEST(MarkSchemas, NotInsideAQuotedName) {
    EXPECT_EQ(marked("SELECT \"x s.t\" FROM s.t"), "SELECT \"x s.t\" FROM @store@.t");
    EXPECT_EQ(marked("SELECT \"x\"\" s.t\" FROM s.t"), "SELECT \"x\"\" s.t\" FROM @store@.t");
}

TEST(MarkSchemas, NotInsideALiteralThatIsNoNameOfAnObject) {
    for (const char *definition : {"'s.t'", "'s.t'::text", "'it''s s.t'", "E'\\' s.t'", "$x$ s.t $x$", "/* s.t */"})
        EXPECT_EQ(marked(definition), definition);
    EXPECT_EQ(marked("'s.\"q\"\"t\"'::regclass", usual), "'@store@.\"q\"\"t\"'::regclass");
}

TEST(MarkSchemas, ASchemaNamedLikeATable) {
    const std::vector<Namespace> same = {space("notebooks", {"notebooks", "sources"})};
    EXPECT_EQ(marked("SELECT notebooks.id FROM notebooks.notebooks", same),
              "SELECT notebooks.id FROM @store@.notebooks");
    EXPECT_EQ(marked("notebooks.notebooks.id", same), "@store@.notebooks.id");
    EXPECT_EQ(marked("notebooks.notebooks.sources", same), "@store@.notebooks.sources");
}

TEST(MarkSchemas, SeveralSchemas) {
    EXPECT_EQ(marked("a.t b.f() a.f b.t ab.x", {space("a", {"t"}), space("b", {"f"}, extension_mark)}),
              "@store@.t @functions@.f() a.f b.t ab.x");
    EXPECT_EQ(marked("ab.t", {space("a", {"t"}), space("ab", {"t"})}), "@store@.t");
    EXPECT_EQ(marked("s.t s.f()", {space("s", {"t"}), space("s", {"f"}, extension_mark)}), "@store@.t @functions@.f()");
}

TEST(MarkSchemas, NothingToDo) {
    EXPECT_EQ(marked(""), "");
    EXPECT_EQ(marked("s.t", {}), "s.t");
    EXPECT_EQ(marked("s.t", {space("s", {})}), "s.t");
}

TEST(PlaceSchemas, IsTheOpposite) {
    for (const char *definition :
         {"s.t", "REFERENCES s.t(id)", "ON s.\"a b\" EXECUTE FUNCTION functions.count()", "x", ""})
        EXPECT_EQ(place_schemas(marked(definition), "s", "functions"), definition);
}

TEST(PlaceSchemas, InTheMarksAndNowhereElse) {
    EXPECT_EQ(place_schemas("DROP TABLE @store@.a, @store@.b; SELECT @functions@.f()", "s", "e"),
              "DROP TABLE s.a, s.b; SELECT e.f()");
    EXPECT_EQ(place_schemas("@store @Store@ store@ @@store@@ @extschema", "s", "e"),
              "@store @Store@ store@ @s@ @extschema");
    EXPECT_EQ(place_schemas("@store@@functions@@store@", "s", "e"), "ses");
    EXPECT_EQ(place_schemas("", "s", "e"), "");
    EXPECT_EQ(place_schemas("@store@", "", "e"), "");
}

TEST(PlaceSchemas, ASchemaWithTheNameOfAMarkIsNotReplacedAgain) {
    EXPECT_EQ(place_schemas("@store@.a @functions@.b", "\"@functions@\"", "\"@store@\""),
              "\"@functions@\".a \"@store@\".b");
}

TEST(PlaceMarks, InOnePass) {
    const Mark values[] = {{store_mark, "\"@compression@\""}, {compression_mark, "lz4"}};
    EXPECT_EQ(place_marks("ALTER TABLE @store@.t SET COMPRESSION @compression@", values),
              "ALTER TABLE \"@compression@\".t SET COMPRESSION lz4");
}

TEST(PlaceMarks, InTheSqlOfABodyAndInNamesOfObjects) {
    const Mark values[] = {{store_mark, "\"a'b\""}};
    EXPECT_EQ(place_marks("DO $$ BEGIN PERFORM @store@.f('@store@.t'); END $$", values),
              "DO $$ BEGIN PERFORM \"a'b\".f('@store@.t'); END $$");
    EXPECT_EQ(place_marks("nextval('@store@.t'::regclass), '@store@.t', \"@store@\"", values),
              "nextval('\"a''b\".t'::regclass), '@store@.t', \"@store@\"");
}

TEST(PlaceMarks, ABodyThatIsNotEndedRemains) { EXPECT_EQ(place_schemas("$p9$9999F", "s", "e"), "$p9$9999F"); }

TEST(Unmarked, IsForPeople) {
    EXPECT_EQ(unmarked("ON @store@.t EXECUTE FUNCTION @functions@.count()"), "ON t EXECUTE FUNCTION count()");
    EXPECT_EQ(unmarked("@store@.@store@.@functions@.t"), "t");
    EXPECT_EQ(unmarked("@store@ @functions@ @store@t @store"), "@store@ @functions@ @store@t @store");
    // A comment of the user's may end with anything.
    EXPECT_EQ(unmarked("see @store@."), "see ");
    EXPECT_EQ(unmarked("@functions@."), "");
    EXPECT_EQ(unmarked(""), "");
}

TEST(Compare, EqualShapesDoNotDiffer) {
    EXPECT_TRUE(compare(parsed(everything), parsed(everything)).empty());
    EXPECT_TRUE(compare({}, {}).empty());
    EXPECT_EQ(list({}), "");
}

TEST(Compare, EachKindOfDifferenceInTheOrderOfShape) {
    Shape should_be = parsed("table a: permanent\ncolumn a.id: uuid\ncolumn a.url: text\nindex a.ix: i\n");
    Shape is = parsed(
        "table a: permanent\ntable mine: permanent\ncolumn a.id: integer\ncolumn a.own: text\n"
        "index a.ix: i\nindex a.zz: own\n");
    auto differences = compare(is, should_be);
    EXPECT_EQ(list(differences),
              "extra table mine: permanent\n"
              "different column a.id: integer, should be uuid\n"
              "extra column a.own: text\n"
              "missing column a.url: text\n"
              "extra index a.zz: own");
    EXPECT_EQ(list(violations(differences)),
              "different column a.id: integer, should be uuid\n"
              "missing column a.url: text");
}

TEST(Conflicts, AreWhatAStepWouldAddAndIsThereOtherwise) {
    const Shape before = parsed("table a: permanent\ncolumn a.id: uuid\n");
    const Shape after = parsed(
        "table a: permanent\ntable b: permanent\ntable c: permanent\ncolumn a.id: uuid\n"
        "column a.by: text NOT NULL DEFAULT 'x'\ncolumn b.id: uuid\ncolumn b.late: text\ncolumn b.title: text\n");
    auto found = [&](const char *is) { return list(conflicts(parsed(is), before, after, {"b.late"})); };
    EXPECT_EQ(found("table a: permanent\ncolumn a.id: uuid\n"), "");
    // Another program has made them without a default, or has not made a column that the step adds.
    EXPECT_EQ(found("table a: permanent\ntable b: permanent\ncolumn a.id: uuid\ncolumn a.by: text NOT NULL\n"
                    "column b.id: uuid\ncolumn b.title: text\ncolumn b.own: text\n"),
              "");
    // What the store has itself is for the check of its shape.
    EXPECT_EQ(found("table a: permanent\ncolumn a.id: integer\n"), "");
    EXPECT_EQ(found("table a: permanent\ntable b: permanent\ncolumn a.by: integer\ncolumn b.id: uuid\n"
                    "view c: AS SELECT 1\n"),
              "different view c: AS SELECT 1, should be permanent\n"
              "different column a.by: integer, should be text NOT NULL DEFAULT 'x'\n"
              "missing column b.title: text");
}

TEST(Conflicts, AreAlsoInTheConstraintsAndIndexesOfATableThatIsThere) {
    const Shape before = parsed("table a: permanent\n");
    const Shape after = parsed(
        "table a: permanent\ntable b: permanent\nconstraint b.fk: FOREIGN KEY (id) REFERENCES a(id) ON DELETE CASCADE\n"
        "constraint b.pk: PRIMARY KEY (id)\nindex b.ix: CREATE INDEX ix ON b USING btree (id)\n"
        "trigger b.tr: CREATE TRIGGER tr AFTER INSERT ON b EXECUTE FUNCTION f()\n");
    auto found = [&](const char *is) { return list(conflicts(parsed(is), before, after, {})); };
    // The step makes the table with its constraints, and what else one lacks.
    EXPECT_EQ(found("table a: permanent\n"), "");
    EXPECT_EQ(found("table a: permanent\ntable b: permanent\n"
                    "constraint b.fk: FOREIGN KEY (id) REFERENCES a(id) ON DELETE CASCADE\n"
                    "constraint b.own: CHECK (true)\nconstraint b.pk: PRIMARY KEY (id)\n"),
              "");
    EXPECT_EQ(
        found("table a: permanent\ntable b: unlogged\nconstraint b.fk: FOREIGN KEY (id) REFERENCES a(id)\n"
              "index b.ix: CREATE INDEX ix ON b USING hash (id)\n"),
        "different table b: unlogged, should be permanent\n"
        "different constraint b.fk: FOREIGN KEY (id) REFERENCES a(id), should be FOREIGN KEY (id) REFERENCES a(id) "
        "ON DELETE CASCADE\n"
        "missing constraint b.pk: PRIMARY KEY (id)\n"
        "different index b.ix: CREATE INDEX ix ON b USING hash (id), should be CREATE INDEX ix ON b USING btree "
        "(id)");
}

TEST(Compare, ADifferenceCarriesBothSides) {
    auto differences =
        compare(parsed("column a.x: text\ncolumn a.z: text"), parsed("column a.x: uuid\ncolumn a.y: uuid"));
    ASSERT_EQ(differences.size(), 3u);
    EXPECT_EQ(differences[0].kind, Difference::Kind::different);
    EXPECT_EQ(differences[0].is.definition, "text");
    EXPECT_EQ(differences[0].should_be.definition, "uuid");
    EXPECT_EQ(differences[0].object().definition, "text");
    EXPECT_EQ(differences[1].kind, Difference::Kind::missing);
    EXPECT_EQ(differences[1].is, Object{});
    EXPECT_EQ(differences[1].object().name, "a.y");
    EXPECT_EQ(differences[2].kind, Difference::Kind::extra);
    EXPECT_EQ(differences[2].should_be, Object{});
    EXPECT_EQ(differences[2].object().name, "a.z");
}

TEST(Compare, AMissingTableStandsForItsObjects) {
    Shape is;
    for (const Object &object : parsed(everything))
        if (object.relation() != "sources") is.push_back(object);
    EXPECT_EQ(list(compare(is, parsed(everything))), "missing table sources: permanent");
    EXPECT_EQ(list(compare({}, parsed(everything))),
              "missing table notebooks: permanent\n"
              "missing table sources: permanent\n"
              "missing view live_sources: SELECT sources.id FROM sources");
}

TEST(Compare, AMissingViewStandsForItsObjects) {
    Shape should_be = parsed("view v: SELECT 1\ntrigger v.t: INSTEAD OF INSERT\nrule v.r: x\ncomment v: y\n");
    EXPECT_EQ(list(compare({}, should_be)), "missing view v: SELECT 1");
}

TEST(Compare, AMissingTableDoesNotHideOthersOfSimilarName) {
    EXPECT_EQ(list(compare(parsed("table source: x"),
                           parsed("table source: x\ntable sources: x\ncolumn source.a: x\ncolumn sources.a: x"))),
              "missing table sources: x\nmissing column source.a: x");
}

TEST(Compare, ATableInPlaceOfAView) {
    EXPECT_EQ(list(compare(parsed("table v: permanent"), parsed("view v: SELECT 1"))),
              "extra table v: permanent\nmissing view v: SELECT 1");
}

TEST(Compare, TextsAreForPeople) {
    EXPECT_EQ(list(compare(parsed("trigger a.t: ON @store@.a\n"),
                           parsed("trigger a.t: ON @store@.b\ntrigger a.u: @functions@.f()"))),
              "different trigger a.t: ON a, should be ON b\nmissing trigger a.u: f()");
}

TEST(Compare, WhatAUserMayTuneIsNoDifference) {
    Shape is = parsed(
        "table a: permanent\norder a: y, x\noptions a: fillfactor='70'\n"
        "index a.i: CREATE INDEX i ON a USING brin (x) WITH (pages_per_range='4') WHERE (x <> 'WITH (b)')\n");
    Shape should_be = parsed(
        "table a: permanent\norder a: x, y\n"
        "index a.i: CREATE INDEX i ON a USING brin (x) WHERE (x <> 'WITH (b)')\n");
    EXPECT_EQ(list(compare(is, should_be)), "");
    EXPECT_EQ(compare(is, should_be, Detail::all).size(), 3u);
}

TEST(Compare, ACommentIsNoViolation) {
    auto differences = compare(parsed("table a: x\ncomment a: y\n"), parsed("table a: x\ncomment a: z\n"));
    EXPECT_EQ(differences.size(), 1u);
    EXPECT_TRUE(violations(differences).empty());
}

TEST(Compare, OnlyTheAliasesOfAViewDoNotMatter) {
    EXPECT_EQ(list(compare(parsed("view v: AS SELECT a.x FROM t a"), parsed("view v: AS SELECT x FROM t a"))), "");
    EXPECT_NE(list(compare(parsed("view v: AS SELECT 'a.x' FROM t a"), parsed("view v: AS SELECT 'x' FROM t a"))), "");
}

TEST(Losses, TablesAndColumnsThatGo) {
    Shape from = parsed("table a: x\ntable b: x\ncolumn a.id: uuid\ncolumn a.gone: text\ncolumn b.id: uuid\n");
    Shape to = parsed("table a: x\ntable new: x\ncolumn a.id: uuid\ncolumn a.new: text\n");
    EXPECT_EQ(losses(from, to), (std::vector<Loss>{{"b", ""}, {"a", "gone"}}));
}

TEST(Losses, OnlyRowsAndValuesCount) {
    EXPECT_TRUE(losses({}, parsed(everything)).empty());
    EXPECT_TRUE(losses(parsed(everything), parsed(everything)).empty());
    // Another type keeps its values, or fails by itself; the rest holds none.
    Shape from = parsed(
        "table a: x\ncolumn a.id: uuid\nindex a.i: x\nconstraint a.c: x\ntrigger a.t: x\nview v: x\ncomment a: x\n");
    EXPECT_TRUE(losses(from, parsed("table a: x\ncolumn a.id: text\n")).empty());
}

TEST(Losses, EverythingGoes) {
    EXPECT_EQ(losses(parsed(everything), {}), (std::vector<Loss>{{"notebooks", ""}, {"sources", ""}}));
}

TEST(Losses, AColumnMayHaveADotInItsName) {
    EXPECT_EQ(losses(parsed("table a: x\ncolumn a.b.c: text"), parsed("table a: x")),
              (std::vector<Loss>{{"a", "b.c"}}));
}

}  // namespace
}  // namespace discovery::core
