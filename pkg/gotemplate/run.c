/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/run_internal.h"

#include <stdarg.h>

#include "gotemplate/format.h"

enum { MESSAGE_MAX = 8 * 1024 * 1024, REGEXES_MAX = 1000, OVERLAY_STEPS = 100 };

struct dv_gotemplate {
    dv_arena *arena;
    dv_map *trees; /* name -> tree, borrowed */
    const dv_function_table *const *tables;
    dv_parse_limits limits;
};

/* ---- Sets ---- */

dv_gotemplate *dv_gotemplate_new(const dv_function_table *const *tables,
                                 const dv_parse_limits *limits)
{
    dv_gotemplate *set = DV_NEW(dv_gotemplate);

    set->arena = dv_arena_new(/* limit_bytes= */ 0);
    set->trees = dv_map_new(/* free_value= */ NULL);
    set->tables = tables;
    set->limits = limits ? *limits : (dv_parse_limits){0};
    if (!set->limits.bytes_max)
        set->limits.bytes_max = DV_GOTEMPLATE_TEXT_MAX;
    if (!set->limits.memory_max)
        set->limits.memory_max = DV_GOTEMPLATE_MEMORY_MAX;
    if (!set->limits.depth_max)
        set->limits.depth_max = DV_GOTEMPLATE_NESTING_MAX;
    return set;
}

void dv_gotemplate_free(dv_gotemplate *set)
{
    if (!set)
        return;
    dv_map_free(set->trees);
    dv_arena_free(set->arena);
    free(set);
}

bool dv_gotemplate_has(const dv_gotemplate *set, dv_str name)
{
    return dv_map_get(set->trees, name) != NULL;
}

/* A template that holds nothing replaces no other. */
static void define(void *context, tree *t)
{
    dv_map *trees = context;

    if (!dv_map_get(trees, t->name) || !dv_node_is_empty(t->root))
        dv_map_put(trees, t->name, t);
}

dv_err *dv_gotemplate_parse(dv_gotemplate *set, dv_str name, dv_str text)
{
    const parse_target target = {.arena = set->arena,
                                 .tables = set->tables,
                                 .limits = &set->limits,
                                 .context = set->trees,
                                 .define = define};

    return dv_parse(&target, name, text);
}

static int by_name(const void *key, const void *row)
{
    return dv_str_cmp(*(const dv_str *)key, dv_str_of(((const dv_function *)row)->name));
}

static const dv_function *find_in(const dv_function_table *table, dv_str name)
{
    return bsearch(&name, table->at, table->n, sizeof(*table->at), by_name);
}

const dv_function *dv_function_find(const dv_function_table *const *tables, dv_str name,
                                    bool *ret_builtin)
{
    const dv_function *found = NULL;

    for (; tables && *tables; tables++) {
        const dv_function *here = find_in(*tables, name);

        found = here ? here : found;
    }
    *ret_builtin = !found;
    return found ? found : find_in(&dv_gotemplate_builtins, name);
}

/* ---- Failures ---- */

DV_PRINTF(3, 0)
static void set_fault(dv_run *run, const char *reason, const char *format, va_list args)
{
    char *text = NULL;

    int n = vasprintf(&text, format, args);
    DV_ASSERT(n >= 0);
    dv_buf_reset(&run->fault);
    dv_buf_add(&run->fault, text, DV_MIN((size_t)n, (size_t)MESSAGE_MAX));
    run->reason = reason;
    free(text);
}

/* "NAME:LINE:COLUMN" of where the run is. */
static void add_location(const dv_run *run, dv_buf *out)
{
    const node_source *source = run->at->source;
    uint32_t line = 1, start = 0;

    for (uint32_t i = 0; i < run->at->pos; i++)
        if (source->text.p[i] == '\n') {
            line++;
            start = i + 1;
        }
    dv_buf_addf(out, "%.*s:%u:%u", DV_FMT(source->name), line, run->at->pos - start);
}

/* Puts what Go puts in front of an error of execution. */
static void add_context(const dv_run *run, dv_buf *out)
{
    dv_buf_adds(out, "template: ");
    if (!run->at) {
        dv_buf_addf(out, "%.*s: ", DV_FMT(run->tree->name));
        return;
    }
    add_location(run, out);
    dv_buf_adds(out, ": executing ");
    dv_quote(out, run->tree->name);
    dv_buf_adds(out, " at <");
    dv_node_add(out, run->at);
    dv_buf_adds(out, ">: ");
}

