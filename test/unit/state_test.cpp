// Tests the state of a store, and the next step that its owner is given.
#include "core/state.hpp"

#include <gtest/gtest.h>

namespace discovery::core {
namespace {

// Returns the facts of a complete store. By default all versions are the same.
StoreFacts facts(Version store = {1, 1}, Version extension = {1, 1}, Version newest = {1, 1}) {
    return {"public", "public", store, true, true, true, extension, newest};
}

TEST(State, CurrentHasNothingToDo) {
    StoreState state = judge(facts());
    EXPECT_EQ(state.state, "current");
    EXPECT_EQ(state.next_step, "nothing");
}

TEST(State, CurrentTellsOfANewerLibrary) {
    StoreState state = judge(facts({1, 0}, {1, 0}, {1, 1}));
    EXPECT_EQ(state.state, "current");
    EXPECT_EQ(state.next_step, "version 1.1 is available: ALTER EXTENSION discovery UPDATE");
}

TEST(State, BehindIsBroughtUpByItsOwner) {
    StoreState state = judge(facts({1, 0}));
    EXPECT_EQ(state.state, "behind");
    EXPECT_EQ(state.next_step, "upgrade the store: SELECT public.discovery_upgrade('head', 'public')");
}

TEST(State, BehindIsByNumberNotByText) {
    EXPECT_EQ(judge(facts({1, 9}, {1, 10}, {1, 10})).state, "behind");
    EXPECT_EQ(judge(facts({1, 10}, {1, 9}, {1, 10})).state, "ahead");
}

TEST(State, AheadOfTheExtensionButKnownToTheLibrary) {
    StoreState state = judge(facts({1, 1}, {1, 0}, {1, 2}));
    EXPECT_EQ(state.state, "ahead");
    EXPECT_EQ(state.next_step, "update the extension: ALTER EXTENSION discovery UPDATE TO '1.1'");
    // The newest version that the library has is one that it has.
    EXPECT_EQ(judge(facts({1, 2}, {1, 0}, {1, 2})).next_step,
              "update the extension: ALTER EXTENSION discovery UPDATE TO '1.2'");
}

TEST(State, AheadOfEverythingOnTheServer) {
    StoreState state = judge(facts({2, 0}, {1, 1}, {1, 1}));
    EXPECT_EQ(state.state, "ahead");
    EXPECT_EQ(state.next_step, "install a release of discovery that has version 2.0 on this server");
}

TEST(State, NoRecordNoStore) {
    StoreFacts none = facts(Version{});
    none.is_complete = false;
    StoreState state = judge(none);
    EXPECT_EQ(state.state, "missing");
    EXPECT_EQ(state.next_step, "create a store: SELECT public.discovery_create_store('public')");
    // Tables without a record are no store either, and the same command adopts them.
    none.is_complete = true;
    EXPECT_EQ(judge(none).next_step, state.next_step);
}

TEST(State, ARecordWithoutItsTables) {
    // What the version is does not matter then: no update helps.
    for (Version version : {Version{1, 0}, Version{1, 1}, Version{2, 0}}) {
        StoreFacts torn = facts(version);
        torn.is_complete = false;
        StoreState state = judge(torn);
        EXPECT_EQ(state.state, "missing");
        EXPECT_EQ(state.next_step, "check its tables: SELECT * FROM public.discovery_check('public')");
    }
}

TEST(State, DetachedIsPutBack) {
    StoreFacts loose = facts();
    loose.is_guarded = false;
    StoreState state = judge(loose);
    EXPECT_EQ(state.state, "detached");
    EXPECT_NE(state.next_step.find("SELECT public.discovery_create_store('public')"), std::string::npos)
        << state.next_step;
    // Where the tables differ otherwise, they are repaired first.
    loose.can_reattach = false;
    EXPECT_EQ(judge(loose).state, "damaged");
    EXPECT_NE(judge(loose).next_step.find("discovery_check('public')"), std::string::npos);
    // Without its tables there is nothing to put triggers on.
    loose.is_complete = false;
    EXPECT_EQ(judge(loose).state, "missing");
}

TEST(State, CommandsAreQuoted) {
    StoreFacts odd = facts(Version{});
    odd.schema = "it's \"odd\"";
    odd.functions = "\"My Functions\"";
    EXPECT_EQ(judge(odd).next_step, "create a store: SELECT \"My Functions\".discovery_create_store('it''s \"odd\"')");
    odd.store = {1, 0};
    EXPECT_EQ(judge(odd).next_step,
              "upgrade the store: SELECT \"My Functions\".discovery_upgrade('head', 'it''s \"odd\"')");
}

TEST(State, ThePreparationOfAnUpgradeIsShown) {
    StoreFacts some = facts({1, 0}, {1, 0}, {1, 1});
    some.done = 4, some.tasks = 9;
    EXPECT_EQ(judge(some).state, "preparing, 4 of 9");
    EXPECT_EQ(
        judge(some).next_step,
        "continue with the statements of: SELECT statement FROM public.discovery_prepare_upgrade('head', 'public')");
    some.done = 9;
    EXPECT_EQ(judge(some).state, "prepared");
    EXPECT_EQ(judge(some).next_step, "upgrade the store: SELECT public.discovery_upgrade('head', 'public')");
    // Also where the extension has the new version already; what is damaged comes first.
    some.extension = {1, 1};
    EXPECT_EQ(judge(some).state, "prepared");
    some.is_complete = false;
    EXPECT_EQ(judge(some).state, "missing");
}

}  // namespace
}  // namespace discovery::core
