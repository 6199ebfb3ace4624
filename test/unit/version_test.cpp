// Tests reading, writing and comparing versions.
#include "core/version.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace discovery::core {
namespace {

TEST(Version, IsReadAndWritten) {
    for (const char *text : {"base", "0.1", "1.0", "1.1", "1.10", "10.0", "2.34", "999999.999999"}) {
        auto version = parse_version(text);
        ASSERT_TRUE(version) << text;
        EXPECT_EQ(version->text(), text);
    }
}

TEST(Version, PartsAreMajorAndMinor) {
    auto version = parse_version("12.34");
    ASSERT_TRUE(version);
    EXPECT_EQ(version->major, 12);
    EXPECT_EQ(version->minor, 34);
}

TEST(Version, BaseIsTheDefault) {
    auto base = parse_version("base");
    ASSERT_TRUE(base);
    EXPECT_TRUE(base->is_base());
    EXPECT_EQ(*base, Version{});
    EXPECT_FALSE((Version{0, 1}.is_base()));
    EXPECT_FALSE((Version{1, 0}.is_base()));
}

class InvalidVersion : public testing::TestWithParam<std::string_view> {};

TEST_P(InvalidVersion, IsAnInvalidArgument) {
    auto version = parse_version(GetParam());
    ASSERT_FALSE(version);
    EXPECT_EQ(version.error().kind, ErrorKind::invalid_argument);
    EXPECT_EQ(version.error().message, "invalid version: \"" + std::string(GetParam()) + "\"");
    EXPECT_FALSE(version.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(Texts, InvalidVersion,
                         testing::Values("", ".", "1", "1.", ".1", "1.0.0", "1..0", "1,0", "v1.0", "1.0 ", " 1.0",
                                         "1. 0", "1 .0", "1.0\n", "+1.0", "1.+0", "-1.0", "1.-0", "-0.1", "01.0",
                                         "1.00", "1.01", "00.1", "0.0", "1000000.0", "1.1000000",
                                         "99999999999999999999.0", "1.0a", "a.0", "0x1.0", "1e1.0", "1.0beta1", "Base",
                                         "BASE", "base ", "head", "١.٠", std::string_view("1.0\0", 4),
                                         std::string_view("1\0.0", 4)));

TEST(Version, OrderIsByNumberNotByText) {
    const std::vector<Version> ascending = {{},     {0, 1}, {0, 9},  {0, 10}, {1, 0},
                                            {1, 1}, {1, 9}, {1, 10}, {2, 0},  {10, 0}};
    for (std::size_t i = 0; i < ascending.size(); ++i)
        for (std::size_t j = 0; j < ascending.size(); ++j) {
            EXPECT_EQ(ascending[i] < ascending[j], i < j) << ascending[i].text() << " and " << ascending[j].text();
            EXPECT_EQ(ascending[i] == ascending[j], i == j);
        }
}

}  // namespace
}  // namespace discovery::core