dv_val dv_run_error(dv_run *run, const char *format, ...)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(MESSAGE_MAX);
    va_list args;

    if (run->reason)
        return DV_NONE_VAL;
    va_start(args, format);
    set_fault(run, "TemplateFailed", format, args);
    va_end(args);
    add_context(run, &text);
    dv_buf_add_str(&text, dv_buf_str(&run->fault));
    dv_buf_reset(&run->fault);
    dv_buf_add_str(&run->fault, dv_buf_str(&text));
    return DV_NONE_VAL;
}

void dv_run_wrap_call(dv_run *run, dv_str name)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(MESSAGE_MAX);

    add_context(run, &text);
    dv_buf_addf(&text, "error calling %.*s: ", DV_FMT(name));
    dv_buf_add_str(&text, dv_buf_str(&run->fault));
    dv_buf_reset(&run->fault);
    dv_buf_add_str(&run->fault, dv_buf_str(&text));
}

dv_val dv_run_fail(dv_run *run, const char *format, ...)
{
    va_list args;

    if (run->reason)
        return DV_NONE_VAL;
    va_start(args, format);
    set_fault(run, "TemplateFailed", format, args);
    va_end(args);
    return DV_NONE_VAL;
}

dv_val dv_run_fail_text(dv_run *run, dv_str text)
{
    if (run->reason)
        return DV_NONE_VAL;
    dv_buf_reset(&run->fault);
    dv_buf_add_str(&run->fault, dv_str_head(text, MESSAGE_MAX));
    run->reason = "TemplateFailed";
    return DV_NONE_VAL;
}

void dv_run_limit(dv_run *run, const char *reason, const char *text)
{
    if (run->reason)
        return;
    dv_run_error(run, "%s", text);
    run->reason = reason;
}

bool dv_run_failed(const dv_run *run)
{
    return run->reason != NULL;
}

/* ---- Limits ---- */

static bool is_deep(const dv_run *run)
{
    const char *here = __builtin_frame_address(0);
    size_t used = run->stack_base > here ? (size_t)(run->stack_base - here)
                                         : (size_t)(here - run->stack_base);

    return used > run->stack_bytes;
}

bool dv_run_charge(dv_run *run, uint64_t steps)
{
    if (steps > run->steps)
        dv_run_limit(run, "TooManySteps", "the template takes more steps than are allowed");
    else
        run->steps -= steps;
    return !run->reason;
}

bool dv_run_step(dv_run *run)
{
    if (dv_heap_refused(run->heap))
        dv_run_limit(run, "TooLarge", "the template needs more memory than is allowed");
    else if (run->out->overflow || run->scratch.overflow)
        dv_run_limit(run, "TooLarge", "the template makes more text than is allowed");
    else if (is_deep(run))
        dv_run_limit(run, "TooDeep", "templates are nested deeper than is allowed");
    return dv_run_charge(run, 1);
}

/* ---- Finding ---- */

const tree *dv_run_find(const dv_run *run, dv_str name)
{
    for (const overlay *o = run->top; o; o = o->parent) {
        const tree *t = o->trees ? dv_map_get(o->trees, name) : NULL;

        if (t)
            return t;
    }
    return dv_map_get(run->set->trees, name);
}

static void free_regex(void *regex)
{
    dv_regex_free(regex);
}

const dv_regex *dv_run_regex(dv_run *run, dv_str pattern, dv_err **ret_err)
{
    dv_regex *regex = run->regexes ? dv_map_get(run->regexes, pattern) : NULL;

    if (regex)
        return regex;
    *ret_err = dv_regex_compile(pattern, &regex);
    if (*ret_err || !dv_run_charge(run, 100 + pattern.n))
        return NULL;
    if (!run->regexes)
        run->regexes = dv_map_new(free_regex);
    if (dv_map_count(run->regexes) >= REGEXES_MAX)
        dv_map_clear(run->regexes);
    dv_map_put(run->regexes, pattern, regex);
    return regex;
}

/* ---- tpl ---- */

static void overlay_done(overlay *o)
{
    dv_map_free(o->trees);
    dv_map_free(o->parsed);
    dv_arena_free(o->arena);
}

