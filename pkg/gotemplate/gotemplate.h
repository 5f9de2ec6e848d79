/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's text/template: a set of templates that know each other by name, parsed once, run many
 * times. Pure: no files, no network, no environment.
 *
 *     dv_auto(dv_gotemplate) set = dv_gotemplate_new(dv_helm_functions(), NULL);
 *     DV_TRY(dv_gotemplate_parse(set, name, text), "…");
 *     DV_TRY(dv_gotemplate_run(set, name, data, heap, &options, &out), "…");
 *
 * Templates and values are an outsider's: what they can make large or long is bounded, memory by
 * the heap, output by the buffer, time by steps, nesting by the parser and by the stack.
 *
 * Error messages are Go's word for word, so they hold what the template says; a dv_err cuts them
 * at 16 KiB, dv_run_options has a place for the whole.
 *
 * Threads: a set is its owner's while it is parsed into, and may be run by any number at once
 * afterwards; heap, data and buffer are the run's own.
 */
#pragma once

#include "base/clock.h"
#include "gotemplate/value.h"

/* ---- Functions ---- */

/* One argument a parameter, of its type. On failure: dv_run_fail(), and any result. */
typedef dv_val dv_function_fn(dv_run *run, const dv_val *args, size_t n);

/*
 * The signature has a letter a parameter, "." before the last: it takes any number; ">a" behind
 * them: the result is an interface{}.
 *
 *     a interface{}   v reflect.Value   s string   b bool   i int   I int64   f float64
 *     u uint32   m map[string]interface{}   l []interface{}   t time.Time   c sprig.certificate
 */
typedef struct {
    const char *name;
    const char *signature;
    dv_function_fn *call;
} dv_function;
typedef struct {
    const dv_function *at; /* in byte order of the names */
    size_t n;
} dv_function_table;

/* The language's own; a set has them anyway, and the tables it is given come first. */
extern const dv_function_table dv_gotemplate_builtins;

/* ---- Sets ---- */

typedef struct {
    size_t bytes_max;  /* of one text; 0: DV_GOTEMPLATE_TEXT_MAX */
    size_t memory_max; /* of all texts of a set, parsed; 0: DV_GOTEMPLATE_MEMORY_MAX */
    size_t depth_max;  /* of parentheses and of blocks in blocks; 0: DV_GOTEMPLATE_NESTING_MAX */
} dv_parse_limits;
#define DV_GOTEMPLATE_TEXT_MAX ((size_t)16 * 1024 * 1024)
#define DV_GOTEMPLATE_MEMORY_MAX ((size_t)256 * 1024 * 1024)
#define DV_GOTEMPLATE_NESTING_MAX ((size_t)250)

typedef struct dv_gotemplate dv_gotemplate;
/* Borrows tables (ended by NULL; of two that have a name the later counts) while the set lives. */
dv_gotemplate *dv_gotemplate_new(const dv_function_table *const *tables,
                                 const dv_parse_limits *limits);
void dv_gotemplate_free(dv_gotemplate *set);
/*
 * Adds the template `name` and those that its text defines. One that is there already is replaced
 * unless the new one holds nothing but blanks and comments. Copies both. INVALID "BadTemplate":
 * "template: NAME:LINE: …"; what the text defined is not added then.
 */
DV_MUST_USE dv_err *dv_gotemplate_parse(dv_gotemplate *set, dv_str name, dv_str text);
bool dv_gotemplate_has(const dv_gotemplate *set, dv_str name);
DV_DEFINE_AUTO(dv_gotemplate)

/* ---- Runs ---- */

typedef enum {
    DV_MISSING_DEFAULT, /* no value at all */
    DV_MISSING_ZERO,    /* the zero value of the map's elements: Helm's choice */
    DV_MISSING_ERROR,
} dv_missing_key;

/* The objects of a cluster, for "lookup". name "": a list. *ret_found is a dict in heap, empty
 * when there is none. */
typedef dv_err *dv_lookup_fn(void *context, dv_heap *heap, dv_str api_version, dv_str kind,
                             dv_str namespace, dv_str name, dv_val *ret_found);

typedef struct {
    dv_missing_key missing_key;
    uint64_t steps_max;    /* nodes and calls, and what functions do at length; 0: DV_RUN_STEPS */
    size_t stack_bytes;    /* that nested templates may take; 0: DV_RUN_STACK_BYTES */
    dv_lookup_fn *lookup;  /* NULL: every lookup finds nothing */
    void *lookup_context;  /* borrowed for the run */
    const dv_clock *clock; /* for "now"; NULL: the machine's */
    bool lint;             /* "required" and "fail" let pass */
    dv_buf *message;       /* gets the whole text of a failure; NULL: the error's own will do */
} dv_run_options;
#define DV_RUN_STEPS ((uint64_t)50 * 1000 * 1000)
/* Fits a thread of this code base; include's own limit is only reached with about 4 MiB. */
#define DV_RUN_STACK_BYTES ((size_t)192 * 1024)

/*
 * Appends what the template makes of data to out. What is made on the way lives in heap, and so
 * does what functions change in data. options may be NULL. INVALID "TemplateFailed": "template:
 * NAME:LINE:COLUMN: executing "NAME" at <…>: …", "TooLarge", "TooManySteps", "TooDeep"; out then
 * holds what was there before.
 */
DV_MUST_USE dv_err *dv_gotemplate_run(const dv_gotemplate *set, dv_str name, dv_val data,
                                      dv_heap *heap, const dv_run_options *options, dv_buf *out);

/* ---- For functions ---- */

dv_heap *dv_run_heap(dv_run *run);
/* Sets the run's error, unless there is one, and gives NONE. */
dv_val dv_run_fail(dv_run *run, const char *format, ...) DV_PRINTF(2, 3);
/* The same for text of any length that is Go's already. */
dv_val dv_run_fail_text(dv_run *run, dv_str text);
bool dv_run_failed(const dv_run *run);
/* Takes steps for work that is not small; false: the run has failed. */
bool dv_run_charge(dv_run *run, uint64_t steps);
/* An empty buffer, for one text at a time; it becomes a value with dv_run_text(). */
dv_buf *dv_run_scratch(dv_run *run);
dv_val dv_run_text(dv_run *run, const dv_buf *scratch);
const dv_run_options *dv_run_options_of(const dv_run *run);
