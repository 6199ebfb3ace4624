// Tests the debts of a transaction and its subtransactions.
#include "core/owed.hpp"

#include <gtest/gtest.h>

#include <random>

namespace discovery::core {
namespace {

Counted counted(std::uint8_t number, std::uint32_t table = 1) { return {table, Uuid{number}}; }
Change change(std::int64_t sources, std::int64_t newest = INT64_MIN) { return {.sources = sources, .newest = newest}; }

TEST(OwedCounts, AreAddedUpInTheOrderOfTablesAndIds) {
    OwedCounts owed;
    EXPECT_TRUE(owed.is_empty());
    EXPECT_EQ(owed.oldest(), UINT32_MAX);
    owed.add(1, counted(2), change(1, 10), 7);
    owed.add(1, counted(1, 2), change(1), 8);
    owed.add(1, counted(2), change(-3, 5), 9);
    owed.add(1, counted(1), change(0), 9);
    EXPECT_FALSE(owed.is_empty());
    EXPECT_EQ(owed.oldest(), 7u);
    Debts paid = owed.pay(1);
    ASSERT_EQ(paid.size(), 3u);
    auto it = paid.begin();
    EXPECT_EQ(it->first, counted(1));
    EXPECT_EQ(it->second.sources, 0);
    EXPECT_EQ((++it)->first, counted(2));
    EXPECT_EQ(it->second.sources, -2);
    EXPECT_EQ(it->second.newest, 10);
    EXPECT_EQ((++it)->first, counted(1, 2));
    EXPECT_TRUE(owed.is_empty());
    EXPECT_EQ(owed.oldest(), UINT32_MAX);
    EXPECT_TRUE(owed.pay(1).empty());
}

TEST(OwedCounts, ARollbackTakesItsOwnAway) {
    OwedCounts owed;
    owed.add(1, counted(1), change(1), 1);
    owed.add(3, counted(1), change(5), 2);
    owed.roll_back(3);
    owed.add(2, counted(1), change(7), 3);
    owed.roll_back(2);
    EXPECT_EQ(owed.pay(1)[counted(1)].sources, 1);
}

TEST(OwedCounts, WhatARolledBackLevelPaidIsOwedAgain) {
    OwedCounts owed;
    owed.add(1, counted(1), change(1), 1);
    owed.add(2, counted(2), change(1), 2);
    EXPECT_EQ(owed.pay(3).size(), 2u);
    EXPECT_TRUE(owed.is_empty());
    owed.add(3, counted(3), change(1), 3);
    EXPECT_EQ(owed.oldest(), 3u);
    owed.roll_back(3);
    EXPECT_EQ(owed.oldest(), 1u);
    Debts again = owed.pay(1);
    EXPECT_EQ(again.size(), 2u);
    EXPECT_FALSE(again.contains(counted(3)));
}

TEST(OwedCounts, WhatAReleasedLevelPaidIsPaidUntilItsParentIsRolledBack) {
    OwedCounts owed;
    owed.add(1, counted(1), change(1), 1);
    owed.pay(3);
    owed.add(3, counted(2), change(1), 2);
    owed.release(3);
    EXPECT_EQ(owed.pay(2).size(), 1u);
    owed.release(2);
    EXPECT_TRUE(owed.is_empty());
    owed.add(1, counted(1), change(1), 3);
    EXPECT_EQ(owed.pay(1).size(), 1u);
    owed.add(1, counted(1), change(1), 4);
    owed.pay(3);
    owed.release(3);
    EXPECT_TRUE(owed.is_empty());
    owed.roll_back(2);
    EXPECT_EQ(owed.pay(1)[counted(1)].sources, 1);
}

// The same by the slow way: each level holds a copy of all that is owed.
TEST(OwedCounts, AgreeWithCopies) {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        OwedCounts owed;
        std::vector<std::map<Counted, std::int64_t>> copies(2);
        std::uint32_t command = 0;
        for (int step = 0; step < 60; ++step) {
            int level = static_cast<int>(copies.size()) - 1;
            switch (random() % 7) {
                case 0:
                    copies.push_back(copies.back());
                    break;
                case 1:
                    if (level == 1) break;
                    owed.release(level);
                    copies[copies.size() - 2] = copies.back();
                    copies.pop_back();
                    break;
                case 2:
                    if (level == 1) break;
                    owed.roll_back(level);
                    copies.pop_back();
                    break;
                case 3: {
                    std::map<Counted, std::int64_t> paid;
                    for (const auto &[key, one] : owed.pay(level)) paid[key] = one.sources;
                    EXPECT_EQ(paid, copies.back());
                    copies.back().clear();
                    break;
                }
                default: {
                    Counted key = counted(static_cast<std::uint8_t>(random() % 3));
                    owed.add(level, key, change(1), ++command);
                    ++copies.back()[key];
                }
            }
            EXPECT_EQ(owed.is_empty(), copies.back().empty());
            EXPECT_EQ(owed.oldest() == UINT32_MAX, owed.is_empty());
        }
    }
}

}  // namespace
}  // namespace discovery::core
