// Tells where a long piece of work is.
#include "server/progress.hpp"

extern "C" {
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/timestamp.h"
}

namespace discovery {
namespace {

const config_generic *option_of_messages() {
#if PG_VERSION_NUM >= 160000
    return find_option("client_min_messages", false, true, ERROR);
#else
    config_generic **options = get_guc_variables();
    for (int number = 0; number < GetNumConfigOptions(); ++number)
        if (strcmp(options[number]->name, "client_min_messages") == 0) return options[number];
    return nullptr;
#endif
}

// The client's client_min_messages. The script of an extension raises it to warning while it runs.
int level_of_client() {
    const config_generic *option = option_of_messages();
    if (option == nullptr || option->stack == nullptr || option->stack->state != GUC_SAVE) return client_min_messages;
    return option->stack->prior.val.enumval;
}

}  // namespace

const char *first_line(const char *statement) {
    while (*statement == ' ' || *statement == '\n' || strncmp(statement, "--", 2) == 0)
        statement += *statement == '-' ? strcspn(statement, "\n") : 1;
    return pnstrdup(statement, strcspn(statement, "\n"));
}

void detail::begin_part(const char *part, const char *line) {
    pgstat_report_activity(STATE_RUNNING, line ? psprintf("%s: %s", part, line) : part);
}

void detail::show_query_of_client() {
    if (debug_query_string != nullptr) pgstat_report_activity(STATE_RUNNING, debug_query_string);
}

void detail::end_part(const char *part, const char *line, TimestampTz start) {
    if (level_of_client() > INFO) return;
    double milliseconds = static_cast<double>(GetCurrentTimestamp() - start) / 1000;
    ereport(INFO, errmsg("%s: %.1f ms%s%s", part, milliseconds, line ? ": " : "", line ? line : ""));
}

}  // namespace discovery
