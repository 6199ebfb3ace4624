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

// The first line of a statement that is no comment, without blanks before it.
const char *first_line(const char *statement) {
    while (*statement == ' ' || *statement == '\n' || (statement[0] == '-' && statement[1] == '-')) {
        if (*statement != '-') {
            ++statement;
            continue;
        }
        statement += strcspn(statement, "\n");
    }
    return pnstrdup(statement, strcspn(statement, "\n"));
}

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

Progress begin_progress(const char *part, const char *statement) {
    const char *line = statement ? first_line(statement) : nullptr;
    pgstat_report_activity(STATE_RUNNING, line ? psprintf("%s: %s", part, line) : part);
    return {part, line, GetCurrentTimestamp()};
}

void show_query_of_client() {
    if (debug_query_string != nullptr) pgstat_report_activity(STATE_RUNNING, debug_query_string);
}

void end_progress(const Progress &progress) {
    show_query_of_client();
    if (level_of_client() > INFO) return;
    double milliseconds = static_cast<double>(GetCurrentTimestamp() - progress.start) / 1000;
    if (progress.statement != nullptr)
        ereport(INFO, errmsg("%s: %.1f ms: %s", progress.part, milliseconds, progress.statement));
    else
        ereport(INFO, errmsg("%s: %.1f ms", progress.part, milliseconds));
}

}  // namespace discovery
