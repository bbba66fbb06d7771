/* Inside bench/command_page*: the charts of the page of commands. Each adds one figure, or none
 * when it has no values to show. False: out of memory. */
#ifndef PK_BENCH_COMMAND_PAGE_H
#define PK_BENCH_COMMAND_PAGE_H

#include "bench/command_render_parts.h"
#include "report/page.h"

/* Boxes of the wall times of all commands. */
bool pk_command_chart_boxes(pk_page *page, pk_arena *arena, const pk_command_report *report);
/* Changes against the reference with their intervals, wall and CPU. */
bool pk_command_chart_changes(pk_page *page, pk_arena *arena, const pk_command_report *report);
/* Median wall time over a parameter, a line per command; if there is one parameter, and it has at
 * least two values, all numbers. */
bool pk_command_chart_parameter(pk_page *page, pk_arena *arena, const pk_command_report *report);
/* Density of the wall time, each run as a point below. */
bool pk_command_chart_density(pk_page *page, pk_arena *arena, const pk_command_report *report,
                              const pk_command_result *result);
/* Wall time in the order of the runs, failed ones marked. */
bool pk_command_chart_order(pk_page *page, pk_arena *arena, const pk_command_report *report,
                            const pk_command_result *result);

#endif
