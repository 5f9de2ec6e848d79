/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a controller remembers of a package between runs. It may be lost at any time: all of it is
 * found again in the cluster.
 *
 * Threads: a state belongs to the worker that holds its key; the table and what `installing` says,
 * any.
 */
#pragma once

#include "install/applied.h"

typedef struct {
    char *uid; /* of the PackageManifest that this is about */
    dv_applied applied;
    bool loaded;                 /* the Secret was asked for `applied` */
    _Atomic bool installing;     /* a run is not at its end: changes wake it at once */
    int64_t waiting_since_ms;    /* monotonic; 0: the last run did not end waiting */
    int64_t unanswered_since_ms; /* monotonic; 0: the last run did not end for want of an answer */
    int64_t progress_since_ms;   /* since when these inputs are on their way */
    int64_t last_full_ms;        /* what no watch tells of was last applied */
    bool removing;               /* nothing would be lost: the uninstall has begun */
    dv_inventory remaining;      /* and this is what is left to remove */
} pm_state;

typedef struct states states;
states *states_new(void);
void states_free(states *table);
/* Borrowed until states_drop(); made when missing, and anew for an object of another uid. */
pm_state *states_get(states *table, const char *key, const char *uid);
void states_drop(states *table, const char *key);
/* For callbacks of other threads. */
bool states_installing(states *table, const char *key);
