/* perfkit flame: what completion offers. It reads /proc and folders and runs nothing. */
#include "cli/complete.h"
#include "cmd/flame_cli.h"

/* What perf_event_open(2) names; not every machine has all of them. */
void flame_complete_events(pk_choices *choices) {
    static const char *const events[][2] = {
        {"cycles", "of the processor"},
        {"cpu-clock", "time on a CPU, on any machine"},
        {"task-clock", "time of the thread on a CPU"},
        {"instructions", "finished by the processor"},
        {"cache-references", "to the last cache"},
        {"cache-misses", "of the last cache"},
        {"branches", "taken or not"},
        {"branch-misses", "guessed wrong"},
        {"page-faults", "pages that were not there"},
        {"minor-faults", "without reading from a disk"},
        {"major-faults", "read from a disk"},
        {"context-switches", "to another thread"},
        {"cpu-migrations", "to another CPU"},
    };
    pk_choices_keep_order(choices);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        pk_choices_add(choices, events[i][0], events[i][1]);
}

void flame_complete_call_graphs(pk_choices *choices) {
    pk_choices_keep_order(choices);
    pk_choices_add(choices, "dwarf", "stacks are copied and unwound");
    pk_choices_add(choices, "dwarf,16384", "so many bytes of them");
    pk_choices_add(choices, "fp", "frame pointers");
    pk_choices_add(choices, "lbr", "the processor's branch records");
    pk_choices_add(choices, "none", "functions without their callers");
}

void flame_complete_texts(pk_choices *choices) {
    pk_choices_add(choices, "-", "standard input");
    pk_complete_paths(choices, "folded collapsed txt svg");
}

void flame_complete_profiles(pk_choices *choices) {
    pk_complete_paths(choices, "data folded collapsed txt svg");
}