static void overlay_free(void *at)
{
    overlay_done(at);
    free(at);
}

typedef struct {
    const dv_run *run;
    overlay *overlay;
    dv_str name;
} overlay_target;

/* As define(), but what is below counts as there already, too. */
static void define_in_overlay(void *context, tree *t)
{
    const overlay_target *target = context;

    if (dv_str_eq(t->name, target->name))
        target->overlay->main = t;
    if (!dv_run_find(target->run, t->name) || !dv_node_is_empty(t->root))
        dv_map_put(target->overlay->trees, t->name, t);
}

dv_err *dv_run_overlay(dv_run *run, dv_str text, overlay **ret_overlay)
{
    overlay *below = run->top, *found = below->parsed ? dv_map_get(below->parsed, text) : NULL;

    if (found) {
        *ret_overlay = found;
        return NULL;
    }
    dv_run_charge(run, OVERLAY_STEPS + text.n / 4);
    overlay *fresh = DV_NEW(overlay);
    overlay_target own = {run, fresh, DV_STR("gotpl")};
    const parse_target target = {.arena = fresh->arena = dv_arena_new(/* limit_bytes= */ 0),
                                 .tables = run->set->tables,
                                 .limits = &run->set->limits,
                                 .context = &own,
                                 .define = define_in_overlay};
    fresh->parent = below;
    fresh->trees = dv_map_new(/* free_value= */ NULL);
    dv_err *err = dv_parse(&target, own.name, text);
    if (err) {
        overlay_free(fresh);
        return err;
    }
    dv_heap_charge(run->heap, dv_arena_used(fresh->arena));
    if (!below->parsed)
        below->parsed = dv_map_new(overlay_free);
    dv_map_put(below->parsed, text, fresh);
    *ret_overlay = fresh;
    return NULL;
}

/* ---- Runs ---- */

static void run_done(dv_run *run)
{
    overlay_done(&run->root);
    dv_map_free(run->included);
    dv_map_free(run->regexes);
    dv_vec_done(&run->vars);
    dv_buf_done(&run->scratch);
    dv_buf_done(&run->fault);
}

dv_err *dv_gotemplate_run(const dv_gotemplate *set, dv_str name, dv_val data, dv_heap *heap,
                          const dv_run_options *options, dv_buf *out)
{
    static const dv_run_options defaults = {.missing_key = DV_MISSING_DEFAULT};
    size_t before = out->n;

    options = options ? options : &defaults;
    DV_CLEANUP(run_done)
    dv_run run = {.set = set,
                  .options = options,
                  .heap = heap,
                  .out = out,
                  .steps = options->steps_max ? options->steps_max : DV_RUN_STEPS,
                  .stack_base = __builtin_frame_address(0),
                  .stack_bytes = options->stack_bytes ? options->stack_bytes : DV_RUN_STACK_BYTES};
    dv_buf_init(&run.scratch, out->limit);
    dv_buf_init(&run.fault, MESSAGE_MAX);
    run.top = &run.root;
    const tree *t = dv_run_find(&run, name);
    if (!t)
        return dv_err_new(DV_INVALID, "TemplateFailed", "template: no template \"%.*s\"",
                          DV_FMT(name));
    run.tree = t;
    run.at = t->root;
    dv_run_execute(&run, t, data);
    if (!run.reason) {
        run.tree = t;
        dv_run_step(&run); /* what the last one wrote may have been too much */
    }
    if (!run.reason)
        return NULL;
    out->overflow = false;
    dv_buf_cut(out, before);
    if (options->message)
        dv_buf_add_str(options->message, dv_buf_str(&run.fault));
    return dv_err_new(DV_INVALID, run.reason, "%s", dv_buf_cstr(&run.fault));
}

/* ---- For functions ---- */

dv_heap *dv_run_heap(dv_run *run)
{
    return run->heap;
}

const dv_run_options *dv_run_options_of(const dv_run *run)
{
    return run->options;
}

dv_buf *dv_run_scratch(dv_run *run)
{
    dv_buf_reset(&run->scratch);
    return &run->scratch;
}

dv_val dv_run_text(dv_run *run, const dv_buf *scratch)
{
    if (scratch->overflow)
        dv_run_limit(run, "TooLarge", "the template makes more text than is allowed");
    return dv_val_string(run->heap, dv_buf_str(scratch));
}
