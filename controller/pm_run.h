/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of one PackageManifest: the value that its steps hand on.
 *
 *     packagemanifest.c  the steps, in order        pm_dependencies.c  what it needs
 *     pm_render.c        from version to objects    pm_uninstall.c     taking it out
 *     pm_apply.c         objects, drift, health     pm_status.c        what is said about it
 *
 * Threads: the worker that holds the key.
 */
#pragma once

#include "operator.h"

typedef enum { PHASE_START, PHASE_RESOLVE, PHASE_INSTALL } pm_phase;

typedef struct {
    operator_t *op;
    dv_pm *pm;           /* borrowed */
    pm_state *state;     /* borrowed */
    dv_pm_status status; /* as it will be written */
    char *as;            /* impersonated user; NULL: the operator itself */
    pm_phase phase;
    bool requested;     /* the annotation asks for a run */
    bool refusal_lasts; /* an API server's no is meant, and not that of one that is starting */
    bool settled;  /* what is wished is what was applied: only drift and health are looked at */
    bool done;     /* the remaining steps are skipped */
    bool quiet;    /* no status is written (suspended) */
    bool resolved; /* `lock` holds */
    dv_lock_result lock;
    dv_package *inline_package; /* owned; NULL: by reference */
    dv_repo_package *package;   /* one holder; NULL until fetched */
    dv_objects objects;         /* prepared; empty while settled */
    bool have_objects;
    char inputs[DV_SHA256_HEX + 1]; /* of what decides about the objects */
    size_t written;                 /* objects that an apply changed */
    char *note;                     /* added to the message when all is well; owned */
    char *resource_version;         /* of the PackageManifest as this run knows it; owned */
    json_t *last_status;            /* as this run wrote it last; owned, NULL: not yet */
    bool tell;                      /* the outcome is worth an event */
} pm_run;

dv_apply_env pm_apply_env(pm_run *run);

/* pm_render.c */
dv_err *pm_step_package(dv_ctx *ctx, pm_run *run);
dv_err *pm_step_render(dv_ctx *ctx, pm_run *run);
/* The description of the locked version; borrowed. Fetched, or inline. */
const dv_package *pm_package(const pm_run *run);
/* Decodes spec.manifest into run->inline_package. */
dv_err *pm_read_inline(pm_run *run);
/* Fills run->inputs for a version of a repository. */
void pm_digest_inputs(pm_run *run, const char *version, const char *repository);

/* pm_dependencies.c */
dv_err *pm_step_dependencies(dv_ctx *ctx, pm_run *run);
dv_err *pm_step_unique(dv_ctx *ctx, pm_run *run);
/* All that the status names is there, in range. */
bool pm_dependencies_hold(const pm_run *run);

/* pm_apply.c */
dv_err *pm_step_inventory(dv_ctx *ctx, pm_run *run);
dv_err *pm_step_apply(dv_ctx *ctx, pm_run *run);
dv_err *pm_step_prune(dv_ctx *ctx, pm_run *run);
dv_err *pm_step_health(dv_ctx *ctx, pm_run *run);
/* What earlier runs applied is listed with its uid, also if they ended before a status was written.
 */
void pm_list_applied(pm_run *run);

/* pm_uninstall.c */
dv_err *pm_uninstall(dv_ctx *ctx, pm_run *run);
/* Without an account to remove them as, the objects are left and listed. */
dv_err *pm_leave_all(dv_ctx *ctx, pm_run *run);
/* An event about objects that were left in the cluster ("Kind ns/name (why)"); none of none. */
void pm_tell_orphans(pm_run *run, const dv_strings *orphaned);

/* pm_status.c */
/* Sets conditions and history from the outcome; pure but for the clock. Alone writes Ready. */
void pm_summarize(dv_ctx *ctx, pm_run *run, const dv_err *err);
/* One patch, only if something changed; events for what people want to know. */
dv_err *pm_write_status(dv_ctx *ctx, pm_run *run);
/* An event about the package; none once its namespace is being deleted, which would refuse it. */
void pm_tell(pm_run *run, const char *type, const char *reason, const char *action,
             const char *text);
/* Says that work goes on, before the first apply. */
void pm_say_progress(dv_ctx *ctx, pm_run *run, const char *reason, const char *message);
