// The settings (GUCs) of the extension. docs/operations.md describes them.
#pragma once

namespace discovery {

enum CreateStore { CREATE_STORE_AUTO, CREATE_STORE_ON, CREATE_STORE_OFF };

enum Counts { COUNTS_COMMIT, COUNTS_STATEMENT };

namespace settings {
extern int create_store;
extern bool adopt_foreign;
extern bool allow_data_loss;
extern bool verify_steps;
extern int counts;
extern bool keep_deleted;
extern char *reason;
}  // namespace settings

/// Defines the settings. Call once, when the library is loaded.
void define_settings();

}  // namespace discovery
