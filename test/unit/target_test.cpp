// Tests the targets of upgrades and downgrades: every valid form, and words that are not a target.
#include "core/target.hpp"

#include <gtest/gtest.h>

namespace discovery::core {
namespace {

constexpr Version base{}, v1_0{1, 0}, v1_1{1, 1}, v1_10{1, 10}, v2_0{2, 0};

// Returns the versions 1.0, 1.1, 1.10 and 2.0, with a step up and a step down between neighbouring
// versions.
Migrations planted() {
    Migrations migrations;
    const Version all[] = {base, v1_0, v1_1, v1_10, v2_0};
    for (int i = 1; i < 5; ++i) {
        migrations.steps.push_back({all[i - 1], all[i], "up", "SELECT 1;"});
        migrations.steps.push_back({all[i], all[i - 1], "down", "SELECT 1;"});
        migrations.releases.push_back({all[i], {}});
    }
    return migrations;
}
const Migrations migrations = planted();

using Resolve = Result<Version> (*)(const Migrations &, Version, std::string_view);

void expect_version(Resolve resolve, Version current, std::string_view target, Version expected) {
    auto version = resolve(migrations, current, target);
    ASSERT_TRUE(version) << current.text() << ", " << target << ": " << version.error().message;
    EXPECT_EQ(*version, expected) << current.text() << ", " << target << " gives " << version->text();
}

void expect_error(Resolve resolve, Version current, std::string_view target, ErrorKind kind) {
    auto version = resolve(migrations, current, target);
    ASSERT_FALSE(version) << current.text() << ", \"" << target << "\" gives " << version->text();
    EXPECT_EQ(version.error().kind, kind) << target << ": " << version.error().message;
    EXPECT_FALSE(version.error().message.empty());
}

TEST(ResolveUpgrade, Head) {
    for (Version current : {v1_0, v1_1, v1_10, v2_0}) expect_version(resolve_upgrade, current, "head", v2_0);
}

TEST(ResolveUpgrade, HeadBelowTheStoreIsNotKnown) {
    auto version = resolve_upgrade(migrations, Version{3, 0}, "head");
    ASSERT_FALSE(version);
    EXPECT_EQ(version.error().kind, ErrorKind::newer_than_code);
    EXPECT_NE(version.error().message.find("3.0"), std::string::npos);
    EXPECT_NE(version.error().hint.find("2.0"), std::string::npos);
}

TEST(ResolveUpgrade, Steps) {
    expect_version(resolve_upgrade, v1_0, "+1", v1_1);
    expect_version(resolve_upgrade, v1_0, "+2", v1_10);
    expect_version(resolve_upgrade, v1_0, "+3", v2_0);
    expect_version(resolve_upgrade, v1_10, "+1", v2_0);
    // As people count: leading zeros do no harm.
    expect_version(resolve_upgrade, v1_0, "+01", v1_1);
}

TEST(ResolveUpgrade, MoreStepsThanThereAre) {
    for (const char *target : {"+4", "+9", "+2147483647"})
        expect_error(resolve_upgrade, v1_0, target, ErrorKind::unknown_version);
    expect_error(resolve_upgrade, v2_0, "+1", ErrorKind::unknown_version);
}

TEST(ResolveUpgrade, Versions) {
    expect_version(resolve_upgrade, v1_0, "1.10", v1_10);
    expect_version(resolve_upgrade, v1_0, "2.0", v2_0);
    // The current one is nothing to do, and no error.
    expect_version(resolve_upgrade, v1_1, "1.1", v1_1);
    expect_error(resolve_upgrade, v1_1, "1.0", ErrorKind::invalid_argument);
    // 1.10 is above 1.1, not between 1.1 and 1.2.
    expect_error(resolve_upgrade, v1_10, "1.1", ErrorKind::invalid_argument);
    for (const char *target : {"1.2", "1.9", "3.0", "0.1"})
        expect_error(resolve_upgrade, v1_0, target, ErrorKind::unknown_version);
}

TEST(ResolveDowngrade, Base) {
    for (Version current : {v1_0, v1_1, v1_10, v2_0}) expect_version(resolve_downgrade, current, "base", base);
}

TEST(ResolveDowngrade, Steps) {
    expect_version(resolve_downgrade, v2_0, "-1", v1_10);
    expect_version(resolve_downgrade, v2_0, "-3", v1_0);
    // Below the first version there is base.
    expect_version(resolve_downgrade, v1_0, "-1", base);
    expect_version(resolve_downgrade, v2_0, "-4", base);
    for (const char *target : {"-5", "-9", "-2147483647"})
        expect_error(resolve_downgrade, v2_0, target, ErrorKind::unknown_version);
    expect_error(resolve_downgrade, v1_0, "-2", ErrorKind::unknown_version);
}

TEST(ResolveDowngrade, Versions) {
    expect_version(resolve_downgrade, v2_0, "1.0", v1_0);
    expect_version(resolve_downgrade, v1_10, "1.1", v1_1);
    expect_error(resolve_downgrade, v1_1, "1.1", ErrorKind::invalid_argument);
    expect_error(resolve_downgrade, v1_1, "1.10", ErrorKind::invalid_argument);
    expect_error(resolve_downgrade, v2_0, "1.2", ErrorKind::unknown_version);
}

TEST(ResolveDowngrade, ToTheSameVersionDoesNotSendUp) {
    auto version = resolve_downgrade(migrations, v1_1, "1.1");
    ASSERT_FALSE(version);
    EXPECT_EQ(version.error().hint, "");
    version = resolve_downgrade(migrations, v1_1, "2.0");
    ASSERT_FALSE(version);
    EXPECT_NE(version.error().hint.find("discovery_upgrade()"), std::string::npos);
}

// Words that are invalid for upgrades and downgrades, regardless of the store.
class NoTarget : public testing::TestWithParam<std::string_view> {};

TEST_P(NoTarget, IsAnInvalidArgumentAndIsNamed) {
    for (Resolve resolve : {resolve_upgrade, resolve_downgrade, resolve_target}) {
        for (Version current : {v1_0, v2_0}) {
            expect_error(resolve, current, GetParam(), ErrorKind::invalid_argument);
            auto version = resolve(migrations, current, GetParam());
            EXPECT_NE(version.error().message.find("\"" + std::string(GetParam()) + "\""), std::string::npos)
                << version.error().message;
            EXPECT_FALSE(version.error().hint.empty()) << GetParam();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Words, NoTarget,
                         testing::Values("", " ", "+", "-", "+0", "-0", "+00", "--1", "++1", "+-1", "-+1", "+1.0",
                                         "-1.0", "+ 1", "- 1", "+1 ", "-1 ", " +1", "+x", "-x", "+1x", "-1x",
                                         "+2147483648", "-2147483648", "+99999999999999999999", "-99999999999999999999",
                                         "+0x1", "1", "1.", ".1", "1.0.0", "01.0", "1.00", "1.0 ", " 1.0", "v1.0",
                                         "0.0", "1.1234567", "HEAD", "Head", "heads", "BASE", "Base", "null",
                                         "913390ba554c", "1,0", "1.0'; DROP TABLE sources; --", "\xc3\xa9",
                                         std::string_view("1.0\0", 4)));

TEST(WrongDirection, IsSaidWithTheOtherFunction) {
    for (const char *target : {"-1", "base"}) {
        auto version = resolve_upgrade(migrations, v1_1, target);
        ASSERT_FALSE(version) << target;
        EXPECT_EQ(version.error().kind, ErrorKind::invalid_argument);
        EXPECT_NE(version.error().hint.find("discovery_downgrade()"), std::string::npos) << version.error().hint;
    }
    for (const char *target : {"+1", "head"}) {
        auto version = resolve_downgrade(migrations, v1_1, target);
        ASSERT_FALSE(version) << target;
        EXPECT_EQ(version.error().kind, ErrorKind::invalid_argument);
        EXPECT_NE(version.error().hint.find("discovery_upgrade()"), std::string::npos) << version.error().hint;
    }
}

TEST(ResolveTarget, GoesEitherWay) {
    expect_version(resolve_target, v1_1, "head", v2_0);
    expect_version(resolve_target, v1_1, "+1", v1_10);
    expect_version(resolve_target, v1_1, "2.0", v2_0);
    expect_version(resolve_target, v1_1, "1.1", v1_1);
    expect_version(resolve_target, v1_1, "1.0", v1_0);
    expect_version(resolve_target, v1_1, "-1", v1_0);
    expect_version(resolve_target, v1_1, "-2", base);
    expect_version(resolve_target, v1_1, "base", base);
}

TEST(ResolveTarget, UnknownAsInTheDirectionItGoes) {
    for (const char *target : {"+4", "-9", "1.9", "0.9", "9.9"})
        expect_error(resolve_target, v1_1, target, ErrorKind::unknown_version);
}

TEST(NoMigrations, NothingCanBeReached) {
    Migrations none;
    for (const char *target : {"+1", "1.0"}) {
        auto version = resolve_upgrade(none, v1_0, target);
        ASSERT_FALSE(version) << target;
        EXPECT_EQ(version.error().kind, ErrorKind::unknown_version);
    }
    EXPECT_FALSE(resolve_upgrade(none, v1_0, "head"));
    EXPECT_FALSE(resolve_downgrade(none, v1_0, "-1"));
}

}  // namespace
}  // namespace discovery::core
