/* Inside bench/command_text*: pieces of lines, and the lines that hyperfine does not have. */
#ifndef PK_BENCH_COMMAND_TEXT_OWN_H
#define PK_BENCH_COMMAND_TEXT_OWN_H

#include "bench/command_render_parts.h"

/* Text between the style's sequences. */
void pk_command_span(pk_strbuf *out, bool colour, pk_style style, const char *text);
/* The same, right-aligned in 8 cells, padding inside. text: below PK_COMMAND_TEXT_MAX bytes. */
void pk_command_field(pk_strbuf *out, bool colour, pk_style style, const char *text);

/* Below hyperfine's two lines of a command: median, percentiles, CPU, memory, counters, failed
 * runs, distribution, baseline. */
void pk_command_own_lines(const pk_command_report *report, size_t index,
                          const pk_command_style *style, pk_command_unit unit, pk_strbuf *out);
/* Below the ratios: verdicts, and what they rest on. */
void pk_command_own_summary(const pk_command_report *report, const pk_command_style *style,
                            pk_strbuf *out);

/* The runs that count as a row of blocks, `cells` of them, from the least to the largest time, all
 * that lies far above the rest in none of them: *beyond of them, above *high. Appends nothing for
 * fewer than 5 runs or equal times. False: out of memory. */
bool pk_command_blocks(const pk_command_report *report, const pk_command_result *result,
                       size_t cells, pk_strbuf *out, double *low, double *high, size_t *beyond);

#endif
