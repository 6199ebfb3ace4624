// Tests that the changes of rows add up by notebook, in the order of IDs.
#include "core/tally.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace discovery::core {
namespace {

Uuid uuid(unsigned char first, unsigned char last = 0) {
    Uuid id{};
    id.front() = first;
    id.back() = last;
    return id;
}

TEST(Tally, IsEmptyAtFirst) {
    Tally tally;
    EXPECT_EQ(tally.begin(), tally.end());
}

TEST(Tally, AddsUpEachNotebook) {
    Tally tally;
    tally.add(uuid(1), {.sources = 1, .newest = 10});
    tally.add(uuid(1), {.sources = 1, .newest = 30});
    tally.add(uuid(2), {.sources = -1, .newest = 40});
    tally.add(uuid(1), {.sources = 1, .newest = 20});
    ASSERT_EQ(std::distance(tally.begin(), tally.end()), 2);
    EXPECT_EQ(tally.begin()->first, uuid(1));
    EXPECT_EQ(tally.begin()->second.sources, 3);
    EXPECT_EQ(tally.begin()->second.newest, 30);
    EXPECT_EQ(std::next(tally.begin())->second.sources, -1);
    EXPECT_EQ(std::next(tally.begin())->second.newest, 40);
}

// Two statements that lock notebooks in different orders could deadlock. PostgreSQL orders UUIDs by
// their unsigned bytes.
TEST(Tally, GoesInTheOrderOfIdsWhateverTheOrderOfRows) {
    std::vector<Uuid> sorted{uuid(0, 1), uuid(0, 0xff), uuid(1), uuid(0x7f), uuid(0x80), uuid(0xff), uuid(0xff, 1)};
    std::vector<Uuid> given{sorted[5], sorted[0], sorted[6], sorted[3], sorted[1], sorted[4], sorted[2], sorted[5]};
    Tally tally;
    for (const Uuid &id : given) tally.add(id, {.sources = 1, .newest = 0});
    std::vector<Uuid> seen;
    for (const auto &[id, change] : tally) seen.push_back(id);
    EXPECT_EQ(seen, sorted);
}

// The cached last notebook must not receive rows of another notebook.
TEST(Tally, KeepsNotebooksThatAlternateApart) {
    Tally tally;
    for (int row = 0; row < 1000; ++row) tally.add(uuid(row % 3), {.sources = row % 3 + 1, .newest = row});
    ASSERT_EQ(std::distance(tally.begin(), tally.end()), 3);
    EXPECT_EQ(tally.begin()->second.sources, 334 * 1);
    EXPECT_EQ(std::next(tally.begin(), 1)->second.sources, 333 * 2);
    EXPECT_EQ(std::next(tally.begin(), 2)->second.sources, 333 * 3);
    EXPECT_EQ(std::next(tally.begin(), 2)->second.newest, 998);
}

// A net change of zero remains in the tally. The caller skips it.
TEST(Tally, NetsInsertsAndDeletes) {
    Tally tally;
    tally.add(uuid(1), {.sources = 1, .newest = 5});
    tally.add(uuid(1), {.sources = -1, .newest = 7});
    EXPECT_EQ(tally.begin()->second.sources, 0);
    EXPECT_EQ(tally.begin()->second.newest, 7);
}

// A row without a finite timestamp has the timestamp INT64_MIN.
TEST(Tally, RemembersThatThereWasNoTimestamp) {
    Tally tally;
    tally.add(uuid(1), {.sources = 1, .newest = INT64_MIN});
    EXPECT_EQ(tally.begin()->second.newest, INT64_MIN);
    tally.add(uuid(1), {.sources = 1, .newest = -5});
    EXPECT_EQ(tally.begin()->second.newest, -5);
}

TEST(Tally, AddsUpMoreThanAnIntCanHold) {
    Tally tally;
    for (int row = 0; row < 3; ++row) tally.add(uuid(1), {.sources = 2'000'000'000, .newest = 0});
    EXPECT_EQ(tally.begin()->second.sources, 6'000'000'000);
}

}  // namespace
}  // namespace discovery::core
