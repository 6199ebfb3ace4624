// Defines the extension's settings.
#include "server/settings.hpp"

#include "server/guard.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace discovery {

namespace settings {
int create_store = CREATE_STORE_AUTO;
bool adopt_foreign = false;
bool allow_data_loss = false;
bool verify_steps = true;
int counts = COUNTS_COMMIT;
bool keep_deleted = false;
char *reason = nullptr;
}  // namespace settings

namespace {

const config_enum_entry create_store_words[] = {
    {"auto", CREATE_STORE_AUTO, false}, {"on", CREATE_STORE_ON, false},    {"off", CREATE_STORE_OFF, false},
    {"true", CREATE_STORE_ON, true},    {"false", CREATE_STORE_OFF, true}, {nullptr, 0, false},
};

const config_enum_entry counts_words[] = {
    {"commit", COUNTS_COMMIT, false}, {"statement", COUNTS_STATEMENT, false}, {nullptr, 0, false}};

}  // namespace

void define_settings() {
    DefineCustomEnumVariable("discovery.create_store", "Whether CREATE EXTENSION discovery makes a store.",
                             "auto leaves it out while a dump is being restored, which brings the tables itself.",
                             &settings::create_store, CREATE_STORE_AUTO, create_store_words, PGC_USERSET, 0, nullptr,
                             nullptr, nullptr);
    DefineCustomBoolVariable("discovery.adopt_foreign",
                             "Adopts tables whose owner is neither the caller nor the owner of schema or database.",
                             "Takes effect only if it is set in the session itself.", &settings::adopt_foreign, false,
                             PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("discovery.allow_data_loss",
                             "Lets a downgrade, and discovery_drop_store(), remove rows and values.", nullptr,
                             &settings::allow_data_loss, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("discovery.verify_steps", "Compares the store with its shape after each step.",
                             "For developers: `make shapes` turns it off.", &settings::verify_steps, true, PGC_SUSET,
                             GUC_NOT_IN_SAMPLE, nullptr, nullptr, nullptr);
    DefineCustomEnumVariable("discovery.counts", "When the counts of sources are written to their notebooks.",
                             "commit writes them once, at the end of the transaction or before it reads them; "
                             "statement writes them at the end of each statement.",
                             &settings::counts, COUNTS_COMMIT, counts_words, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("discovery.keep_deleted", "Whether DELETE moves what it deletes to the trash.",
                             "Applies to notebooks, sources and outputs, also where a foreign key deletes them.",
                             &settings::keep_deleted, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("discovery.reason", "Why rows are deleted, for the deletion log.",
                               "For plain SQL: SET LOCAL discovery.reason = '...'.", &settings::reason, "", PGC_USERSET,
                               0, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("discovery");
}

}  // namespace discovery
