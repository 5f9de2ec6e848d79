/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: what the evaluator's parts share. eval.c walks nodes, call.c calls functions, run.c
 * begins and ends runs and keeps sets.
 *
 * Every function that gives a value gives NONE once the run has failed; callers ask
 * dv_run_failed() where going on would matter.
 *
 * Threads: owner.
 */
#pragma once

#include "base/map.h"
#include "gotemplate/node_internal.h"
#include "regex/regex.h"

typedef struct {
    uint32_t id; /* within its template */
    dv_val value;
} variable;

/* Templates that the text of a "tpl" defines: seen inside it only. */
typedef struct overlay overlay;
struct overlay {
    overlay *parent; /* NULL: the set itself is below */
    dv_map *trees;   /* name -> tree, borrowed */
    dv_map *parsed;  /* text -> overlay, owned: what was parsed on top of this */
    dv_arena *arena;
    const tree *main;
};

struct dv_run {
    const dv_gotemplate *set;
    const dv_run_options *options;
    dv_heap *heap;
    dv_buf *out;
    dv_buf scratch;
    const tree *tree; /* that is being executed */
    const node *at;   /* where an error would be */
    DV_VEC(variable) vars;
    size_t frame; /* first variable of the executing template */
    overlay root; /* without trees of its own */
    overlay *top;
    dv_map *included; /* name -> how often it is open, owned */
    dv_map *regexes;  /* pattern -> dv_regex, owned */
    uint64_t steps;   /* that are left */
    const char *stack_base;
    size_t stack_bytes;
    dv_buf fault;
    const char *reason; /* of the failure; NULL: none */
};

typedef enum { WALK_ON, WALK_BREAK, WALK_CONTINUE, WALK_FAILED } walk_result;

/* ---- run.c ---- */

/* An error of the evaluator, at run->at. */
dv_val dv_run_error(dv_run *run, const char *format, ...) DV_PRINTF(2, 3);
/* Puts "template: …: error calling NAME: " in front of what a function said. */
void dv_run_wrap_call(dv_run *run, dv_str name);
/* A failure that no template text explains; reason and text are static. */
void dv_run_limit(dv_run *run, const char *reason, const char *text);
/* NULL: there is none. */
const tree *dv_run_find(const dv_run *run, dv_str name);
/* Counts a step and looks at the stack and at what was refused; false: the run has failed. */
bool dv_run_step(dv_run *run);
/* A compiled expression, kept for the run. NULL: the run has failed, or with ret_err that says
 * why. */
const dv_regex *dv_run_regex(dv_run *run, dv_str pattern, dv_err **ret_err);
/* The overlay for a text of "tpl", parsed at most once; the error is Go's. */
DV_MUST_USE dv_err *dv_run_overlay(dv_run *run, dv_str text, overlay **ret_overlay);

/* ---- eval.c ---- */

/* Executes a template into run->out. */
void dv_run_execute(dv_run *run, const tree *t, dv_val data);
dv_val dv_eval_pipeline(dv_run *run, dv_val dot, const node *pipe);
/* An operand on its own, without arguments; not a literal. */
dv_val dv_eval_operand(dv_run *run, dv_val dot, const node *n);

/* ---- call.c ---- */

/* args: the command's nodes, the function first, or NULL; final: what the pipeline brings. */
dv_val dv_eval_function(dv_run *run, dv_val dot, const node *identifier, const node *command,
                        const nodes *args, const dv_val *final);
dv_val dv_eval_method(dv_run *run, dv_val dot, const dv_method *method, dv_val self, const node *n,
                      const nodes *args, const dv_val *final);
