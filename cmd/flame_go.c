/* perfkit flame: what the plan says is done. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "cmd/flame_cli.h"
#include "profile/folded.h"
#include "report/progress.h"

#define EXIT_NOTHING 1
#define EXIT_WRONG 2
#define TEXT_BYTES_MAX ((size_t)4 << 30)

/* ---- what is profiled ---- */

static bool add_text(flame_session *s, const char *path, pk_err *err) {
    pk_strbuf text;
    pk_folded_read counts = {0};
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    bool ok = pk_file_read(path, TEXT_BYTES_MAX, &text, err) &&
              pk_folded_add(&s->result.profile.tree, text.data, text.length, &counts, err);
    pk_strbuf_fini(&text);
    return ok;
}

static bool gather(flame_session *s, pk_err *err) {
    const pk_flame_options *o = &s->plan->flame;
    if (!pk_profile_init(&s->result.profile, 1, o->collapse.in_order, err)) return false;
    for (size_t i = 0; i < o->inputs.count; i++)
        if (!add_text(s, o->inputs.items[i], err)) return false;
    pk_stack_tree *tree = &s->result.profile.tree;
    pk_stack_tree_sum(tree);
    s->result.profile.n_samples = pk_node(tree, PK_NODE_ROOT)->total[0];
    return tree->in_order || pk_stack_tree_sort(tree, err);
}

static int run(flame_session *s, pk_err *err) {
    if (!gather(s, err) || !flame_write(s, err) || !flame_summary(s, err)) return EXIT_WRONG;
    return 0;
}

int flame_go(const pk_invocation *invocation, const flame_cli *cli, const flame_plan *plan,
             pk_err *err) {
    flame_session s = {.invocation = invocation, .cli = cli, .plan = plan};
    if (plan->flame.inputs.count == 0) {
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "this build draws folded stacks only");
        pk_fix(err, "use --folded FILE");
        return EXIT_WRONG;
    }
    int code = run(&s, err);
    pk_profile_fini(&s.result.profile);
    return code;
}
